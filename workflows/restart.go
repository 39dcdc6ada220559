package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RestartFleet restarts the istiods of one member, and proves the links of which it is the
// source: an istiod that stopped reading remote secrets, or forgot what a target has, comes back
// with all of it. An error of TypePartly names the links that are not proven after it.
func RestartFleet(ctx workflow.Context, in api.FleetInput) (api.RestartResult, error) {
	return telling(ctx, in, restartNoun, restartFleet)
}

func restartFleet(ctx workflow.Context, in api.FleetInput) (api.RestartResult, error) {
	out := api.RestartResult{Fleet: in.Fleet.Metadata.Name, Cluster: in.Restart, Restarted: []string{}, Links: []api.CheckLinkResult{}}
	u := &units{by: map[api.Unit]*unit{}}
	member := u.add(api.Member(in.Restart))
	b, err := newFleetBoard(ctx, in, u)
	if err != nil {
		return out, err
	}
	c, known := in.Fleet.Cluster(in.Restart)
	if !known {
		return out, b.fail(api.TypePreflight, "nothing was restarted",
			[]api.Failure{{Unit: member.Unit, Type: api.TypeInvalid, Message: "the fleet " + out.Fleet + " has no such cluster"}})
	}
	b.phase(ctx, "istiod")
	member.move(api.Running)
	b.show(ctx)
	run := workflow.GetInfo(ctx).WorkflowExecution.RunID
	did, err := fleetCall(ctx, patientCall(limitsOf(in.Fleet)), "restart istiod", a.RestartIstiod, api.RestartIstiodInput{ClusterRef: in.Ref(c, run), Mark: run})
	out.Restarted = append(out.Restarted, did.Restarted...)
	releaseAll(ctx, in, []fleet.Cluster{c}, run)
	member.end(err)
	if err == nil {
		b.phase(ctx, "links")
		out.Links = proveSource(ctx, in, c, run, u)
	}
	if err = ctx.Err(); err == nil && len(u.failures()) > 0 {
		typ, what := api.TypePartly, "istiod is restarted, but not every link is proven"
		if member.State != api.Done {
			typ, what = api.TypeFailed, "not every istiod was restarted"
		}
		err = b.fail(typ, what, u.failures())
	}
	b.phase(ctx, endPhase(ctx, err))
	return out, err
}

// proveSource proves the links of a source, as patiently as a rollout does. Each becomes a unit.
func proveSource(ctx workflow.Context, in api.FleetInput, source fleet.Cluster, run string, u *units) []api.CheckLinkResult {
	if in.Fleet.Spec.Rollout.SkipProof {
		return []api.CheckLinkResult{}
	}
	links := slices.DeleteFunc(in.Fleet.Links(), func(l fleet.Link) bool { return l.From != source.Name })
	for _, l := range links {
		u.add(api.LinkOf(l)).move(api.Running)
	}
	proof := toVerify(in.Fleet, in.Ref(source, run), links)
	proof.Patience = in.Fleet.Spec.Rollout.ProofTimeout.Std()
	found := verifyLinks(ctx, proof)
	for i, l := range links {
		if unit := u.get(api.LinkOf(l)); found[i].Proven {
			unit.move(api.Done)
		} else {
			unit.fail(api.Failure{Unit: unit.Unit, Step: stepProof.name, Type: api.TypeUnproven, Message: found[i].Sentence()})
		}
	}
	return found
}
