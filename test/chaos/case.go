package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/landbridge/landbridge/test/lab"
)

// chaos describes one case: what goes wrong during a rollout and during the cleanup
// after it.
type chaos struct {
	Family, Name string
	// queue names the task queue, and so the worker. Default: that of the worker that can
	// be killed alone.
	queue string
	// kills names the kills that the worker carries out itself.
	kills []string
	// fleet replaces the part of the fleet file that has the time limits.
	fleet string
	// rollout and cleanup begin what goes wrong during either.
	rollout, cleanup disturbance
	// act takes the place of the plain rollout, where a case is about what people do.
	act func(ctx context.Context, s *scene) error
	// mayFail allows the rollout to end with an error that names cluster, step and reason.
	// mayLeave allows the first cleanup to do so.
	mayFail, mayLeave bool
	// differs says that the rollout need not make what an undisturbed one makes.
	differs bool
	// onPostgresBin names the directory of the server's binaries, for a case that runs on
	// Temporal with PostgreSQL.
	onPostgresBin string
}

// disturbance begins something in a goroutine of its own; the function that it
// returns ends it and waits.
type disturbance func(ctx context.Context, s *scene) (end func())

// scene holds a case that runs on a lane.
type scene struct {
	*lane
	chaos
	dir, file, fleetName string
	// kills and faults count how often something was killed or refused.
	killed []time.Time
	faults int
	rolled struct {
		code int
		out  string
	}
	cleaned struct {
		code int
		out  string
	}
}

// result holds a line of the table.
type result struct {
	Case            string
	Family          string
	OK              bool
	End             string // finished, typed stop, or what was wrong
	Kills, Faults   int
	Leftovers       int
	Took            time.Duration
	SlowestRecovery time.Duration
	Why             string
}

// caseLimit limits a rollout or a cleanup. One that takes longer counts as hanging.
const caseLimit = 6 * time.Minute

// run runs a case: the whole rollout, the whole cleanup, and the comparison of all
// objects with those before.
func (c chaos) run(ctx context.Context, ln *lane, work string, n int) (r result) {
	r = result{Case: c.Name, Family: c.Family}
	began := time.Now()
	s := &scene{lane: ln, chaos: c, fleetName: fmt.Sprintf("chaos-%d", n), dir: filepath.Join(work, fmt.Sprintf("case-%d", n))}
	defer func() { r.Took = time.Since(began) }()
	if err := s.prepare(ctx); err != nil {
		r.End, r.Why = "could not begin", err.Error()
		return r
	}
	defer s.calm()
	err := s.play(ctx, &r)
	if ln.worker != nil {
		ln.worker.stop()
		s.killed = append(s.killed, ln.worker.killed()...)
		ln.worker = nil
	}
	r.Kills, r.Faults = len(s.killed), s.faults
	for _, k := range s.killed {
		r.SlowestRecovery = max(r.SlowestRecovery, s.recovery(k))
	}
	if err != nil {
		r.End, r.Why = "WRONG", fmt.Sprintf("%v\n--- rollout (exit %d)\n%s--- cleanup (exit %d)\n%s--- worker\n%s\n", err, s.rolled.code, s.rolled.out, s.cleaned.code, s.cleaned.out, tail(filepath.Join(s.dir, "worker.log"), 15))
		return r
	}
	r.OK = true
	if r.End = "finished"; s.rolled.code != 0 || r.Leftovers > 0 {
		r.End = "typed stop"
	}
	if missing := s.notDone(); len(missing) > 0 {
		r.OK, r.End, r.Why = false, "WRONG", "never happened: "+strings.Join(missing, ", ")
	}
	return r
}

func (s *scene) prepare(ctx context.Context) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	for _, p := range s.proxies {
		p.forget()
	}
	if s.backend = nil; s.onPostgresBin != "" {
		if err := s.useBackend(ctx, s.onPostgresBin); err != nil {
			return err
		}
	}
	if err := s.temporalAnswers(ctx); err != nil { // the case before may have killed it just now
		return err
	}
	queue := s.queue
	if queue == "" {
		queue = queueWorkers
		s.startWorker(s.kills, s.dir)
	}
	s.file = filepath.Join(s.dir, "fleet.yaml")
	return s.fleetFile(s.file, s.fleetName, queue, s.chaos.fleet)
}

// calm ends what a disturbance has left behind.
func (s *scene) calm() {
	_ = s.behave(nil)
	for _, p := range s.proxies {
		p.set(nil)
	}
}

