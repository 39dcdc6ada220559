package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
)

// together returns the cases of what people do at once, or in the Temporal UI.
func together() []chaos {
	const f = "people"
	return []chaos{
		{Family: f, Name: "two rollouts at once", act: twoRollouts},
		{Family: f, Name: "rollout and cleanup at once", act: rolloutAndCleanup, differs: true},
		{Family: f, Name: "cleanup twice at once", act: twoCleanups, differs: true},
		{Family: f, Name: "rollout canceled in the UI early", act: stopped(anyWrite, cancelRun), mayFail: true},
		{Family: f, Name: "rollout canceled in the UI late", act: stopped(linksBegin, cancelRun), mayFail: true},
		{Family: f, Name: "rollout terminated in the UI early", act: stopped(anyWrite, terminateRun), mayFail: true},
		{Family: f, Name: "rollout terminated in the UI late", act: stopped(linksBegin, terminateRun), mayFail: true},
		{Family: f, Name: "rollout reset in the UI early", act: resetRollout(anyWrite)},
		{Family: f, Name: "rollout reset in the UI late", act: resetRollout(linksBegin)},
		{Family: f, Name: "cleanup canceled in the UI", cleanup: whileHeld(anyWrite, cancelRun), mayLeave: true},
		{Family: f, Name: "cleanup terminated in the UI", cleanup: whileHeld(anyWrite, terminateRun), mayLeave: true},
		{Family: f, Name: "cleanup reset in the UI", cleanup: whileHeld(anyWrite, resetRun), mayLeave: true},
		{Family: f, Name: "fleet file changed while it is rolled out", act: changedFile, differs: true},
	}
}

// answer tells how a command that ran beside another ended.
type answer struct {
	out  string
	code int
	err  error
}

// both runs two commands, the second a little later.
func both(ctx context.Context, s *scene, after time.Duration, first, second []string) (a, b answer) {
	var wg sync.WaitGroup
	run := func(into *answer, wait time.Duration, args []string) {
		defer wg.Done()
		time.Sleep(wait)
		into.out, into.code, into.err = s.limited(ctx, args...)
	}
	wg.Add(2)
	go run(&a, 0, first)
	go run(&b, after, second)
	wg.Wait()
	s.faults++
	s.rolled.out, s.rolled.code = a.out, a.code
	return a, b
}

// twoRollouts starts two rollouts of the same file: the second joins the first.
func twoRollouts(ctx context.Context, s *scene) error {
	args := []string{"rollout", "-f", s.file}
	a, b := both(ctx, s, 500*time.Millisecond, args, args)
	if a.err != nil || b.err != nil || a.code != 0 || b.code != 0 {
		return fmt.Errorf("two rollouts of the same file: %+v %+v", a, b)
	}
	return nil
}

// rolloutAndCleanup starts a cleanup during a rollout: it stops the rollout, or is
// refused, and both end.
func rolloutAndCleanup(ctx context.Context, s *scene) error {
	a, b := both(ctx, s, 2*time.Second, []string{"rollout", "-f", s.file}, []string{"cleanup", "-f", s.file})
	for _, x := range []answer{a, b} {
		if x.err != nil {
			return x.err
		}
		if x.code != 0 && strings.TrimSpace(x.out) == "" {
			return fmt.Errorf("exit code %d without a reason", x.code)
		}
	}
	return nil
}

// twoCleanups starts two cleanups: both succeed, since the second joins the first.
func twoCleanups(ctx context.Context, s *scene) error {
	if err := s.roll(ctx); err != nil {
		return err
	}
	args := []string{"cleanup", "-f", s.file}
	a, b := both(ctx, s, time.Second, args, args)
	if a.err != nil || b.err != nil || a.code != 0 || b.code != 0 {
		return fmt.Errorf("two cleanups: %+v %+v", a, b)
	}
	return nil
}

// changedFile changes the fleet file during a rollout: a second rollout is refused, and
// works when the first has ended.
func changedFile(ctx context.Context, s *scene) error {
	changed := s.file + ".changed.yaml"
	data, err := os.ReadFile(s.file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(changed, []byte(strings.Replace(string(data), "{keyAlgorithm: ECDSA-P256}", "{keyAlgorithm: ECDSA-P256, intermediateLifetime: 4380h}", 1)), 0o600); err != nil {
		return err
	}
	var b answer
	end := whileHeld(anyWrite, func(ctx context.Context, s *scene) {
		b.out, b.code, b.err = s.limited(ctx, "rollout", "-f", changed)
		s.faults++
	})(ctx, s)
	err = s.roll(ctx)
	end()
	if err != nil || b.err != nil {
		return fmt.Errorf("the first rollout: %w, %+v", err, b)
	}
	if b.code == 0 {
		return fmt.Errorf("another request for a fleet that is being rolled out was not refused:\n%s", b.out)
	}
	out, code, err := s.limited(ctx, "rollout", "-f", changed)
	if err != nil || code != 0 {
		return fmt.Errorf("a rollout of the changed file, after the first: %v, exit code %d\n%s", err, code, out)
	}
	return nil
}

// stopped rolls out, and stops the rollout as somebody in the UI would, while it writes
// the first object of a kind.
func stopped(at string, how func(context.Context, *scene)) func(context.Context, *scene) error {
	return func(ctx context.Context, s *scene) (err error) {
		end := whileHeld(at, how)(ctx, s)
		s.rolled.out, s.rolled.code, err = s.limited(ctx, "rollout", "-f", s.file)
		end()
		if err == nil && s.rolled.code == 0 {
			err = fmt.Errorf("nothing was stopped: %d of 1 acts were carried out", s.faults)
		}
		return err
	}
}

func cancelRun(ctx context.Context, s *scene) {
	s.inUI(func(c client.Client) error { return c.CancelWorkflow(ctx, "landbridge."+s.fleetName, "") })
}

func terminateRun(ctx context.Context, s *scene) {
	s.inUI(func(c client.Client) error {
		return c.TerminateWorkflow(ctx, "landbridge."+s.fleetName, "", "chaos")
	})
}

// inUI does what a person can do in the Temporal UI.
func (s *scene) inUI(do func(client.Client) error) {
	c, err := s.temporal()
	if err != nil {
		return
	}
	defer c.Close()
	if do(c) == nil {
		s.faults++
	}
}
