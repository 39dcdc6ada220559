package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// foreignCAs lists the CAs of others that are not under the fleet's root. Where there
// is none, nobody asks for the root.
func (r *rollout) foreignCAs(ctx workflow.Context) (out []api.Failure) {
	if !slices.ContainsFunc(r.in.Fleet.Spec.Clusters, func(c fleet.Cluster) bool { return r.member(c.Name).check.CA != nil }) {
		return nil
	}
	in := api.EnsureRootInput{RootRef: r.in.RootRef(r.run), CA: r.in.Fleet.Spec.CA, Known: r.knownRoots()}
	in.DryRun = true // it only reads the root
	root, err := fleetCall(ctx, preflight(), stepPreflight, a.EnsureRoot, in)
	if err != nil {
		return []api.Failure{failureOf(api.Root(), err)}
	}
	for _, c := range r.in.Fleet.Spec.Clusters {
		ca := r.member(c.Name).check.CA
		if ca == nil || slices.Contains(ca.Roots, root.Facts.Fingerprint) {
			continue
		}
		out = append(out, api.Failure{Unit: api.Member(c.Name), Type: api.TypePreflight, Message: foreignCA(*ca, r.ref(c.Name).Namespace, root.Facts.Fingerprint)})
	}
	return out
}

// foreignCA tells of a CA whose it is, its root and the fleet's, and the ways out.
func foreignCA(ca api.ForeignCA, namespace, root string) string {
	roots := "a root that cannot be read"
	if len(ca.Roots) > 0 {
		roots = "the root " + strings.Join(ca.Roots, " and ")
	}
	if ca.SelfSigned {
		roots += ", which is self-signed"
	}
	wanted := "the fleet's root " + root
	if root == "" {
		wanted = "the fleet's root, which is not made yet"
	}
	if ca.Istiod == "" {
		return fmt.Sprintf("its Secret %s/%s is not Landbridge's and has %s, not %s; remove it, or set spec.ca.manage: false and spec.istio.manage: false where all clusters have a CA under one root",
			namespace, fleet.CACerts, roots, wanted)
	}
	return fmt.Sprintf("its istiod (Deployment %s/%s) runs with %s, not with %s, and would change it under its workloads at its next start; move that mesh to a CA under a root that all clusters share "+
		"and set spec.istio.manage: false, which leaves CAs alone, or remove that Istio, then roll out again", namespace, ca.Istiod, roots, wanted)
}
