package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// steer has a rollout take updates.
func (r *rollout) steer(ctx workflow.Context) error {
	for _, u := range []struct {
		name     string
		validate func(workflow.Context, api.DecisionInput) error
		do       func(workflow.Context, api.DecisionInput) string
	}{
		{api.UpdateApprove, r.mayApprove, r.approve},
		{api.UpdatePause, r.mayPause, r.pause},
		{api.UpdateResume, r.mayResume, r.resume},
		{api.UpdateRetry, r.mayRetry, r.retry},
		{api.UpdateSkip, r.maySkip, r.skip},
	} {
		err := workflow.SetUpdateHandlerWithOptions(ctx, u.name, func(ctx workflow.Context, in api.DecisionInput) (string, error) {
			return u.do(ctx, in), nil
		}, workflow.UpdateHandlerOptions{Description: u.name + " a rollout", Validator: func(ctx workflow.Context, in api.DecisionInput) error {
			if in.By == "" {
				return fmt.Errorf("say who decides (by)")
			}
			if r.over {
				return fmt.Errorf("the rollout is about to end: there is nothing to %s any more", u.name)
			}
			return u.validate(ctx, in)
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// decided puts a decision on record: it is in the history as an update, in the
// status, and in the report.
func (r *rollout) decided(ctx workflow.Context, what, unit string, in api.DecisionInput) {
	r.status.Decisions = append(r.status.Decisions, api.Decision{What: what, At: workflow.Now(ctx), Unit: unit, By: in.By, Reason: in.Reason})
	r.status.show(ctx)
}

func (r *rollout) mayApprove(workflow.Context, api.DecisionInput) error {
	if r.status.WaitsFor == "" {
		return fmt.Errorf("no wave waits for an approval")
	}
	return nil
}

func (r *rollout) approve(ctx workflow.Context, in api.DecisionInput) string {
	wave := r.status.WaitsFor
	r.status.WaitsFor = ""
	r.decided(ctx, api.UpdateApprove, "wave "+wave, in)
	return fmt.Sprintf("wave %s begins", wave)
}

func (r *rollout) mayPause(workflow.Context, api.DecisionInput) error {
	if r.gate.paused {
		return fmt.Errorf("it is paused already")
	}
	return nil
}

func (r *rollout) pause(ctx workflow.Context, in api.DecisionInput) string {
	r.status.Paused = true
	r.gate.set(ctx, true)
	r.decided(ctx, api.UpdatePause, "", in)
	return "paused: steps that run are let end, and no other begins"
}

func (r *rollout) mayResume(workflow.Context, api.DecisionInput) error {
	if !r.gate.paused {
		return fmt.Errorf("it is not paused")
	}
	return nil
}

func (r *rollout) resume(ctx workflow.Context, in api.DecisionInput) string {
	r.status.Paused = false
	r.gate.set(ctx, false)
	r.decided(ctx, api.UpdateResume, "", in)
	return "it goes on"
}

// failedUnits are the clusters and links that failed so far and can be taken up again.
func (r *rollout) failedUnits() (units []string) {
	for i, c := range r.in.Fleet.Spec.Clusters {
		if r.status.Clusters[i].State == api.Failed {
			units = append(units, clusterUnit(c.Name))
		}
	}
	for _, l := range r.in.Fleet.Links() {
		if _, failed := r.linkFailures[linkUnit(l)]; failed {
			units = append(units, linkUnit(l))
		}
	}
	return units
}

func (r *rollout) mayRetry(_ workflow.Context, in api.DecisionInput) error {
	failed := r.failedUnits()
	switch {
	case slices.Contains(r.again, in.Unit):
		return fmt.Errorf("%s is to be taken up again already", in.Unit)
	case !slices.Contains(failed, in.Unit):
		return fmt.Errorf("%s did not fail; failed so far: %s", in.Unit, orNothing(failed))
	}
	return nil
}

func (r *rollout) retry(ctx workflow.Context, in api.DecisionInput) string {
	r.decided(ctx, api.UpdateRetry, in.Unit, in)
	// While clusters are worked on, one more is just that.
	if i := r.clusterOf(in.Unit); i >= 0 && r.working != nil {
		r.status.cluster(ctx, i, api.Pending, nil)
		r.working.queue = append(r.working.queue, i)
		return in.Unit + " is taken up again"
	}
	r.again = append(r.again, in.Unit)
	if r.status.WaitsFor == "" {
		return in.Unit + " is taken up again before this wave ends"
	}
	return in.Unit + " is taken up again"
}

func (r *rollout) maySkip(_ workflow.Context, in api.DecisionInput) error {
	if _, done := r.skipped[in.Unit]; done {
		return fmt.Errorf("%s is left out already", in.Unit)
	}
	if slices.Contains(r.failedUnits(), in.Unit) {
		return nil
	}
	if i := r.clusterOf(in.Unit); i >= 0 {
		if state := r.status.Clusters[i].State; state != api.Pending {
			return fmt.Errorf("%s is %s: only what has failed or not begun can be left out", in.Unit, state)
		}
		return nil
	}
	for _, l := range r.in.Fleet.Links() {
		if linkUnit(l) == in.Unit {
			if r.begun[in.Unit] {
				return fmt.Errorf("%s has begun: only what has failed or not begun can be left out", in.Unit)
			}
			return nil
		}
	}
	return fmt.Errorf("the fleet has no %s", in.Unit)
}

func (r *rollout) skip(ctx workflow.Context, in api.DecisionInput) string {
	r.skipped[in.Unit] = true
	r.again = slices.DeleteFunc(r.again, func(u string) bool { return u == in.Unit })
	delete(r.linkFailures, in.Unit)
	if i := r.clusterOf(in.Unit); i >= 0 {
		r.status.cluster(ctx, i, api.Skipped, nil)
	}
	r.decided(ctx, api.UpdateSkip, in.Unit, in)
	return in.Unit + " is left out of this rollout"
}

// clusterOf is the index of the cluster that a unit names, or -1.
func (r *rollout) clusterOf(unit string) int {
	return slices.IndexFunc(r.in.Fleet.Spec.Clusters, func(c fleet.Cluster) bool { return clusterUnit(c.Name) == unit })
}

func clusterUnit(name string) string { return "cluster " + name }
func linkUnit(l fleet.Link) string   { return "link " + l.String() }
func linksUnit(source string) string { return "links of " + source }

// orNothing lists units, or says that there are none.
func orNothing(units []string) string { return cmp.Or(strings.Join(units, ", "), "nothing") }
