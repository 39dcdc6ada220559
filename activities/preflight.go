package activities

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/version"

	"encoding/json"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
)

// CheckClusterInput says what the fleet wants of a cluster.
type CheckClusterInput struct {
	ClusterRef
	IstioVersion string `json:"istioVersion"`
	// TLSServerName from the fleet file, or empty to find one.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// Existing is what the fleet file says of a mesh that is there already, if it does.
	Existing *Existing `json:"existing,omitempty"`
}

// ownIstio says whether Istio is there already.
func (in CheckClusterInput) ownIstio() bool {
	return in.Existing != nil && !in.Existing.Istio.Managed()
}

// CheckClusterResult is what the cluster is, and all that stands in the way.
type CheckClusterResult struct {
	// Problems are sentences for people; empty means that a rollout can begin.
	Problems []string `json:"problems,omitempty"`
	// UID of the cluster (of its kube-system), by which two entries of a fleet file
	// that mean the same API server are found.
	UID     string `json:"uid,omitempty"`
	Version string `json:"version,omitempty"`
	// TLSServerName that the API server's certificate is good for.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// CredentialEnds is when the worker's kubeconfig for it ends, where that is known.
	CredentialEnds time.Time `json:"credentialEnds,omitzero"`
	// Mesh is what is there already, where the fleet file says that something is.
	Mesh *Mesh `json:"mesh,omitempty"`
	// Record of the fleet as last applied here, or nothing.
	Inventory *fleet.Fleet `json:"inventory,omitempty"`
}

// CheckCluster is step 1: it looks at all that a rollout needs of a cluster
// before anything is changed, and reports every problem at once.
func (a *Activities) CheckCluster(ctx context.Context, in CheckClusterInput) (CheckClusterResult, error) {
	var out CheckClusterResult
	c, err := a.open(in.ClusterRef)
	if err != nil {
		return out, err
	}
	if out.Version, err = serverVersion(ctx, c); err != nil {
		return out, wrap(err, "the API server at %s cannot be reached", hostOf(c))
	}
	out.CredentialEnds = c.CredentialEnds()
	rights, err := missingRights(ctx, c, Rights(Needs{Namespace: in.Namespace, ExistingIstio: in.ownIstio()}))
	if err != nil {
		return out, err
	}
	out.Problems = append(out.Problems, rights...)
	for _, check := range []func(context.Context, *kube.Cluster, CheckClusterInput, *CheckClusterResult) error{
		a.checkIdentity, a.checkKinds, a.checkMesh, a.checkServerName, a.checkInventory} {
		if err := check(ctx, c, in, &out); err != nil {
			// A right that is missing was named above already.
			if apierrors.IsForbidden(err) && len(rights) > 0 {
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

func (a *Activities) checkIdentity(ctx context.Context, c *kube.Cluster, _ CheckClusterInput, out *CheckClusterResult) error {
	ns, err := c.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return wrap(err, "read the namespace %s", metav1.NamespaceSystem)
	}
	out.UID = string(ns.UID)
	return nil
}

// checkKinds looks for Sail's and Istio's kinds, and whether Sail's know the
// wanted version.
func (a *Activities) checkKinds(ctx context.Context, c *kube.Cluster, in CheckClusterInput, out *CheckClusterResult) error {
	for _, r := range []kube.Resource{kube.Istios, kube.IstioCNIs, kube.IstioGateways, kube.VirtualServices,
		kube.DestinationRules, kube.ServiceEntries, kube.AuthorizationPolicies} {
		if in.ownIstio() && r.Group == kube.Istios.Group {
			continue
		}
		crd, err := c.Get(ctx, kube.CRDs, "", r.GroupResource().String())
		if apierrors.IsNotFound(err) {
			out.Problems = append(out.Problems, fmt.Sprintf("it does not know the kind %s (%s); install the Sail operator or OpenShift Service Mesh 3", r.Kind, r.Group))
			continue
		}
		if err != nil {
			return wrap(err, "look for the kind %s", r.Kind)
		}
		known := knownVersions(crd)
		if r.Group == kube.Istios.Group && len(known) > 0 && !slices.Contains(known, in.IstioVersion) {
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
		if m["name"] == kube.Istios.Version {
			enum, _, _ := unstructured.NestedStringSlice(m, "schema", "openAPIV3Schema", "properties", "spec", "properties", "version", "enum")
			return enum
		}
	}
	return nil
}

// checkServerName finds a name for which the API server's certificate verifies
// against the CA that goes into the remote secret.
func (a *Activities) checkServerName(ctx context.Context, c *kube.Cluster, in CheckClusterInput, out *CheckClusterResult) error {
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
	infra, err := c.Get(ctx, kube.Infrastructures, "", "cluster")
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

func (a *Activities) checkInventory(ctx context.Context, c *kube.Cluster, in CheckClusterInput, out *CheckClusterResult) error {
	r, err := inventory.Read(ctx, c)
	if err != nil || r == nil {
		return err
	}
	err = r.Allowed(in.Cluster, in.Fleet, a.lock(ctx, in.ClusterRef), in.TakeOver)
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
