package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// maxClusterName follows from Helm: kube-apiserver-<name>-egress-gateway must fit
// into the 53 characters of a release name.
const maxClusterName = 53 - len("kube-apiserver--egress-gateway")

// Cluster describes one cluster of the fleet.
type Cluster struct {
	// Name of the cluster in the fleet, and in the names of objects: a DNS label of at
	// most 23 characters, since Helm's release names have at most 53.
	Name string `json:"name"`
	// ClusterID by which Istio knows the cluster (CLUSTER_ID, from
	// global.multiCluster.clusterName): any label value. Default: the name.
	ClusterID string `json:"clusterID,omitempty"`
	// Network of the cluster, which no other cluster has (topology.istio.io/network): any
	// label value.
	Network string `json:"network"`
	// From names the object that the cluster was found by. Landbridge sets it, where
	// spec.clustersFrom lists the cluster.
	From string `json:"from,omitempty"`
	// Kubeconfig says how a worker reaches the cluster.
	Kubeconfig Kubeconfig `json:"kubeconfig,omitempty"`
	// APIServer says by which name the cluster's kube-apiserver is known.
	APIServer APIServer `json:"apiServer,omitempty"`
	// TaskQueue of the workers that serve this cluster. Default: the task queue of the
	// fleet.
	TaskQueue string `json:"taskQueue,omitempty"`
	// Istio of this cluster, laid over spec.istio field by field.
	Istio Istio `json:"istio,omitzero"`
	// Gateways of this cluster, laid over spec.gateways field by field.
	Gateways Gateways `json:"gateways,omitzero"`
}

// ClusterName tells whether a cluster may have that name.
func ClusterName(name string) bool {
	return len(name) <= maxClusterName && len(validation.IsDNS1123Label(name)) == 0 && !strings.Contains(name, betweenMembers)
}

// betweenMembers stands between source and target in the names of identities.
const betweenMembers = "-to-"

// ID returns the name by which Istio knows the cluster.
func (c Cluster) ID() string { return cmp.Or(c.ClusterID, c.Name) }

// APIServer says by which name a cluster's kube-apiserver is known.
type APIServer struct {
	// TLSServerName is a DNS name in the certificate of the kube-apiserver. The egress
	// gateway routes by it (SNI). Default: found in the certificate.
	TLSServerName string `json:"tlsServerName,omitempty"`
}

// Cluster returns the cluster with that name, and whether there is one. It looks
// through the list: a loop over many names makes a map of its own.
func (f *Fleet) Cluster(name string) (Cluster, bool) {
	for _, c := range f.Spec.Clusters {
		if c.Name == name {
			return c, true
		}
	}
	return Cluster{}, false
}

func validateClusters(f *Fleet, ps *problems) {
	clusters, among := f.Spec.Clusters, len(f.Spec.Clusters)+len(f.Spec.ClustersFrom)
	if among == 0 {
		ps.add("spec.clusters", "a fleet needs at least one cluster")
	}
	named, network, access := map[string]string{}, map[string]string{}, map[Kubeconfig]string{}
	for i, c := range clusters {
		at := fmt.Sprintf("spec.clusters[%d]", i)
		dnsLabel(ps, at+".name", c.Name, maxClusterName, "the Helm release kube-apiserver-<name>-egress-gateway")
		if strings.Contains(c.Name, betweenMembers) {
			ps.add(at+".name", "must not contain -to-, which stands between source and target in the names of identities")
		}
		if c.ClusterID != "" {
			labelValue(ps, at+".clusterID", c.ClusterID, "Istio's cluster ID")
		}
		labelValue(ps, at+".network", c.Network, "the label topology.istio.io/network")
		validateKubeconfig(at+".kubeconfig", c.Kubeconfig, among, ps)
		if n := c.APIServer.TLSServerName; n != "" && len(validation.IsDNS1123Subdomain(n)) > 0 || isIP(n) {
			ps.add(at+".apiServer.tlsServerName", "%q is not a DNS name (an IP cannot be an SNI)", n)
		}
		twice(ps, named, c.Name, at+".name", "name")
		twice(ps, network, c.Network, at+".network", "network")
		twice(ps, access, c.Kubeconfig, at+".kubeconfig", "API server (kubeconfig and context)")
	}
	validateIDs(clusters, ps)
}

// validateIDs finds clusters that Istio would take for one. Names that are equal are
// reported already.
func validateIDs(clusters []Cluster, ps *problems) {
	seen := map[string]int{}
	for i, c := range clusters {
		first, double := seen[c.ID()]
		switch at := fmt.Sprintf("spec.clusters[%d]", i); {
		case !double:
			seen[c.ID()] = i
		case c.ClusterID != "":
			ps.add(at+".clusterID", "Istio knows spec.clusters[%d] by %q already; each cluster needs its own", first, c.ID())
		case clusters[first].Name != c.Name:
			ps.add(at+".name", "Istio knows spec.clusters[%d] by %q already (its clusterID); give this one a clusterID of its own", first, c.ID())
		}
	}
}

// known reports a name that no cluster has, unless a cluster has no name at all: it
// may be the one that is meant, and is reported already. Which clusters the sources list is
// known at the start of a run.
func known(f *Fleet, ps *problems, at, name string) {
	_, found := f.Cluster(name)
	nameless := len(f.Spec.Clusters) == 0 || len(f.Spec.ClustersFrom) > 0 || slices.ContainsFunc(f.Spec.Clusters, func(c Cluster) bool { return c.Name == "" })
	switch {
	case name == "":
		ps.add(at, "is required")
	case !found && !nameless:
		ps.add(at, "no cluster of this fleet is called %q", name)
	}
}
