package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// beginPhase has the member remember that it is brought to a phase of a change of the root, where
// its intermediate is renewed for one. With the first phase the member accepts the next root, if
// its own vouches for it. What it remembered before comes back with an undo, after its cacerts.
func (u *unitRun) beginPhase(ctx workflow.Context, in api.RotateClusterInput) error {
	if in.Phase == nil {
		return nil
	}
	u.compensations = append(u.compensations, stepInventory.undoneBy(in.ClusterRef.Cluster, func(ctx workflow.Context, u *unitRun) error {
		return u.remember(ctx, in, in.Phase.Before, undoCall(u.limits), "forget the phase")
	}))
	return u.remember(ctx, in, in.Phase.Begun, apiCall(u.limits), "remember the phase")
}

// endPhase has the member remember that the phase has ended. Its new cacerts is proven by then, so
// that nothing is undone any more, whether it remembers or not: the next run sees a phase that was
// begun, and does it once more.
func (u *unitRun) endPhase(ctx workflow.Context, in api.RotateClusterInput) error {
	if in.Phase == nil {
		return nil
	}
	return u.remember(ctx, in, in.Phase.Done, apiCall(u.limits), "remember the end of the phase")
}

func (u *unitRun) remember(ctx workflow.Context, in api.RotateClusterInput, root fleet.KnownRoot, policy workflow.ActivityOptions, step string) error {
	_, err := call(ctx, u, task[api.RememberRootInput, fleet.Changes]{step, policy, a.RememberRoot},
		api.RememberRootInput{ClusterRef: in.ClusterRef, Root: stamped(ctx, root, in.Phase), NextRoot: in.Phase.NextRoot, Place: in.Phase.Place})
	return err
}

// stamped adds when a phase has come so far. What comes back with an undo keeps since when it is
// so; but workloads may have got certificates of the next root meanwhile.
func stamped(ctx workflow.Context, root fleet.KnownRoot, p *api.MemberPhase) fleet.KnownRoot {
	now := workflow.Now(ctx).UTC()
	if root.Next.Fingerprint == "" {
		if root.Fingerprint != p.Before.Fingerprint {
			root.Changed = now
		}
		return root
	}
	if root.Next.Since.IsZero() {
		root.Next.Since = now
	}
	if p.Signs {
		root.Next.Signed = now
	}
	return root
}

// restartIstiod restarts the member's istiods where the roots that are trusted change: one that
// runs takes no others.
func (u *unitRun) restartIstiod(ctx workflow.Context, in api.RotateClusterInput, policy workflow.ActivityOptions, mark string) error {
	if in.Phase == nil || !in.Phase.Restart {
		return nil
	}
	_, err := call(ctx, u, task[api.RestartIstiodInput, api.RestartIstiodResult]{"restart istiod", policy, a.RestartIstiod},
		api.RestartIstiodInput{ClusterRef: in.ClusterRef, Mark: workflow.GetInfo(ctx).WorkflowExecution.RunID + "." + mark})
	return err
}
