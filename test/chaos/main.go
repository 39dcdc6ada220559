// Command chaos rolls a fleet out and cleans it up again, on real API servers,
// while something goes wrong: once for each thing that can. It prints a table and
// ends with exit code 1 when a case did not end as it must.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/sets"
)

// options are the flags of the command.
type options struct {
	seed        uint64
	lanes       int
	sample      int
	only        string
	list        bool
	bins        string
	dir         string
	report      string
	ways, kills int
	temporal    string
	forTime     time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o options
	cmd := &cobra.Command{Use: "chaos", Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		Short: "Break things during rollouts and cleanups, and show that nothing is lost or left",
		RunE:  func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) }}
	f := cmd.Flags()
	f.Uint64Var(&o.seed, "seed", uint64(time.Now().Unix()), "what is left to chance is drawn from it")
	f.IntVar(&o.lanes, "lanes", 3, "how many cases run at once, each with a lab of its own")
	f.IntVar(&o.sample, "sample", 0, "run so many cases, drawn by the seed; 0: all")
	f.StringVar(&o.only, "only", "", "run the cases whose name contains this")
	f.BoolVar(&o.list, "list", false, "print the cases and run none")
	f.StringVar(&o.bins, "bin", "bin", "directory of the built commands")
	f.StringVar(&o.dir, "dir", "", "directory for labs and logs, which stays (default: a temporary one)")
	f.StringVar(&o.report, "report", "", "also write the table to this file, in Markdown")
	f.IntVar(&o.ways, "ways", 1, "in how many of the 6 ways each verb on each kind of a cleanup fails; twice as many in a rollout")
	f.IntVar(&o.kills, "server-kills", 20, "how many moments at which the server is killed")
	f.DurationVar(&o.forTime, "for", 0, "begin no case after so long; the order is drawn by the seed, so that it was some of everything")
	f.StringVar(&o.temporal, "temporal-bin", "", "directory with temporal-server and temporal-sql-tool; with it, Temporal on PostgreSQL is killed too")
	return cmd
}

// chaosRun is one run of the command.
type chaosRun struct {
	options
	lanes   []*lane
	mu      sync.Mutex
	results []result
	cases   int
	began   time.Time
}

func run(ctx context.Context, o options) error {
	var err error
	for _, dir := range []*string{&o.bins, &o.temporal} { // servers run in directories of their own
		if *dir == "" {
			continue
		}
		if *dir, err = filepath.Abs(*dir); err != nil {
			return err
		}
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "landbridge-chaos-*"); err != nil {
			return err
		}
		defer os.RemoveAll(o.dir)
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	r := &chaosRun{options: o, began: time.Now()}
	defer r.down()
	if err := r.up(ctx); err != nil {
		return err
	}
	known, err := r.calibrate(ctx)
	if err != nil {
		return fmt.Errorf("without any chaos: %w", err)
	}
	cases := r.choose(known)
	if o.list {
		for _, c := range cases {
			fmt.Printf("%-32s %s\n", c.Family, c.Name)
		}
		return nil
	}
	r.say("seed %d: %d cases on %d lanes", o.seed, len(cases), len(r.lanes))
	r.cases = len(cases)
	r.all(ctx, cases)
	return r.conclude()
}

func (r *chaosRun) say(format string, args ...any) {
	fmt.Printf("%6s  %s\n", time.Since(r.began).Round(time.Second), fmt.Sprintf(format, args...))
}

// up brings the lanes up.
func (r *chaosRun) up(ctx context.Context) error {
	for i := range r.options.lanes {
		ln, err := newLane(ctx, filepath.Join(r.dir, fmt.Sprintf("lane%d", i)), r.bins, 2, r.say)
		if ln != nil {
			r.lanes = append(r.lanes, ln)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *chaosRun) down() {
	var wg sync.WaitGroup
	for _, ln := range r.lanes {
		wg.Go(ln.down)
	}
	wg.Wait()
}

// known is what an undisturbed rollout and cleanup do.
type known struct {
	rollout, cleanup, undo []string // activities
	asked, askedCleaning   sets.Set[pair]
}

// choose makes the table's cases, and draws a sample where one is asked for.
func (r *chaosRun) choose(k known) []chaos {
	random := randomOf(r.seed)
	cases := workerKills(k.rollout, k.cleanup, random)
	cases = append(cases, undoKills(k.undo, random)...)
	cases = append(cases, standaloneKills(r.kills/2, random)...)
	cases = append(cases, refusals(k.asked, k.askedCleaning, r.ways, random)...)
	cases = append(cases, absences()...)
	cases = append(cases, conditions()...)
	cases = append(cases, together()...)
	if r.temporal != "" {
		cases = append(cases, postgresKills(r.kills/2, r.temporal, random)...)
	}
	if r.only != "" {
		cases = slices.DeleteFunc(cases, func(c chaos) bool { return !strings.Contains(c.Name, r.only) && !strings.Contains(c.Family, r.only) })
	}
	// In the order of chance, so that a run that is cut off was one of everything.
	random.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	if r.sample > 0 && r.sample < len(cases) {
		cases = oneOfEach(cases)[:r.sample]
	}
	return cases
}

// oneOfEach has one of every family first, then a second one, and so on.
func oneOfEach(cases []chaos) []chaos {
	turn, count := map[string]int{}, map[string]int{}
	for _, c := range cases {
		turn[c.Name] = count[c.Family]
		count[c.Family]++
	}
	slices.SortStableFunc(cases, func(a, b chaos) int { return turn[a.Name] - turn[b.Name] })
	return cases
}

// all runs the cases on the lanes.
func (r *chaosRun) all(ctx context.Context, cases []chaos) {
	var wg sync.WaitGroup
	next := make(chan int)
	for _, ln := range r.lanes {
		wg.Go(func() {
			for i := range next {
				x := cases[i].run(ctx, ln, r.dir, i+1)
				if ctx.Err() != nil {
					return // cut off, not ended
				}
				r.done(x, len(cases))
				if !x.OK {
					if ln = r.mended(ctx, ln, filepath.Join(r.dir, fmt.Sprintf("case-%d", i+1), "fleet.yaml")); ln == nil {
						return
					}
				}
			}
		})
	}
	go func() {
		defer close(next)
		for i := range cases {
			if r.forTime > 0 && time.Since(r.began) > r.forTime {
				return
			}
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	wg.Wait()
}

// mended gives the next case a clean lane after one that went wrong: this one
// cleaned, or where that does not help a new one.
func (r *chaosRun) mended(ctx context.Context, ln *lane, file string) *lane {
	ln.startWorker(nil, filepath.Dir(file))
	_, _, _ = ln.landbridge(ctx, "cleanup", "-f", file, "--take-over")
	ln.worker.stop()
	ln.worker = nil
	if len(ln.left(ctx)) == 0 {
		return ln
	}
	ln.down()
	fresh, err := newLane(ctx, fmt.Sprintf("%s-again%d", ln.dir, len(r.results)), r.bins, len(ln.clusters), r.say)
	if err != nil {
		r.say("a lane is lost: %v", err)
		if fresh != nil {
			fresh.down()
		}
		return nil
	}
	fresh.healthy = ln.healthy
	r.mu.Lock()
	r.lanes = append(r.lanes, fresh)
	r.mu.Unlock()
	return fresh
}

// commit is what the binaries were built from, for the report.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
