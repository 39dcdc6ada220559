package api

import "github.com/landbridge/landbridge/internal/fleet"

// IstioVersions tells which versions of Istio a cluster runs, as their images or labels
// have it, and which one it is to run. What does not run, or does not tell, is empty.
type IstioVersions struct {
	// Wanted is the version of the fleet file: of an alias, the one that it stands for now.
	// Of an existing Istio, it is the one that runs.
	Wanted string `json:"wanted,omitempty"`
	// Alias names that version in the fleet file, where it is one of Sail's aliases.
	Alias string `json:"alias,omitempty"`
	// Istiod, CNI and Gateways are the oldest versions that run of each.
	Istiod   string `json:"istiod,omitempty"`
	CNI      string `json:"cni,omitempty"`
	Gateways string `json:"gateways,omitempty"`
	// Next is the newest patch that the operator knows of the minor release after the one
	// that istiod runs.
	Next string `json:"next,omitempty"`
}

// Want sets the version that is wanted, and what it stands for in an operator that knows
// these.
func (i *IstioVersions) Want(version string, known []string) {
	i.Wanted = fleet.ResolveIstioVersion(version, known)
	if fleet.IsIstioAlias(version) {
		i.Alias = version
	}
}

// ClusterIstio names the cluster that the versions belong to.
type ClusterIstio struct {
	Cluster string `json:"cluster"`
	IstioVersions
}

// IstioOf returns the versions of clusters that a plan found.
func IstioOf(clusters []ClusterDone) (out []ClusterIstio) {
	for _, c := range clusters {
		out = append(out, ClusterIstio{c.Name, c.Istio})
	}
	return out
}
