package preflight

import (
	"cmp"
	"context"
	"strings"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/sail"
)

// checkVersions finds out which versions of Istio run, and what the wanted one is. The
// rollout judges them, since it may have to choose one for all clusters.
func (c *cluster) checkVersions(ctx context.Context) error {
	in, revision := sail.Installation{Namespace: c.in.Namespace, CNINamespace: c.in.CNINamespace}, ""
	if c.existingIstio() {
		in.CNINamespace, revision = "", c.in.Existing.Istio.Revision
	}
	runs, err := sail.Versions(ctx, c.Cluster, in, revision, c.in.Fleet)
	if err != nil {
		return err
	}
	c.out.Istio = api.IstioVersions{Istiod: runs.Istiod, CNI: runs.CNI, Gateways: runs.Gateways}
	if c.existingIstio() {
		c.out.Istio.Wanted = cmp.Or(c.versionOfMesh(), runs.Istiod)
		return nil
	}
	if c.in.IstioVersion == "" {
		c.out.KnownIstio = c.known
	} else {
		c.out.Istio.Want(c.in.IstioVersion, c.known)
	}
	if v, ok := fleet.ParseIstioVersion(runs.Istiod); ok {
		c.out.Istio.Next = fleet.NewestPatch(v.NextMinor(), c.known)
	}
	return nil
}

// versionOfMesh returns the version that the existing istiod has by its label, which it
// has while no pod of it is ready, too.
func (c *cluster) versionOfMesh() string {
	if c.out.Mesh == nil { // a right is missing, as a problem tells
		return ""
	}
	for _, i := range c.out.Mesh.Istiods {
		if _, ok := fleet.ParseIstioVersion(i.Version); ok && i.Revision == c.in.Existing.Istio.Revision {
			return "v" + strings.TrimPrefix(i.Version, "v")
		}
	}
	return ""
}
