package fleet

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Kubeconfig names a kubeconfig that a worker has, or a Secret of the management cluster
// that it reads, and nothing else.
type Kubeconfig struct {
	// Path of a file below one of the worker's kubeconfig directories. Default: the
	// default kubeconfig of the worker.
	Path string `json:"path,omitempty"`
	// Context in the kubeconfig. Default: its current context.
	Context string `json:"context,omitempty"`
	// Secret of the management cluster that has the kubeconfig. The worker of the cluster
	// reads it there each time (--management-kubeconfig), so that no file is needed.
	Secret KubeconfigSecret `json:"secret,omitzero"`
	// ClusterProfile of the management cluster that says where the cluster is. The worker gets
	// the credential from one of its access providers (--access-providers-file).
	ClusterProfile ClusterProfile `json:"clusterProfile,omitzero"`
}

// ClusterProfile names one of the management cluster.
type ClusterProfile struct {
	// Namespace of the ClusterProfile.
	Namespace string `json:"namespace,omitempty"`
	// Name of the ClusterProfile.
	Name string `json:"name,omitempty"`
}

// Given says whether the fleet file names a ClusterProfile.
func (p ClusterProfile) Given() bool { return p != ClusterProfile{} }

// String names the ClusterProfile for people.
func (p ClusterProfile) String() string { return "ClusterProfile " + p.Namespace + "/" + p.Name }

// KubeconfigSecret names a Secret of the management cluster that says how a cluster is
// reached.
type KubeconfigSecret struct {
	// Namespace of the Secret.
	Namespace string `json:"namespace,omitempty"`
	// Name of the Secret.
	Name string `json:"name,omitempty"`
	// Format of the Secret: kubeconfig (a whole kubeconfig under one key, as Cluster API
	// has it), argocd (a cluster of Argo CD) or ocm (the token of a ManagedServiceAccount, in
	// the namespace of its ManagedCluster). Default: kubeconfig.
	Format string `json:"format,omitempty" jsonschema:"enum=,enum=kubeconfig,enum=argocd,enum=ocm"`
	// Key under which the Secret has a kubeconfig. Default: value, which is Cluster API's.
	Key string `json:"key,omitempty"`
}

// The values of KubeconfigSecret.Format.
const (
	FormatKubeconfig = "kubeconfig"
	FormatArgoCD     = "argocd"
	FormatOCM        = "ocm"
)

// Given says whether the fleet file names a Secret.
func (s KubeconfigSecret) Given() bool { return s != KubeconfigSecret{} }

// String names the Secret for people.
func (s KubeconfigSecret) String() string { return "Secret " + s.Namespace + "/" + s.Name }

// setDefaults fills in what the file leaves out of a Secret.
func (s *KubeconfigSecret) setDefaults() {
	if !s.Given() {
		return
	}
	or(&s.Format, FormatKubeconfig)
	if s.Format == FormatKubeconfig {
		or(&s.Key, "value")
	}
}

// validateKubeconfig checks how one of so many clusters is reached.
func validateKubeconfig(at string, k Kubeconfig, clusters int, ps *problems) {
	if k.Path != "" && !localPath(k.Path) {
		ps.add(at+".path", "%q must name a file below one of the worker's kubeconfig directories, without .. or a leading /", k.Path)
	}
	if k == (Kubeconfig{}) && clusters > 1 {
		ps.add(at, "set path, context, secret or clusterProfile: the current context of the default kubeconfig can only be one cluster")
	}
	if k.ClusterProfile.Given() {
		validateClusterProfile(at, k, ps)
	}
	if !k.Secret.Given() {
		return
	}
	s, at := k.Secret, at+".secret"
	oneOf(ps, at+".format", s.Format, FormatKubeconfig, FormatArgoCD, FormatOCM)
	dnsLabel(ps, at+".namespace", s.Namespace, 63, "a namespace")
	if errs := validation.IsDNS1123Subdomain(s.Name); len(errs) > 0 {
		ps.add(at+".name", "%q is not the name of a Secret: %s", s.Name, reason(errs))
	}
	if errs := validation.IsConfigMapKey(s.Key); s.Format == FormatKubeconfig && len(errs) > 0 {
		ps.add(at+".key", "%q is not a key of a Secret: %s", s.Key, reason(errs))
	}
	if k.Path != "" {
		ps.add(at, "the kubeconfig is a file (path) or a Secret, not both")
	}
	if s.Format == FormatKubeconfig {
		return
	}
	if k.Context != "" {
		ps.add(strings.TrimSuffix(at, ".secret")+".context", "a Secret of format %s has no contexts", s.Format)
	}
	if s.Key != "" {
		ps.add(at+".key", "a Secret of format %s has keys of its own; leave it out", s.Format)
	}
}

// validateClusterProfile checks the ClusterProfile by which a cluster is reached.
func validateClusterProfile(at string, k Kubeconfig, ps *problems) {
	if k.Path != "" || k.Context != "" || k.Secret.Given() {
		ps.add(at, "the cluster is reached by a kubeconfig (path, context), by a Secret or by a ClusterProfile; leave the others out")
	}
	dnsLabel(ps, at+".clusterProfile.namespace", k.ClusterProfile.Namespace, 63, "a namespace")
	if errs := validation.IsDNS1123Subdomain(k.ClusterProfile.Name); len(errs) > 0 {
		ps.add(at+".clusterProfile.name", "%q is not the name of a ClusterProfile: %s", k.ClusterProfile.Name, reason(errs))
	}
}
