package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rolloutWaves rolls out wave after wave. A wave is its clusters, and then the
// links whose clusters are done by then; so it ends with its proof. Where waves
// are approved, each waits for it; else one that fails stops those after it.
func (r *rollout) rolloutWaves(ctx workflow.Context) error {
	approval := r.in.Fleet.Spec.Rollout.Approval == fleet.ApprovalWaves && !r.in.DryRun
	for n, wave := range r.waves {
		if n > 0 && approval {
			if err := r.hold(ctx, wave.Name); err != nil {
				return err
			}
		}
		if n > 0 && !approval && !r.in.DryRun && len(r.failedUnits()) > 0 {
			r.stop(ctx, n)
			return nil
		}
		r.status.wave(n, api.Running)
		r.wave(ctx, wave, n == len(r.waves)-1)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.takeUp(ctx)
		r.status.wave(n, r.waveState(wave))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// wave is steps 3 to 8 on each of its clusters, and steps 8 to 11 for the links
// that are possible then.
func (r *rollout) wave(ctx workflow.Context, wave fleet.Wave, last bool) {
	r.status.phase(ctx, "clusters")
	var clusters []int
	for i, c := range r.in.Fleet.Spec.Clusters {
		if slices.Contains(wave.Clusters, c.Name) {
			clusters = append(clusters, i)
		}
	}
	r.rolloutClusters(ctx, clusters)
	if last && len(r.again) == 0 {
		r.rootUnused(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	r.status.phase(ctx, "links")
	r.rolloutLinks(ctx)
}

// takeUp works on what somebody wants to be tried again.
func (r *rollout) takeUp(ctx workflow.Context) {
	for len(r.again) > 0 && ctx.Err() == nil {
		var clusters []int
		for _, unit := range r.again {
			if i := r.clusterOf(unit); i >= 0 {
				clusters = append(clusters, i)
			}
			delete(r.linkFailures, unit)
			delete(r.begun, unit)
		}
		r.again = nil
		if len(clusters) > 0 {
			r.status.phase(ctx, "clusters")
			r.rolloutClusters(ctx, clusters)
		}
		r.status.phase(ctx, "links")
		r.rolloutLinks(ctx)
	}
}

// hold waits for the approval of a wave. What failed before can be tried again,
// or left out, meanwhile.
func (r *rollout) hold(ctx workflow.Context, wave string) error {
	r.status.WaitsFor = wave
	r.status.phase(ctx, api.PhaseApproval)
	for {
		if err := workflow.Await(ctx, func() bool { return r.status.WaitsFor == "" || len(r.again) > 0 }); err != nil {
			return err
		}
		if len(r.again) == 0 {
			return nil
		}
		r.takeUp(ctx)
		if r.status.WaitsFor != "" {
			r.status.phase(ctx, api.PhaseApproval)
		}
	}
}

// stop leaves out the waves from n on.
func (r *rollout) stop(ctx workflow.Context, n int) {
	for ; n < len(r.waves); n++ {
		r.status.wave(n, api.Skipped)
		for i, c := range r.in.Fleet.Spec.Clusters {
			if slices.Contains(r.waves[n].Clusters, c.Name) && !r.skipped[clusterUnit(c.Name)] {
				r.status.cluster(ctx, i, api.Skipped, nil)
				r.stopped = append(r.stopped, api.Failure{Unit: clusterUnit(c.Name), Type: api.Skipped,
					Message: fmt.Sprintf("left out, since a wave before %s failed", r.waves[n].Name)})
			}
		}
	}
}

// waveState is done, or failed where one of its clusters or of their links is.
func (r *rollout) waveState(wave fleet.Wave) string {
	failed := r.failedUnits()
	for _, c := range wave.Clusters {
		if slices.Contains(failed, clusterUnit(c)) {
			return api.Failed
		}
		for _, l := range r.in.Fleet.Links() {
			if (l.From == c || l.To == c) && slices.Contains(failed, linkUnit(l)) {
				return api.Failed
			}
		}
	}
	return api.Done
}
