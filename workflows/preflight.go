package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// preflight runs step 1: it checks every cluster, and returns one error of TypePreflight
// with all problems. A member that does not answer is no problem of the others: it fails
// alone, unless it is the one that the root depends on.
func (r *rollout) preflight(ctx workflow.Context) error {
	if wrong := checkFleet(ctx, r.in, r.run); len(wrong) > 0 {
		return r.fail(api.TypePreflight, "the fleet cannot be rolled out; nothing was changed", wrong)
	}
	clusters := r.in.Fleet.Spec.Clusters
	r.ownReaders = r.in.Fleet.OwnReaders()
	failures := make([]*api.Failure, len(clusters))
	inParallel(ctx, len(clusters), r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		failures[i] = r.check(ctx, clusters[i])
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var problems, silent []api.Failure
	for i, c := range clusters {
		if f := failures[i]; f != nil && unanswered(f.Type) {
			silent = append(silent, *f)
		} else if f != nil {
			problems = append(problems, *f)
		}
		problems = append(problems, r.problemsOf(c.Name)...)
	}
	if len(silent) < len(clusters) {
		r.nameForgotten(silent)
		problems = append(problems, r.problems(ctx)...)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(problems) > 0 || len(silent) == len(clusters) {
		return r.fail(api.TypePreflight, "the preflight found problems; nothing was changed", append(silent, problems...))
	}
	r.stale = r.in.Fleet.Stale(r.inventories())
	if refused := append(r.takenOver(), r.keepsStale(ctx)...); len(refused) > 0 {
		return r.fail(api.TypePreflight, "nothing was changed", refused)
	}
	r.listRemovals()
	for _, f := range silent {
		u := r.get(f.Unit)
		u.move(api.Running)
		u.fail(f)
	}
	return nil
}

// checkFleet has a worker say what is wrong in the fleet file. A workflow does not look
// itself: the next release may know more, and a run that is replayed must not.
func checkFleet(ctx workflow.Context, in api.FleetInput, run string) []api.Failure {
	found, err := fleetCall(ctx, preflight(), stepPreflight, a.CheckFleet, api.CheckFleetInput{ClusterRef: in.FleetRef(run), Fleet: in.Fleet})
	switch {
	case err != nil:
		return []api.Failure{failureOf(api.Unit{}, err)}
	case found.Wrong != "":
		return []api.Failure{{Type: api.TypeInvalid, Message: found.Wrong}}
	}
	return nil
}

// stepPreflight names the first step of a rollout.
const stepPreflight = "1 preflight"

// check looks at one cluster, and returns why that was not possible.
func (r *rollout) check(ctx workflow.Context, c fleet.Cluster) *api.Failure {
	u, began := r.member(c.Name), workflow.Now(ctx)
	check, err := fleetCall(ctx, preflight(), stepPreflight, a.CheckCluster, r.checkInput(c))
	u.check, u.answered = check, err == nil
	if err == nil {
		u.Istio = check.Istio.Istiod
		return nil
	}
	f := failureOf(u.Unit, err)
	if unanswered(f.Type) {
		f.Message = fmt.Sprintf("it does not answer, tried for %s: %s", workflow.Now(ctx).Sub(began).Round(time.Second), f.Message)
	}
	return &f
}

// problems lists what the clusters that answered have in the way of each other.
func (r *rollout) problems(ctx workflow.Context) (out []api.Failure) {
	out = append(out, r.istioVersions()...)
	out = append(out, r.secretless()...)
	out = append(out, r.rivals()...)
	out = append(out, r.renamed()...)
	out = append(out, r.applies(ctx)...)
	if r.in.Rotate.OfRoot() {
		return append(append(out, r.rootReadable()...), r.planRootChange(ctx)...)
	}
	if !r.in.Fleet.Spec.CA.Managed() {
		return append(out, r.rootsDiffer()...)
	}
	if between, changing := r.inRootChange(); len(between) > 0 || changing && r.next.Fingerprint == "" {
		return append(out, between...)
	}
	out = append(out, r.rootReadable()...)
	out = append(out, r.secondRoots()...)
	out = append(out, r.foreignCAs(ctx)...)
	return append(out, r.rootUnknown(ctx)...)
}

// checkInput returns what the fleet wants of a cluster.
func (r *rollout) checkInput(c fleet.Cluster) api.CheckClusterInput {
	ca, s := r.in.Fleet.Spec.CA, r.in.Fleet.Settings(c)
	in := api.CheckClusterInput{ClusterRef: r.in.Ref(c, r.run), IstioVersion: s.Istio.Version, TLSServerName: c.APIServer.TLSServerName,
		SkipProof: r.in.Fleet.Spec.Rollout.SkipProof, Network: c.Network}
	if m := ca.Issuer.CertManager; m.Cluster == c.Name {
		in.RequestsIn = m.Namespace
	}
	for _, source := range r.in.Fleet.Sources(c.Name) {
		in.Sources = append(in.Sources, source.Name)
	}
	in.OwnReaders = r.ownReaders && len(in.Sources) > 0
	if s.Istio.Managed() {
		in.IstioName, in.UpdateStrategy = s.Istio.Name, s.Istio.Strategy()
	}
	if s.Existing() || !ca.Managed() {
		in.Existing = &api.Existing{Istio: withoutValues(s.Istio), CA: ca, Gateways: s.Gateways, Network: c.Network}
	}
	return in
}

// problemsOf lists the problems of one cluster.
func (r *rollout) problemsOf(name string) (out []api.Failure) {
	unit, check := api.Member(name), r.member(name).check
	for _, p := range check.Problems {
		out = append(out, api.Failure{Unit: unit, Type: api.TypePreflight, Message: p})
	}
	for _, other := range r.in.Fleet.Spec.Clusters {
		if other.Name == name {
			break
		}
		if uid := r.member(other.Name).check.UID; uid != "" && uid == check.UID {
			out = append(out, api.Failure{Unit: unit, Type: api.TypePreflight,
				Message: fmt.Sprintf("its kubeconfig leads to the same API server as cluster %s; give each cluster a kubeconfig of its own", other.Name)})
			break
		}
	}
	return out
}

// inventories returns what the clusters remember of the fleet.
func (r *rollout) inventories() (out []fleet.Fleet) {
	for _, c := range r.in.Fleet.Spec.Clusters {
		if have := r.member(c.Name).check.Inventory; have != nil {
			out = append(out, *have)
		}
	}
	return out
}

// rootsDiffer compares the roots of meshes that have an existing CA. Without a root that
// they share, no gateway trusts another.
func (r *rollout) rootsDiffer() (out []api.Failure) {
	first, roots := "", []string(nil)
	for _, c := range r.in.Fleet.Spec.Clusters {
		mesh := r.member(c.Name).check.Mesh
		switch {
		case mesh == nil || len(mesh.Roots) == 0:
		case first == "":
			first, roots = c.Name, mesh.Roots
		case !slices.ContainsFunc(mesh.Roots, func(f string) bool { return slices.Contains(roots, f) }):
			out = append(out, api.Failure{Unit: api.Member(c.Name), Type: api.TypePreflight, Message: fmt.Sprintf(
				"its mesh trusts another root (%s) than that of cluster %s (%s); bring both meshes under one root: with spec.ca.manage: false Landbridge leaves their CAs alone",
				mesh.Roots[0], first, roots[0])})
		}
	}
	return out
}
