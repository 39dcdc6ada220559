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

	"github.com/landbridge/landbridge/test/lab"
)

// options holds the flags of the command.
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
	lives, acts int
	nodes       string
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
	f.Uint64Var(&o.seed, "seed", uint64(time.Now().Unix()), "seed of all that is random")
	f.IntVar(&o.lanes, "lanes", 3, "number of cases that run at once, each with a lab of its own")
	f.IntVar(&o.sample, "sample", 0, "run only this number of cases, drawn by the seed (0: all)")
	f.StringVar(&o.only, "only", "", "run only the cases whose names contain this text")
	f.BoolVar(&o.list, "list", false, "list the cases and run none")
	f.StringVar(&o.bins, "bin", "bin", "directory of the built commands")
	f.StringVar(&o.dir, "dir", "", "directory for labs and logs, which is kept (default: a temporary one)")
	f.StringVar(&o.report, "report", "", "also write the table to this file, in Markdown")
	f.IntVar(&o.ways, "ways", 1, "in how many of 6 ways each verb on each kind fails in a cleanup; in a rollout it is twice as many")
	f.IntVar(&o.kills, "server-kills", 20, "number of moments at which the server is killed")
	f.DurationVar(&o.forTime, "for", 0, "begin no case after this time; the order is drawn by the seed, so that some of every family have run (0: no limit)")
	f.IntVar(&o.lives, "lives", 6, "number of lives: random sequences of what people ordinarily do with a fleet")
	f.IntVar(&o.acts, "acts", 25, "number of acts of each life")
	f.StringVar(&o.nodes, "nodes", lab.NodesKWOK, "nodes of the labs: kwok, or real (Linux, root) for lives only, whose links are proven after each act")
	f.StringVar(&o.temporal, "temporal-bin", "", "directory of temporal-server and temporal-sql-tool; adds the cases that kill Temporal on PostgreSQL")
	return cmd
}

// chaosRun holds one run of the command.
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
	if err := o.checkNodes(); err != nil {
		return err
	}
	if err := r.up(ctx); err != nil {
		return err
	}
	cases := lives(o.seed, o.lives, o.acts)
	if o.nodes == lab.NodesKWOK {
		known, err := r.calibrate(ctx)
		if err != nil {
			return fmt.Errorf("the undisturbed run: %w", err)
		}
		cases = r.choose(known)
	}
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

// checkNodes refuses nodes that no lab or this machine cannot have.
func (o options) checkNodes() error {
	switch o.nodes {
	case lab.NodesKWOK:
		return nil
	case lab.NodesReal:
		return lab.CheckReal()
	}
	return fmt.Errorf("--nodes: want %s or %s, got %q", lab.NodesKWOK, lab.NodesReal, o.nodes)
}

func (r *chaosRun) say(format string, args ...any) {
	fmt.Printf("%6s  %s\n", time.Since(r.began).Round(time.Second), fmt.Sprintf(format, args...))
}

// clustersOfALane is how many clusters each lane has. Most cases have a fleet of two.
const clustersOfALane = 3

// up starts the lanes.
func (r *chaosRun) up(ctx context.Context) error {
	for i := range r.options.lanes {
		ln, err := newLane(ctx, filepath.Join(r.dir, fmt.Sprintf("lane%d", i)), r.bins, r.nodes, r.say)
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

// known lists the activities and requests of an undisturbed rollout and cleanup.
type known struct {
	rollout, cleanup, undo []string // activities
	asked, askedCleaning   sets.Set[pair]
}

// choose returns the cases, or a sample of them where the flags want one.
func (r *chaosRun) choose(k known) []chaos {
	random := randomOf(r.seed)
	cases := workerKills(k.rollout, k.cleanup, random)
	cases = append(cases, undoKills(k.undo, random)...)
	cases = append(cases, standaloneKills(r.kills/2, random)...)
	cases = append(cases, refusals(k.asked, k.askedCleaning, r.ways, random)...)
	cases = append(cases, unreachable()...)
	cases = append(cases, conditions()...)
	cases = append(cases, together()...)
	cases = append(cases, lives(r.seed, r.lives, r.acts)...)
	if r.temporal != "" {
		cases = append(cases, postgresKills(r.kills/2, r.temporal, random)...)
	}
	if r.only != "" {
		cases = slices.DeleteFunc(cases, func(c chaos) bool { return !strings.Contains(c.Name, r.only) && !strings.Contains(c.Family, r.only) })
	}
	// In random order, so that a run that ends early has some of every family.
	random.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
	if r.sample > 0 && r.sample < len(cases) {
		cases = oneOfEach(cases)[:r.sample]
	}
	return cases
}

// oneOfEach orders cases: one of every family first, then a second one, and so on.
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
					return // the run ended before the case did
				}
				r.done(x, len(cases))
				if !x.OK {
					if ln = r.renewed(ctx, ln, filepath.Join(r.dir, fmt.Sprintf("case-%d", i+1), "fleet.yaml")); ln == nil {
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

// renewed returns a clean lane for the next case after one that went wrong: the same one
// after a cleanup or, where that does not help, a new one.
func (r *chaosRun) renewed(ctx context.Context, ln *lane, file string) *lane {
	ln.startWorker(nil, filepath.Dir(file))
	_, _, _ = ln.landbridge(ctx, "cleanup", "-f", file, "--take-over")
	ln.worker.stop()
	ln.worker = nil
	if len(ln.left(ctx)) == 0 {
		return ln
	}
	ln.down()
	fresh, err := newLane(ctx, fmt.Sprintf("%s-again%d", ln.dir, len(r.results)), r.bins, r.nodes, r.say)
	if err != nil {
		r.say("a lane cannot be replaced: %v", err)
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

// commit returns the commit of the working tree, for the report.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
