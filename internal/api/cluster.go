package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// Existing is what the fleet file says of a mesh that is there already, in part
// or as a whole.
type Existing struct {
	Istio    fleet.Istio    `json:"istio"`
	CA       fleet.CA       `json:"ca"`
	Gateways fleet.Gateways `json:"gateways"`
	// Network of the cluster in the fleet file.
	Network string `json:"network"`
}

// GatherClusterInput names a cluster.
type GatherClusterInput struct{ ClusterRef }

// GatherClusterResult is what a person who helps wants to see of a cluster. What
// a Secret holds is in it by length and fingerprint only.
type GatherClusterResult struct {
	// Files are text by name: objects.yaml, pods.txt, events.txt and logs.
	Files map[string]string `json:"files"`
	// Cut says that there was more than may be carried.
	Cut bool `json:"cut,omitempty"`
}

// Mesh is the mesh that a cluster has already, whoever installed it.
type Mesh struct {
	Istiods []Istiod `json:"istiods,omitempty"`
	// Network is the label topology.istio.io/network of Istio's namespace.
	Network string `json:"network,omitempty"`
	// Roots are the fingerprints of the certificates that its workloads trust.
	Roots []string `json:"roots,omitempty"`
	// EastWest are Services that look like an east-west gateway: a load balancer
	// with the port of the mesh's own traffic.
	EastWest []MeshGateway `json:"eastWest,omitempty"`
}

// Istiod is a control plane of a mesh.
type Istiod struct {
	Revision string `json:"revision"`
	Version  string `json:"version,omitempty"`
	// ClusterName, MeshID and TrustDomain are what it calls its cluster and mesh.
	ClusterName string `json:"clusterName,omitempty"`
	MeshID      string `json:"meshID,omitempty"`
	TrustDomain string `json:"trustDomain"`
	// By is who installed it, where that can be seen: Sail, Helm or istioctl.
	By string `json:"by,omitempty"`
}

// MeshGateway is an east-west gateway that is there.
type MeshGateway struct {
	Service        string            `json:"service"`
	Labels         map[string]string `json:"labels"`
	ServiceAccount string            `json:"serviceAccount,omitempty"`
}

// InspectClusterInput names a cluster.
type InspectClusterInput struct{ ClusterRef }

// InspectClusterResult is what is there.
type InspectClusterResult struct{ Mesh }

// CheckClusterInput says what the fleet wants of a cluster.
type CheckClusterInput struct {
	ClusterRef
	IstioVersion string `json:"istioVersion"`
	// TLSServerName from the fleet file, or empty to find one.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// Existing is what the fleet file says of a mesh that is there already, if it does.
	Existing *Existing `json:"existing,omitempty"`
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
