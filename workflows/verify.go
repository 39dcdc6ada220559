package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/fleet"
)

// VerifyResult is the proof of a fleet, link by link.
type VerifyResult struct {
	Fleet string `json:"fleet"`
	// Proven says that every link is.
	Proven bool                         `json:"proven"`
	At     time.Time                    `json:"at"`
	Links  []activities.CheckLinkResult `json:"links"`
}

// VerifyFleet proves every link of a fleet and changes nothing. It ends without
// an error also where a link is not proven: the result says which, and why.
func VerifyFleet(ctx workflow.Context, in FleetInput) (VerifyResult, error) {
	f := in.Fleet
	out := VerifyResult{Fleet: f.Metadata.Name, Proven: true, At: workflow.Now(ctx), Links: []activities.CheckLinkResult{}}
	if err := f.Validate(); err != nil {
		return out, fail(TypePreflight, "the fleet cannot be verified", []Failure{{Unit: "fleet", Type: activities.TypeInvalid, Message: err.Error()}})
	}
	var sources []VerifyLinksInput
	for _, links := range fleet.BySource(f.Links()) {
		c, _ := f.Cluster(links[0].From)
		source := VerifyLinksInput{Source: in.ref(c, workflow.GetInfo(ctx).WorkflowExecution.RunID), MaxParallel: f.Spec.Rollout.MaxParallel}
		for _, link := range links {
			source.Targets = append(source.Targets, link.To)
		}
		sources = append(sources, source)
	}
	results := make([][]activities.CheckLinkResult, len(sources))
	errs := make([]error, len(sources))
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	inParallel(ctx, len(sources), f.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		source := sources[i].Source.Cluster
		errs[i] = runChild(ctx, parent+"."+source, "verify the links of "+source,
			attributes(FleetKey.ValueSet(f.Metadata.Name), ClusterKey.ValueSet(source)), VerifyLinks, sources[i], &results[i])
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
	return out, nil
}

// VerifyLinksInput is one source cluster with the targets of its links.
type VerifyLinksInput struct {
	Source      activities.ClusterRef `json:"source"`
	Targets     []string              `json:"targets"`
	MaxParallel int                   `json:"maxParallel"`
}

// VerifyLinks proves the links of one source. Where a look itself fails, the
// link is not proven, and the reason is the error's.
func VerifyLinks(ctx workflow.Context, in VerifyLinksInput) ([]activities.CheckLinkResult, error) {
	out := make([]activities.CheckLinkResult, len(in.Targets))
	inParallel(ctx, len(in.Targets), in.MaxParallel, func(ctx workflow.Context, i int) {
		link := fleet.Link{From: in.Source.Cluster, To: in.Targets[i]}
		err := fleetCall(ctx, verifyCall(), "verify "+link.String(), a.CheckLink,
			activities.CheckLinkInput{LinkRef: activities.LinkRef{ClusterRef: in.Source, Link: link}}, &out[i])
		if err != nil {
			_, why := describe(err)
			out[i] = activities.NotLooked(link, why)
		}
	})
	return out, ctx.Err()
}
