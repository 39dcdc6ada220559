package fleet

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Management says who reads the management cluster.
type Management struct {
	// TaskQueue of the workers that read spec.clustersFrom there. Default: the task queue of
	// the fleet.
	TaskQueue string `json:"taskQueue,omitempty"`
}

// ClusterSource names objects of the management cluster, each of which is a cluster of the
// fleet. They are read at the start of each run.
type ClusterSource struct {
	// Source says what the objects are: argocd (cluster Secrets of Argo CD), capi (Clusters
	// of Cluster API, with the Secrets of their kubeconfigs), clusterprofile (ClusterProfiles of
	// the cluster inventory API) or ocm (ManagedClusters of Open Cluster Management).
	Source string `json:"source" jsonschema:"enum=argocd,enum=capi,enum=clusterprofile,enum=ocm"`
	// Namespace of the objects. ManagedClusters are in none.
	Namespace string `json:"namespace,omitempty"`
	// Secret with the token of a ManagedServiceAccount, which each ManagedCluster has under that
	// name in its own namespace. It is for ocm only.
	Secret string `json:"secret,omitempty"`
	// Selector chooses among them by their labels, as kubectl's -l does, such as
	// env=prod,region in (eu,us). Default: all.
	Selector string `json:"selector,omitempty"`
	// NetworkLabel is the label that has the network of the cluster. Where an object does not
	// have it, the network is the cluster's name with -network. Default:
	// topology.istio.io/network.
	NetworkLabel string `json:"networkLabel,omitempty"`
	// TaskQueue of the workers that serve these clusters. Default: the task queue of the fleet.
	TaskQueue string `json:"taskQueue,omitempty"`
	// Istio of these clusters, laid over spec.istio field by field.
	Istio Istio `json:"istio,omitzero"`
	// Gateways of these clusters, laid over spec.gateways field by field.
	Gateways Gateways `json:"gateways,omitzero"`
}

// The values of ClusterSource.Source.
const (
	SourceArgoCD = "argocd"
	SourceCAPI   = "capi"
	// SourceClusterProfile and SourceOCM are those of several cluster managers.
	SourceClusterProfile = "clusterprofile"
	SourceOCM            = "ocm"
)

// Sources lists the values of ClusterSource.Source.
var Sources = []string{SourceArgoCD, SourceCAPI, SourceClusterProfile, SourceOCM}

// usualNamespaces has, by source, the namespace in which its objects usually are. Where a source
// has none, people choose the namespace.
var usualNamespaces = map[string]string{SourceArgoCD: "argocd"}

// UsualNamespace returns the namespace in which the objects of a source usually are, or nothing.
func UsualNamespace(source string) string { return usualNamespaces[source] }

// AnnotationName gives, on an object that a source lists, its cluster another name than the
// object has.
const AnnotationName = Domain + "/name"

// Where tells where the objects are, as the end of a sentence, or nothing for objects in no namespace.
func (s ClusterSource) Where() string {
	if s.Namespace == "" {
		return ""
	}
	return " in namespace " + s.Namespace
}

// String names the source for people.
func (s ClusterSource) String() string {
	out := s.Source + s.Where()
	if s.Selector != "" {
		out += " with " + s.Selector
	}
	return out
}

// Cluster returns the cluster of an object that the source lists, with the settings that the
// source gives its clusters.
func (s ClusterSource) Cluster(name, network, from string, reached Kubeconfig) Cluster {
	if network == "" {
		network = name + "-network"
	}
	return Cluster{Name: name, Network: network, From: from, Kubeconfig: reached, TaskQueue: s.TaskQueue, Istio: s.Istio, Gateways: s.Gateways}
}

// WithFound returns the fleet with the clusters that its sources list, and without sources: what
// is done, and remembered, is about these.
func (f Fleet) WithFound(found []Cluster) Fleet {
	f.Spec.Clusters = slices.Concat(f.Spec.Clusters, found)
	f.Spec.ClustersFrom = nil
	f.SetDefaults()
	return f
}

// setDefaults fills in what the file leaves out of a source.
func (s *ClusterSource) setDefaults(taskQueue string) {
	or(&s.NetworkLabel, LabelNetwork)
	or(&s.TaskQueue, taskQueue)
}

func validateSourcesOfClusters(f *Fleet, ps *problems) {
	seen := map[string]string{}
	for i, s := range f.Spec.ClustersFrom {
		at := fmt.Sprintf("spec.clustersFrom[%d]", i)
		oneOf(ps, at+".source", s.Source, Sources...)
		validateWhere(at, s, ps)
		if _, err := labels.Parse(s.Selector); err != nil {
			ps.add(at+".selector", "%q selects nothing: want labels as kubectl -l takes them, such as env=prod,region in (eu,us)", s.Selector)
		}
		if errs := validation.IsQualifiedName(s.NetworkLabel); len(errs) > 0 {
			ps.add(at+".networkLabel", "%q is not the name of a label: %s", s.NetworkLabel, reason(errs))
		}
		twice(ps, seen, s.String(), at, "objects")
		validateSourceSettings(at, f, s, ps)
	}
	if len(f.Spec.ClustersFrom) == 0 {
		return
	}
	if e := f.Spec.Gateways.EastWest; e.Address.Known() || len(e.AddressFor) > 0 {
		ps.add("spec.gateways.eastWest", "an address is that of one cluster, and spec.clustersFrom may list many; write that cluster into spec.clusters")
	}
}

// validateWhere checks where the objects of a source are, and its credentials.
func validateWhere(at string, s ClusterSource, ps *problems) {
	if s.Source != SourceOCM {
		dnsLabel(ps, at+".namespace", s.Namespace, 63, "a namespace")
		if s.Secret != "" {
			ps.add(at+".secret", "is for the source %s only; leave it out", SourceOCM)
		}
		return
	}
	if s.Namespace != "" {
		ps.add(at+".namespace", "ManagedClusters are in no namespace; leave it out")
	}
	if errs := validation.IsDNS1123Subdomain(s.Secret); len(errs) > 0 {
		ps.add(at+".secret", "%q is not the name of a Secret: want the one with the token of a ManagedServiceAccount, which each ManagedCluster has in its namespace", s.Secret)
	}
}

// validateSourceSettings checks what the source lays over the settings of the fleet, as for a
// cluster.
func validateSourceSettings(at string, f *Fleet, s ClusterSource, ps *problems) {
	c := s.Cluster("", "", "", Kubeconfig{})
	if (Settings{c.Istio, c.Gateways}).empty() {
		return
	}
	own := *ps
	own.list = nil
	validateLaid(at, f, c, &own)
	if e := s.Gateways.EastWest; e.Address.Known() || len(e.AddressFor) > 0 {
		own.add(at+".gateways.eastWest", "an address is that of one cluster; write that cluster into spec.clusters")
	}
	ps.addOthers(own.list, at)
}
