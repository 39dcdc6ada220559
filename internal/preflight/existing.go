package preflight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// istioNamespace is where Sail installs Istio unless the resource says another one.
const istioNamespace = "istio-system"

// checkMesh compares what the fleet file says of an existing mesh with the mesh
// itself. Where the file says nothing of one, it looks for an Istio beside which
// Landbridge would install another. Each problem proposes the setting that fits.
func (c *cluster) checkMesh(ctx context.Context) error {
	if !c.existingIstio() {
		if err := c.checkNoIstio(ctx); err != nil {
			return err
		}
	}
	if c.in.Existing == nil {
		return nil
	}
	m, err := FindMesh(ctx, c.Cluster, c.in.Namespace, c.in.Existing.Gateways.DataPlanePort)
	if err != nil {
		return err
	}
	c.out.Mesh = &m
	if c.existingIstio() {
		c.checkIstiod(m)
	}
	if !c.in.Existing.CA.Managed() && len(m.Roots) == 0 {
		c.problem("it has no root yet: neither ConfigMap %s nor Secret %s is in %s; start its istiod, plug a CA in, or set spec.ca.manage: true",
			rootConfigMap, fleet.CACerts, c.in.Namespace)
	}
	if !c.in.Existing.Gateways.EastWest.Managed() {
		return c.checkEastWest(ctx, m)
	}
	return nil
}

// checkNoIstio finds every istiod of the cluster that is not of the Istio resource which
// Landbridge makes or adopts. A second control plane would answer for the same namespaces
// and give them another root, wherever it is; but it does not stop a fleet that runs.
func (c *cluster) checkNoIstio(ctx context.Context) error {
	adopted, ours, err := c.istios(ctx)
	if err != nil {
		return err
	}
	list, err := c.Client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
	if err != nil {
		return fmt.Errorf("look for istiod: %w", err)
	}
	for i := range list.Items {
		d := &list.Items[i]
		rev, in := revisionOf(d), ""
		if d.Namespace == c.in.Namespace && (adopted || ours) && c.ofIstio(rev) {
			c.runsAs = clusterID(d)
			continue
		}
		if ours {
			continue
		}
		if d.Namespace != c.in.Namespace {
			in = ", namespace: " + d.Namespace
		}
		c.problem("it runs an Istio already (Deployment %s/%s, revision %s), which is not of the Istio %s in %s; set spec.istio: {manage: false, revision: %s%s} to use it (`landbridge init --existing` writes a file with all that is there), or remove it",
			d.Namespace, d.Name, rev, c.in.IstioName, c.in.Namespace, rev, in)
	}
	return nil
}

// ofIstio returns whether Sail gives the istiod of Landbridge's Istio such a revision: its
// name, or where it is updated by revisions, its version too.
func (c *cluster) ofIstio(revision string) bool {
	return revision == c.in.IstioName || strings.HasPrefix(revision, c.in.IstioName+"-v")
}

// istios tells whether the Istio resource is there that Landbridge would make, and whether
// one is this fleet's. One that is to be adopted, or is ours, must have the revision that
// gateways are injected for.
func (c *cluster) istios(ctx context.Context) (adopted, ours bool, err error) {
	istios, err := c.In(kinds.Istios, "").List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return false, false, nil // a problem names the kind already
	}
	if err != nil {
		return false, false, fmt.Errorf("list the Istio resources: %w", err)
	}
	for _, i := range istios.Items {
		in, _, _ := unstructured.NestedString(i.Object, "spec", "namespace")
		ours = ours || i.GetLabels()[fleet.LabelFleet] == c.in.Fleet
		if i.GetName() == c.in.IstioName {
			adopted = cmp.Or(in, istioNamespace) == c.in.Namespace
			c.checkStrategy(&i)
		}
	}
	return adopted, ours, nil
}

// checkStrategy refuses an Istio of somebody else's that Sail updates in another way than the
// fleet file says: its istiod has another revision than gateways are injected for.
func (c *cluster) checkStrategy(istio *unstructured.Unstructured) {
	live, _, _ := unstructured.NestedString(istio.Object, "spec", "updateStrategy", "type")
	if live = cmp.Or(live, fleet.UpdateInPlace); live == c.in.UpdateStrategy || istio.GetLabels()[fleet.LabelFleet] == c.in.Fleet {
		return
	}
	as := fleet.Istio{Name: istio.GetName(), UpdateStrategy: live}
	as.Version, _, _ = unstructured.NestedString(istio.Object, "spec", "version")
	active, _, _ := unstructured.NestedString(istio.Object, "status", "activeRevisionName")
	revision := cmp.Or(active, as.Rev())
	c.problem("its Istio %s has updateStrategy %s, so that its istiod has the revision %s, and the fleet file says %s; set spec.istio.updateStrategy: %s, or spec.istio: {manage: false, revision: %s} to use it as it is (`landbridge init --existing` writes a file with all that is there)",
		istio.GetName(), live, revision, c.in.UpdateStrategy, live, revision)
}

// checkIstiod compares the istiod of the wanted revision with the fleet file.
func (c *cluster) checkIstiod(m api.Mesh) {
	want := c.in.Existing.Istio
	at := slices.IndexFunc(m.Istiods, func(i api.Istiod) bool { return i.Revision == want.Revision })
	switch {
	case len(m.Istiods) == 0:
		c.problem("it runs no istiod in %s; install Istio, or set spec.istio.manage: true", c.in.Namespace)
	case at < 0:
		c.problem("it runs no istiod of the revision %s; set spec.istio.revision: %s", want.Revision, revisions(m))
	}
	if at < 0 {
		return
	}
	is := m.Istiods[at]
	if is.ClusterName != "" && is.ClusterName != c.in.IstioID() {
		c.problem("its istiod calls it %s (CLUSTER_ID), the fleet file %s; set clusterID: %s at the cluster, since the others know it by that name", is.ClusterName, c.in.IstioID(), is.ClusterName)
	}
	if is.Domain != "" {
		c.problem("its istiod names Services under %s (--domain), and kube-apiserver is reached as kubernetes.default.svc.%s; leave the cluster out of the fleet, or change global.proxy.clusterDomain of its Istio", is.Domain, fleet.ClusterDomain)
	}
	if is.TrustDomain != want.TrustDomain {
		c.problem("its mesh has the trust domain %s, the fleet file says %s; set spec.istio.trustDomain: %s", is.TrustDomain, want.TrustDomain, is.TrustDomain)
	}
	if network := c.in.Existing.Network; m.Network != "" && m.Network != network {
		c.problem("its network is %s (label %s of namespace %s), the fleet file says %s; set network: %s at the cluster",
			m.Network, fleet.LabelNetwork, c.in.Namespace, network, m.Network)
	}
}

func revisions(m api.Mesh) string {
	var have []string
	for _, i := range m.Istiods {
		have = append(have, i.Revision)
	}
	return strings.Join(have, " or ")
}
