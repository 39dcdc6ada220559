package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// makeRoot is steps 2 and 3: the root, made once and kept.
func (r *rollout) makeRoot(ctx workflow.Context) error {
	r.status.phase(ctx, "root")
	l := newCompensation("root", r.in.Fleet.Spec.Rollout)
	root, err := step(ctx, l, apiCall(r.in.Fleet.Spec.Rollout), "3 root", a.EnsureRoot, a.RemoveRoot,
		api.EnsureRootInput{RootRef: r.in.RootRef(r.run), CA: r.in.Fleet.Spec.CA})
	if err != nil {
		return l.settle(ctx, err)
	}
	r.result.Root = root.Facts
	r.plan("root", root.Changes.Changes)
	r.root, r.undoRoot = root.CertPEM, l.undo
	return nil
}

// rootUnused takes a root of this run away that no cluster uses.
func (r *rollout) rootUnused(ctx workflow.Context) {
	if len(r.clusters) == 0 && r.in.Fleet.Spec.Rollout.OnFailure == fleet.OnFailureUndo {
		r.over = true
		r.undoRoot(ctx)
	}
}

// rootsDiffer compares the roots of meshes that have their own CA: without one
// that they share, no gateway would trust another.
func (r *rollout) rootsDiffer() (out []api.Failure) {
	first := -1
	for i, c := range r.checks {
		switch {
		case c.Mesh == nil || len(c.Mesh.Roots) == 0:
		case first < 0:
			first = i
		case !slices.ContainsFunc(c.Mesh.Roots, func(f string) bool { return slices.Contains(r.checks[first].Mesh.Roots, f) }):
			names := r.in.Fleet.Spec.Clusters
			out = append(out, api.Failure{Unit: clusterUnit(names[i].Name), Type: api.TypePreflight, Message: fmt.Sprintf(
				"its mesh trusts another root (%s) than that of cluster %s (%s); give both a CA under one root (spec.ca.manage: false leaves that to you)",
				c.Mesh.Roots[0], names[first].Name, r.checks[first].Mesh.Roots[0])})
		}
	}
	return out
}
