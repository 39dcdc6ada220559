package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

// CheckFleet makes step 1 alone, the preflight of a rollout, and changes nothing. Without a
// fleet file it checks the fleet that was rolled out last. What stands in the way is no error:
// the result tells of it, cluster by cluster.
func CheckFleet(ctx workflow.Context, in api.FleetInput) (api.PreflightResult, error) {
	if in.OnlyClusters {
		return api.PreflightResult{Fleet: in.Fleet.Metadata.Name, At: workflow.Now(ctx), Problems: []api.Failure{}, Resolved: &in.Fleet}, nil
	}
	if in.FromInventories {
		known, _, err := appliedLast(ctx, in)
		if err != nil {
			return api.PreflightResult{}, err
		}
		in = known
	}
	in.DryRun = true
	r, err := newRollout(ctx, in)
	if err != nil {
		return api.PreflightResult{}, err
	}
	r.phase(ctx, "preflight")
	err = r.preflight(ctx)
	if ctx.Err() != nil {
		return api.PreflightResult{}, ctx.Err()
	}
	if err != nil && len(r.Failures) == 0 {
		return api.PreflightResult{}, err // it tells of no problem, but that the check could not be made
	}
	out := r.checked(ctx)
	phase := string(api.Done)
	if !out.Ready {
		phase = string(api.Failed)
	}
	setPhase(ctx, phase)
	return out, nil
}

// checked sums up what the preflight found.
func (r *rollout) checked(ctx workflow.Context) api.PreflightResult {
	out := api.PreflightResult{Fleet: r.in.Fleet.Metadata.Name, At: workflow.Now(ctx), Problems: []api.Failure{}}
	told := map[api.Unit][]string{}
	for _, c := range r.in.Fleet.Spec.Clusters {
		u := r.member(c.Name)
		one := api.CheckedCluster{Name: c.Name, Version: u.check.Version, Checks: u.check.Checks}
		told[u.Unit] = u.check.Problems
		out.Clusters = append(out.Clusters, one)
	}
	for _, f := range slices.Concat(r.silent(), r.Failures) {
		if !slices.Contains(told[f.Unit], f.Message) {
			told[f.Unit] = append(told[f.Unit], f.Message)
			out.Problems = append(out.Problems, f)
		}
	}
	out.Ready = len(r.Failures) == 0 && len(out.Problems) == 0
	return out
}
