package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// While a mesh of the guide's becomes the fleet's, or is given back, its egress gateways have
// the identity that the guide gives them at one moment and Landbridge's at the next. Their
// targets let both in meanwhile.

const (
	stepShutGuideOut = "8 shut the guide's gateways out"
	stepLetGuideIn   = "8 let the guide's gateways in"
)

// shutGuideOut ends that for each adopted member that no source needs it for any more: every
// link to it is done. A member that cannot be shut has failed, and the next rollout tries again.
func (r *rollout) shutGuideOut(ctx workflow.Context) {
	if !r.in.Fleet.Spec.Adopt || r.in.DryRun {
		return
	}
	waits := map[string]bool{}
	for _, l := range r.in.Fleet.Links() {
		waits[l.To] = waits[l.To] || r.get(api.LinkOf(l)).State != api.Done
	}
	members := r.each(func(u *unit) bool {
		name, member := u.Unit.Member()
		return member && u.State == api.Done && !waits[name] && !u.guideShutOut
	})
	inParallel(ctx, len(members), r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		u := members[i]
		name, _ := u.Unit.Member()
		_, err := fleetCall(ctx, apiCall(limitsOf(r.in.Fleet)), stepShutGuideOut, a.ShutGuideOut, api.RemoveInput{ClusterRef: r.ref(name)})
		if u.guideShutOut = err == nil; err != nil {
			u.fail(failureOf(u.Unit, err))
		}
	})
}

// letGuideIn opens the adopted clusters among those that go for the gateways that their sources
// get back.
func (c *cleanup) letGuideIn(ctx workflow.Context, goes []fleet.Cluster) {
	if !c.in.Fleet.Spec.Adopt || c.in.DryRun {
		return
	}
	inParallel(ctx, len(goes), c.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		in := exposureOf(c.in.Ref(goes[i], c.run), c.in.Fleet)
		if len(in.Guide) == 0 {
			return
		}
		if _, err := fleetCall(ctx, apiCall(limitsOf(c.in.Fleet)), stepLetGuideIn, a.LetGuideIn, in); err != nil {
			workflow.GetLogger(ctx).Warn("the guide's gateways get in only when the exposure is given back", "cluster", goes[i].Name, "error", err)
		}
	})
}
