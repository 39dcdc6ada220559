package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/version"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/rights"
)

// ownIstio says whether Istio is there already.
func existingIstio(in api.CheckClusterInput) bool {
	return in.Existing != nil && !in.Existing.Istio.Managed()
}

// CheckCluster is step 1: it looks at all that a rollout needs of a cluster
// before anything is changed, and reports every problem at once.
func (a *Activities) CheckCluster(ctx context.Context, in api.CheckClusterInput) (api.CheckClusterResult, error) {
	var out api.CheckClusterResult
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return out, err
	}
	if out.Version, err = serverVersion(ctx, c); err != nil {
		return out, wrap(err, "the API server at %s cannot be reached", hostOf(c))
	}
	out.CredentialEnds = c.CredentialEnds()
	missing, err := missingRights(ctx, c, rights.For(rights.Needs{Namespace: in.Namespace, ExistingIstio: existingIstio(in)}))
	if err != nil {
		return out, err
	}
	out.Problems = append(out.Problems, missing...)
	for _, check := range []func(context.Context, *kube.Cluster, api.CheckClusterInput, *api.CheckClusterResult) error{
		a.checkIdentity, a.checkKinds, a.checkMesh, a.checkServerName, a.checkInventory} {
		if err := check(ctx, c, in, &out); err != nil {
			// A right that is missing was named above already.
			if apierrors.IsForbidden(err) && len(missing) > 0 {
				continue
			}
			return out, err
		}
	}
	return out, nil
}

func serverVersion(ctx context.Context, c *kube.Cluster) (string, error) {
	data, err := c.Discovery.RESTClient().Get().AbsPath("/version").Do(ctx).Raw()
	if err != nil {
		return "", err
	}
	var v version.Info
	if err := json.Unmarshal(data, &v); err != nil {
		return "", fmt.Errorf("it does not answer as a kube-apiserver does")
	}
	return v.GitVersion, nil
}

func (a *Activities) checkIdentity(ctx context.Context, c *kube.Cluster, _ api.CheckClusterInput, out *api.CheckClusterResult) error {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return wrap(err, "read the namespace %s", metav1.NamespaceSystem)
	}
	out.UID = string(ns.UID)
	return nil
}

// checkKinds looks for Sail's and Istio's kinds, and whether Sail's know the
// wanted version.
func (a *Activities) checkKinds(ctx context.Context, c *kube.Cluster, in api.CheckClusterInput, out *api.CheckClusterResult) error {
	for _, r := range []kinds.Resource{kinds.Istios, kinds.IstioCNIs, kinds.IstioGateways, kinds.VirtualServices,
		kinds.DestinationRules, kinds.ServiceEntries, kinds.AuthorizationPolicies} {
		if existingIstio(in) && r.Group == kinds.Istios.Group {
			continue
		}
		crd, err := c.Get(ctx, kinds.CRDs, "", r.GroupResource().String())
		if apierrors.IsNotFound(err) {
			out.Problems = append(out.Problems, fmt.Sprintf("it does not know the kind %s (%s); install the Sail operator or OpenShift Service Mesh 3", r.Kind, r.Group))
			continue
		}
		if err != nil {
			return wrap(err, "look for the kind %s", r.Kind)
		}
		known := knownVersions(crd)
		if r.Group == kinds.Istios.Group && len(known) > 0 && !slices.Contains(known, in.IstioVersion) {
			out.Problems = append(out.Problems, fmt.Sprintf("its Sail operator does not know %s %s; it knows %s: change spec.istio.version", r.Kind, in.IstioVersion, strings.Join(known, ", ")))
		}
	}
	return nil
}

// knownVersions are those that a Sail CRD lists for spec.version.
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

// checkServerName finds a name for which the API server's certificate verifies
// against the CA that goes into the remote secret.
func (a *Activities) checkServerName(ctx context.Context, c *kube.Cluster, in api.CheckClusterInput, out *api.CheckClusterResult) error {
	ca, err := clusterCA(ctx, c)
	if err != nil {
		return err
	}
	var tried []string
	for _, name := range serverNames(ctx, in.TLSServerName, c) {
		err := c.CheckTLS(ctx, name, ca)
		if err == nil {
			out.TLSServerName = name
			return nil
		}
		tried = append(tried, err.Error())
	}
	out.Problems = append(out.Problems, strings.Join(tried, "; and "))
	return nil
}

// serverNames are the names to try: the fleet file's alone, else the kubeconfig's,
// OpenShift's own and the one that every API server has.
func serverNames(ctx context.Context, given string, c *kube.Cluster) []string {
	if given != "" {
		return []string{given}
	}
	names := append(hostNames(c.Config.Host), openShiftNames(ctx, c)...)
	return append(names, "kubernetes.default.svc")
}

// openShiftNames are the names that OpenShift gives its API server, the inner one
// first: its certificate is always the cluster's own. Where that cannot be read
// there are none.
func openShiftNames(ctx context.Context, c *kube.Cluster) []string {
	infra, err := c.Get(ctx, kinds.Infrastructures, "", "cluster")
	if err != nil {
		return nil
	}
	var names []string
	for _, field := range []string{"apiServerInternalURI", "apiServerURL"} {
		at, _, _ := unstructured.NestedString(infra.Object, "status", field)
		names = append(names, hostNames(at)...)
	}
	return names
}

// hostNames is the host of a URL where that is a name and not an address.
func hostNames(at string) []string {
	u, err := url.Parse(at)
	if err != nil || u.Hostname() == "" || u.Hostname() == "localhost" || len(validation.IsValidIP(nil, u.Hostname())) == 0 {
		return nil
	}
	return []string{u.Hostname()}
}

// clusterCA is the bundle that Kubernetes puts into every token Secret.
func clusterCA(ctx context.Context, c *kube.Cluster) ([]byte, error) {
	cm, err := c.Client.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
	if err == nil {
		return []byte(cm.Data[corev1.ServiceAccountRootCAKey]), nil
	}
	if (apierrors.IsNotFound(err) || apierrors.IsForbidden(err)) && len(c.Config.CAData) > 0 {
		return c.Config.CAData, nil
	}
	return nil, wrap(err, "read the CA bundle of the cluster (ConfigMap %s/kube-root-ca.crt)", metav1.NamespaceSystem)
}

func (a *Activities) checkInventory(ctx context.Context, c *kube.Cluster, in api.CheckClusterInput, out *api.CheckClusterResult) error {
	r, err := inventory.Read(ctx, c)
	if err != nil || r == nil {
		return err
	}
	err = a.claim(ctx, in.ClusterRef).Allowed(r, in.Cluster)
	var other *inventory.OtherFleetError
	var held *inventory.LockedError
	if errors.As(err, &other) || errors.As(err, &held) {
		out.Problems = append(out.Problems, err.Error())
		return nil
	}
	out.Inventory = &r.Fleet
	return err
}

func hostOf(c *kube.Cluster) string {
	u, err := url.Parse(c.Config.Host)
	if err != nil {
		return "(no URL)"
	}
	return u.Host
}