// play runs the rollout and the cleanup of a case, and checks what each leaves.
func (s *scene) play(ctx context.Context, r *result) error {
	if s.act != nil {
		if err := s.act(ctx, s); err != nil {
			return err
		}
	} else if err := s.roll(ctx); err != nil {
		return err
	}
	if s.rolled.code == 0 && !s.differs {
		if diff := s.unlike(ctx); len(diff) > 0 {
			return fmt.Errorf("the finished rollout differs from an undisturbed one:\n%s", strings.Join(diff, "\n"))
		}
	}
	if err := s.clean(ctx, s.chaos.cleanup); err != nil {
		return err
	}
	if s.cleaned.code != 0 {
		if !s.mayLeave {
			return fmt.Errorf("the cleanup failed, and nothing was in its way")
		}
		r.Leftovers++
		if err := typed(s.cleaned.out); err != nil {
			return err
		}
		if err := s.leftWhereItSays(ctx); err != nil {
			return err
		}
		s.calm()
		if err := s.clean(ctx, nil); err != nil {
			return err
		}
		if s.cleaned.code != 0 {
			return fmt.Errorf("the second cleanup failed, and nothing was in its way")
		}
	}
	if diff := s.left(ctx); len(diff) > 0 {
		return fmt.Errorf("something is left:\n%s", strings.Join(diff, "\n"))
	}
	return nil
}

// leftWhereItSays requires that a cleanup that failed names every cluster where
// something is left.
func (s *scene) leftWhereItSays(ctx context.Context) error {
	for _, c := range s.clusters {
		now, err := s.lab.Snapshot(ctx, c)
		if err != nil {
			return err
		}
		if diff := lab.Compare(s.before[c], now); len(diff) > 0 && !strings.Contains(s.cleaned.out, c) {
			return fmt.Errorf("the cleanup does not tell that something is left in %s:\n%s", c, strings.Join(diff, "\n"))
		}
	}
	return nil
}

// roll runs the rollout while something goes wrong.
func (s *scene) roll(ctx context.Context) (err error) {
	end := s.begin(ctx, s.chaos.rollout)
	s.rolled.out, s.rolled.code, err = s.limited(ctx, "rollout", "-f", s.file)
	end()
	switch {
	case err != nil:
		return fmt.Errorf("the rollout did not end: %w", err)
	case s.rolled.code == 0:
		return nil
	case !s.mayFail:
		return fmt.Errorf("the rollout failed, and should not")
	}
	return typed(s.rolled.out)
}

// clean runs the cleanup while something goes wrong.
func (s *scene) clean(ctx context.Context, d disturbance) (err error) {
	end := s.begin(ctx, d)
	s.cleaned.out, s.cleaned.code, err = s.limited(ctx, "cleanup", "-f", s.file)
	end()
	if err != nil {
		return fmt.Errorf("the cleanup did not end: %w", err)
	}
	return nil
}

func (s *scene) begin(ctx context.Context, d disturbance) func() {
	if d == nil {
		return func() {}
	}
	return d(ctx, s)
}

func (s *scene) limited(ctx context.Context, args ...string) (string, int, error) {
	ctx, cancel := context.WithTimeout(ctx, caseLimit)
	defer cancel()
	return s.landbridge(ctx, args...)
}

// named matches a failure that tells where and why: cluster or link, step, reason.
var named = regexp.MustCompile(`(?m)(cluster|link|links of) [a-z0-9-]+( -> [a-z0-9-]+)?(, step [^:]+)?: .{10,}`)

// typed returns an error where the output names no cluster, step and reason.
func typed(out string) error {
	if !named.MatchString(out) {
		return fmt.Errorf("the error names no cluster, step and reason:\n%s", out)
	}
	return nil
}

// recovery returns how long after a kill Landbridge sent the next request to an API
// server. It is zero where Landbridge sent none.
func (s *scene) recovery(killed time.Time) time.Duration {
	first := time.Time{}
	for _, p := range s.proxies {
		if t := p.firstAfter(killed); !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if first.IsZero() {
		return 0
	}
	return first.Sub(killed)
}

// notDone returns the kills that never happened.
func (s *scene) notDone() (missing []string) {
	for _, k := range s.kills {
		if _, err := os.Stat(filepath.Join(s.dir, strings.ReplaceAll(k, ":", "."))); err != nil {
			missing = append(missing, k)
		}
	}
	slices.Sort(missing)
	return missing
}
