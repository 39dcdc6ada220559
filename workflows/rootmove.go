package workflows

import (
	"cmp"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// MoveRoot moves the fleet's root to another place: sealed to the new place, kept there,
// remembered by the members, and only then removed where it was. It may be repeated at any
// point.
func MoveRoot(ctx workflow.Context, in api.FleetInput) (api.MoveRootResult, error) {
	r, err := newRootRun(ctx, in, "moved")
	if err != nil {
		return api.MoveRootResult{}, err
	}
	return r.end(ctx, r.move(ctx))
}

// ImportRoot keeps a root that comes from a file in the place that the fleet file names.
// Members that know another root refuse it.
func ImportRoot(ctx workflow.Context, in api.FleetInput) (api.MoveRootResult, error) {
	r, err := newRootRun(ctx, in, "imported")
	if err != nil {
		return api.MoveRootResult{}, err
	}
	return r.end(ctx, r.keep(ctx, in, in.Root.Sealed))
}

// OfferRoot returns the recipient that a root is sealed to which ImportRoot is to bring.
func OfferRoot(ctx workflow.Context, in api.FleetInput) (api.OfferRootResult, error) {
	offer, err := fleetCall(ctx, apiCall(limitsOf(in.Fleet)), "offer", a.OfferRoot, api.OfferRootInput{RootRef: in.RootRef(workflow.GetInfo(ctx).WorkflowExecution.RunID)})
	return offer, rootFailed("the root cannot be imported", err)
}

// ExportRoot returns a copy of the root that only the recipients of the request can read.
func ExportRoot(ctx workflow.Context, in api.FleetInput) (api.ExportRootResult, error) {
	known, _ := inspectCA(ctx, in)
	if err := rootStays(known.Clusters); err != nil {
		return api.ExportRootResult{}, err
	}
	sealed, err := fleetCall(ctx, apiCall(limitsOf(in.Fleet)), "seal root", a.SealRoot,
		api.SealRootInput{RootRef: in.RootRef(workflow.GetInfo(ctx).WorkflowExecution.RunID), Recipients: in.Root.Recipients, Known: knownBy(known.Clusters)})
	return api.ExportRootResult{Fleet: in.Fleet.Metadata.Name, SealRootResult: sealed}, rootFailed("the root cannot be exported", err)
}

// rootRun holds the state of a root that is moved or imported.
type rootRun struct {
	*board
	in api.FleetInput
	// what becomes of the root, in a word: moved or imported.
	what    string
	id      string
	members []api.ClusterCA
	root    *unit
	result  api.MoveRootResult
}

func newRootRun(ctx workflow.Context, in api.FleetInput, what string) (*rootRun, error) {
	status, err := newFleetBoard(ctx, in, &units{by: map[api.Unit]*unit{}})
	if err != nil {
		return nil, err
	}
	r := &rootRun{board: status, in: in, what: what, id: workflow.GetInfo(ctx).WorkflowExecution.RunID, root: status.add(api.Root()), result: api.MoveRootResult{Fleet: in.Fleet.Metadata.Name}}
	r.root.move(api.Running)
	r.phase(ctx, "root")
	known, err := inspectCA(ctx, in)
	r.members = known.Clusters
	if err == nil {
		err = rootStays(known.Clusters)
	}
	return r, err
}

// rootStays returns an error while the root is being changed: there are two of them then.
func rootStays(members []api.ClusterCA) error {
	for _, m := range members {
		if m.Known.Next.Fingerprint != "" {
			return fail(api.TypePreflight, fmt.Sprintf("the root is being changed (cluster %s: %s): finish that first, or go back, with `landbridge rotate --root`; nothing was changed", m.Name, m.Known.Next.Phase), nil)
		}
	}
	return nil
}

// move moves the root from the place of the fleet file to another one.
func (r *rootRun) move(ctx workflow.Context) error {
	policy := apiCall(limitsOf(r.in.Fleet))
	there := r.in
	there.Fleet.Spec.CA.Root = r.in.Root.To
	from, to := r.in.RootRef(r.id), there.RootRef(r.id)
	offer, err := fleetCall(ctx, policy, "offer", a.OfferRoot, api.OfferRootInput{RootRef: to})
	if err != nil {
		return err
	}
	sealed, err := fleetCall(ctx, policy, "seal root", a.SealRoot, api.SealRootInput{RootRef: from, Recipients: []string{offer.Recipient}, Known: knownBy(r.members)})
	if err != nil {
		return err
	}
	r.result.From = sealed.Kept
	if err := r.keep(ctx, there, sealed.Sealed); err != nil {
		return err
	}
	_, err = fleetCall(ctx, policy, "remove root", a.RemoveRoot, api.RemoveInput{ClusterRef: from.ClusterRef})
	return err
}

// keep keeps a sealed root in the place that the fleet of the input names, and tells the
// members.
func (r *rootRun) keep(ctx workflow.Context, there api.FleetInput, sealed string) error {
	policy := apiCall(limitsOf(r.in.Fleet))
	kept, err := fleetCall(ctx, policy, "receive root", a.ReceiveRoot, api.ReceiveRootInput{RootRef: there.RootRef(r.id), Sealed: sealed, Known: knownBy(r.members)})
	if err != nil {
		return err
	}
	r.result.Facts, r.result.To = kept.Facts, kept.Kept
	errs := make([]error, len(r.members))
	clusters := r.in.Fleet.Spec.Clusters
	inParallel(ctx, len(clusters), r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		if r.members[i].Known.Fingerprint != "" {
			_, errs[i] = fleetCall(ctx, policy, "remember root", a.RememberRoot,
				api.RememberRootInput{ClusterRef: r.in.Ref(clusters[i], r.id), Root: fleet.KnownRoot{Fingerprint: kept.Facts.Fingerprint, Kept: kept.Kept}, Place: there.Fleet.Spec.CA.Root})
		}
	})
	return cmp.Or(errs...)
}

// end releases the locks, and returns how it went.
func (r *rootRun) end(ctx workflow.Context, err error) (api.MoveRootResult, error) {
	releaseAll(ctx, r.in, r.in.Fleet.Spec.Clusters, r.id)
	if err == nil {
		r.root.move(api.Done)
	} else {
		f := failureOf(api.Root(), err)
		r.root.fail(f)
		err = r.fail(api.TypeFailed, "the root is not "+r.what+"; the same command goes on from here", []api.Failure{f})
	}
	r.phase(ctx, endPhase(ctx, err))
	return r.result, err
}

// rootFailed returns the one error of a look at the root.
func rootFailed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fail(api.TypeFailed, what, []api.Failure{failureOf(api.Root(), err)})
}
