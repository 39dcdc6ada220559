package preflight

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// needed lists the kinds that a cluster must know: those of the Sail operator, and
// Istio's.
var needed = []kinds.Resource{kinds.Istios, kinds.IstioCNIs, kinds.IstioGateways, kinds.VirtualServices,
	kinds.DestinationRules, kinds.ServiceEntries, kinds.AuthorizationPolicies}

// checkKinds looks for each kind, and whether the Sail operator's know the wanted
// version of Istio, which their CRDs say. Of the others the API server has told already.
func (c *cluster) checkKinds(ctx context.Context) error {
	for _, r := range needed {
		ofSail := r.Group == kinds.Istios.Group
		if ofSail && c.existingIstio() {
			continue
		}
		if !ofSail && c.Has(r) {
			continue
		}
		crd, err := c.Get(ctx, kinds.CRDs, "", r.GroupResource().String())
		if apierrors.IsNotFound(err) {
			c.problem("it does not know the kind %s (%s); install %s", r.Kind, r.Group, c.source())
			continue
		}
		if err != nil {
			return fmt.Errorf("look for the kind %s: %w", r.Kind, err)
		}
		if ofSail {
			known := knownVersions(crd)
			if r == kinds.Istios {
				c.known = known
			}
			c.checkVersionOf(known)
		}
	}
	return nil
}

// checkVersionOf looks for the wanted version of Istio among those that a kind of the Sail
// operator lists. What is wrong with two kinds is one problem.
func (c *cluster) checkVersionOf(known []string) {
	if c.in.IstioVersion == "" || len(known) == 0 || slices.Contains(known, c.in.IstioVersion) {
		return
	}
	problem := fleet.UnknownIstioVersion(c.in.IstioVersion, known)
	if !slices.Contains(c.out.Problems, problem) {
		c.problem("%s", problem)
	}
}

// source names what brings the kinds to a cluster.
func (c *cluster) source() string {
	if c.existingIstio() {
		return "the CRDs of its Istio"
	}
	return "the Sail operator or OpenShift Service Mesh 3"
}

// knownVersions returns those that a CRD of the Sail operator lists for spec.version.
func knownVersions(crd *unstructured.Unstructured) []string {
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, v := range versions {
		m, _ := v.(map[string]any)
		if m["name"] == kinds.Istios.Version {
			enum, _, _ := unstructured.NestedStringSlice(m, "schema", "openAPIV3Schema", "properties", "spec", "properties", "version", "enum")
			return enum
		}
	}
	return nil
}
