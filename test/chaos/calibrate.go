package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"k8s.io/apimachinery/pkg/util/sets"
)

// calibrate runs a rollout and a cleanup without any chaos on each lane. Every finished
// rollout must make the same objects as these, and their activities and requests are
// those that cases kill and refuse.
func (r *chaosRun) calibrate(ctx context.Context) (k known, err error) {
	errs := make([]error, len(r.lanes))
	var wg sync.WaitGroup
	for i, ln := range r.lanes {
		wg.Go(func() {
			var seen known
			if seen, errs[i] = r.plain(ctx, ln, i == 0); i == 0 {
				k = seen
			}
		})
	}
	wg.Wait()
	for _, e := range errs {
		if e != nil {
			return k, e
		}
	}
	var rest []string
	for _, a := range activityNames() {
		if !slices.Contains(k.rollout, a) && !slices.Contains(k.cleanup, a) {
			rest = append(rest, a)
		}
	}
	r.say("cases kill %d activities of a rollout and %d of a cleanup, and refuse %d pairs of verb and kind of the one and %d of the other; activities of neither: %s",
		len(k.rollout), len(k.cleanup), len(k.asked), len(k.askedCleaning), strings.Join(rest, ", "))
	return k, nil
}

func (r *chaosRun) plain(ctx context.Context, ln *lane, undoToo bool) (k known, err error) {
	k.asked, k.askedCleaning = sets.New[pair](), sets.New[pair]()
	s := &scene{lane: ln, fleetName: "undisturbed", dir: filepath.Join(r.dir, "undisturbed-"+filepath.Base(ln.dir))}
	if err := s.prepare(ctx); err != nil {
		return k, err
	}
	defer ln.worker.stop()
	if err := s.roll(ctx); err != nil {
		return k, fmt.Errorf("%w\n%s", err, s.rolled.out)
	}
	for _, c := range ln.clusters {
		if ln.healthy[c], err = ln.names(ctx, c); err != nil {
			return k, err
		}
		k.asked = k.asked.Union(ln.proxies[c].forget())
	}
	if k.rollout, err = s.activities(ctx, nil); err != nil {
		return k, err
	}
	if err := s.clean(ctx, nil); err != nil || s.cleaned.code != 0 {
		return k, fmt.Errorf("the cleanup: %v\n%s", err, s.cleaned.out)
	}
	for _, c := range ln.clusters {
		k.askedCleaning = k.askedCleaning.Union(ln.proxies[c].forget())
	}
	if k.cleanup, err = s.activities(ctx, k.rollout); err != nil {
		return k, err
	}
	if diff := s.left(ctx); len(diff) > 0 {
		return k, fmt.Errorf("something is left:\n%s", strings.Join(diff, "\n"))
	}
	if !undoToo {
		return k, nil
	}
	u := undoKills([]string{"none"}, randomOf(1))[0]
	undo := &scene{lane: ln, chaos: u, fleetName: "undone", dir: s.dir, file: filepath.Join(s.dir, "undone.yaml")}
	if err := ln.fleetFile(undo.file, undo.fleetName, queueWorkers, u.fleet); err != nil {
		return k, err
	}
	if err := undo.roll(ctx); err != nil {
		return k, err
	}
	undo.calm()
	if k.undo, err = undo.activities(ctx, k.rollout); err != nil {
		return k, err
	}
	return k, undo.clean(ctx, nil)
}

// activities returns the names of the activities that this fleet's workflows ran, except
// some.
func (s *scene) activities(ctx context.Context, except []string) ([]string, error) {
	c, err := s.temporal()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	names := sets.New[string]()
	list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: fmt.Sprintf("LandbridgeFleet = %q", s.fleetName)})
	if err != nil {
		return nil, err
	}
	for _, e := range list.Executions {
		add(ctx, c, e.Execution.WorkflowId, e.Execution.RunId, names)
	}
	names.Delete(except...)
	return sets.List(names), nil
}

func add(ctx context.Context, c client.Client, id, run string, names sets.Set[string]) {
	history := c.GetWorkflowHistory(ctx, id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		e, err := history.Next()
		if err != nil {
			return
		}
		if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
			names.Insert(a.ActivityType.Name)
		}
	}
}
