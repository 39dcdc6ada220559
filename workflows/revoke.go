package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RevokeFleet shuts sources out, with nothing but their targets reachable: each target
// removes what lets the source in, and its API server is seen to refuse the source's token.
// What belongs to the links otherwise stays, so that a rollout makes them anew. The error,
// of TypeLeftOver, names the links that could not be shut.
func RevokeFleet(ctx workflow.Context, in api.FleetInput) (api.RevokeResult, error) {
	return telling(ctx, in, revokeNoun, revokeFleet)
}

func revokeFleet(ctx workflow.Context, in api.FleetInput) (api.RevokeResult, error) {
	u := &units{by: map[api.Unit]*unit{}}
	for _, l := range in.Revoke {
		u.add(api.LinkOf(l))
	}
	board, err := newFleetBoard(ctx, in, u)
	out := api.RevokeResult{Fleet: in.Fleet.Metadata.Name, Links: []api.RevokedLink{}}
	if err != nil {
		return out, err
	}
	board.phase(ctx, "links")
	run := workflow.GetInfo(ctx).WorkflowExecution.RunID
	results := make([]api.RevokeLinkResult, len(in.Revoke))
	inParallel(ctx, len(in.Revoke), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		link, unit := in.Revoke[i], u.list[i]
		target, _ := in.Fleet.Cluster(link.To)
		unit.move(api.Running)
		board.show(ctx)
		var err error
		results[i], err = fleetCall(ctx, revokeCall(), "revoke "+link.String(), a.RevokeLink,
			api.RevokeLinkInput{LinkRef: api.LinkRef{ClusterRef: in.Ref(target, run), Link: link}})
		unit.end(err)
		board.show(ctx)
	})
	targets := []fleet.Cluster{}
	for i, l := range in.Revoke {
		if can := api.StillCan(l.From); !slices.Contains(out.StillCan, can) {
			out.StillCan = append(out.StillCan, can)
		}
		target, _ := in.Fleet.Cluster(l.To)
		r := results[i]
		if u.list[i].State == api.Done {
			targets = append(targets, target)
			out.Links = append(out.Links, api.RevokedLink{Link: l.String(), Removed: len(r.All()), Refused: r.Refused, After: r.After, Note: r.Note})
		}
		for _, ch := range r.All() {
			if in.DryRun {
				out.Objects = append(out.Objects, api.ClusterObject{Cluster: l.To, Kind: ch.Kind, Namespace: ch.Namespace, Name: ch.Name})
			}
		}
	}
	if !in.DryRun {
		releaseAll(ctx, in, targets, run)
	}
	if err = ctx.Err(); err == nil && len(u.failures()) > 0 {
		err = board.fail(api.TypeLeftOver, "not every link is shut", u.failures())
	}
	if err == nil {
		err = nobodyLetIn(in, results)
	}
	board.phase(ctx, endPhase(ctx, err))
	return out, err
}

// nobodyLetIn returns an error where no target lets in a source that is no cluster of the fleet.
// Such a source can have left the fleet file, but more likely its name is mistyped, and the one
// that is meant is not shut out.
func nobodyLetIn(in api.FleetInput, results []api.RevokeLinkResult) error {
	for i, l := range in.Revoke {
		if _, known := in.Fleet.Cluster(l.From); known || len(results[i].All()) > 0 {
			return nil
		}
	}
	if len(in.Revoke) == 0 {
		return nil
	}
	names := []string{}
	for _, c := range in.Fleet.Spec.Clusters {
		names = append(names, c.Name)
	}
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf("nobody was shut out: the fleet %s has no cluster %q, and none of its clusters lets such a source in; its clusters are %s",
		in.Fleet.Metadata.Name, in.Revoke[0].From, strings.Join(names, ", ")), api.TypePreflight, nil)
}
