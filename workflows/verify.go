package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// VerifyFleet proves every link of a fleet and changes nothing. Without a fleet file these
// are the links that were rolled out last. A link that is not proven is no error: the
// result names it, and tells why.
func VerifyFleet(ctx workflow.Context, in api.FleetInput) (api.VerifyResult, error) {
	if in.FromInventories {
		known, _, err := appliedLast(ctx, in)
		if err != nil {
			return api.VerifyResult{}, err
		}
		in = known
	}
	f := in.Fleet
	out := api.VerifyResult{Fleet: f.Metadata.Name, Proven: true, At: workflow.Now(ctx), Links: []api.CheckLinkResult{}}
	if wrong := checkFleet(ctx, in, workflow.GetInfo(ctx).WorkflowExecution.RunID); len(wrong) > 0 {
		return out, fail(api.TypePreflight, "the fleet cannot be verified", wrong)
	}
	var sources []api.VerifyLinksInput
	for _, links := range fleet.BySource(f.Links()) {
		c, _ := f.Cluster(links[0].From)
		sources = append(sources, toVerify(f, in.Ref(c, workflow.GetInfo(ctx).WorkflowExecution.RunID), links))
	}
	results := make([][]api.CheckLinkResult, len(sources))
	errs := make([]error, len(sources))
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	inParallel(ctx, len(sources), f.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		source := sources[i].Source.Cluster
		errs[i] = (&gate{}).runChild(ctx, child{api.LinksWorkflowID(parent, source), "verify the links of " + source,
			attributes(api.FleetKey.ValueSet(f.Metadata.Name), api.ClusterKey.ValueSet(source)), VerifyLinks}, sources[i], &results[i])
	})
	for i := range sources {
		if errs[i] != nil {
			return out, errs[i]
		}
		for _, r := range results[i] {
			out.Links = append(out.Links, r)
			out.Proven = out.Proven && r.Proven
		}
	}
	return out, ctx.Err()
}

// toVerify returns the input that has links of one source proven once.
func toVerify(f fleet.Fleet, source api.ClusterRef, links []fleet.Link) api.VerifyLinksInput {
	in := api.VerifyLinksInput{Source: source, MaxParallel: f.Spec.Rollout.MaxParallel}
	for _, l := range links {
		to, _ := f.Cluster(l.To)
		in.Targets, in.TargetIDs = append(in.Targets, l.To), append(in.TargetIDs, to.ClusterID)
	}
	return in
}

// VerifyLinks proves the links of one source. A link that could not be checked counts
// as not proven, for the reason in the error.
func VerifyLinks(ctx workflow.Context, in api.VerifyLinksInput) ([]api.CheckLinkResult, error) {
	out := verifyLinks(ctx, in)
	return out, ctx.Err()
}

// verifyLinks proves the links of one source, in their order.
func verifyLinks(ctx workflow.Context, in api.VerifyLinksInput) []api.CheckLinkResult {
	out := make([]api.CheckLinkResult, len(in.Targets))
	policy := verifyCall()
	if in.Patience > 0 {
		policy = proving(in.Patience)
	}
	inParallel(ctx, len(in.Targets), in.MaxParallel, func(ctx workflow.Context, i int) {
		link := fleet.Link{From: in.Source.Cluster, To: in.Targets[i]}
		id := ""
		if i < len(in.TargetIDs) {
			id = in.TargetIDs[i]
		}
		var err error
		out[i], err = fleetCall(ctx, policy, "verify "+link.String(), a.CheckLink,
			api.CheckLinkInput{LinkRef: api.LinkRef{ClusterRef: in.Source, Link: link, TargetID: id}, Patience: in.Patience})
		if err != nil {
			_, why := describe(err)
			out[i] = api.NotLooked(link, why)
		}
	})
	return out
}
