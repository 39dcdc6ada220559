package rights

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// read lists what an informer of istiod does.
var read = []string{"list", "watch"}

// readByIstiod has every kind that the istiod of a multi-primary mesh reads in the clusters of
// its remote secrets, as the audit log of a target shows it: what services there are, where
// their pods and other workloads are, and what the gateways of the network are. It writes
// nothing. The kinds of multi-cluster services are for who switches those on.
var readByIstiod = []kinds.Resource{kinds.Namespaces, kinds.Nodes, kinds.Pods, kinds.Services, kinds.EndpointSlices, kinds.WorkloadEntries,
	kinds.CRDs, kinds.KubernetesGateways, kinds.ServiceExports, kinds.ServiceImports}

// Reader returns the rules of the account with which one source reads a target. There are no
// Secrets in them.
func Reader() (rules []rbacv1.PolicyRule) {
	for _, r := range readByIstiod {
		rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{r.Group}, Resources: []string{r.Resource}, Verbs: slices.Clone(read)})
	}
	return rules
}

// ReaderRole returns the role in the whole cluster of an account that reads no Secrets. It has
// the account's name.
func ReaderRole(source string) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{TypeMeta: typeMeta(kinds.ClusterRoles), ObjectMeta: metav1.ObjectMeta{Name: fleet.Reader(source)}, Rules: Reader()}
}

// ReaderBinding gives a reader's account, in Istio's namespace, a role in the whole cluster. It
// has the account's name.
func ReaderBinding(namespace, account, role string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{TypeMeta: typeMeta(kinds.ClusterRoleBindings), ObjectMeta: metav1.ObjectMeta{Name: account},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kinds.ClusterRoles.Kind, Name: role}}
}

func typeMeta(r kinds.Resource) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: r.GroupVersion().String(), Kind: r.Kind}
}

// ReaderIn returns what the account may read in Istio's namespace beside that: the settings of
// the target's mesh, for its trust domain. They are in one ConfigMap, whose name has the revision of
// the source's Istio ("" and "default" mean the default revision).
func ReaderIn(revision string) []rbacv1.PolicyRule {
	name := "istio"
	if revision != "" && revision != fleet.DefaultRevision {
		name += "-" + revision
	}
	return []rbacv1.PolicyRule{{APIGroups: []string{kinds.ConfigMaps.Group}, Resources: []string{kinds.ConfigMaps.Resource}, ResourceNames: []string{name}, Verbs: slices.Clone(read)}}
}

// IstioReaderPrefix begins the names of Istio's own ClusterRoles for readers.
const IstioReaderPrefix = "istio-reader-clusterrole-"

// IstioReader names Istio's own ClusterRole for the account that other clusters read
// with, of one revision of Istio ("" and "default" mean the default revision). It reads
// every Secret.
func IstioReader(namespace, revision string) string {
	if revision == "" || revision == fleet.DefaultRevision {
		return IstioReaderPrefix + namespace
	}
	return IstioReaderPrefix + revision + "-" + namespace
}
