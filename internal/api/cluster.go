package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// Existing holds what the fleet file says of an existing mesh, or of a part of one.
type Existing struct {
	Istio    fleet.Istio    `json:"istio"`
	CA       fleet.CA       `json:"ca"`
	Gateways fleet.Gateways `json:"gateways"`
	// Network of the cluster in the fleet file.
	Network string `json:"network"`
}

// GatherClusterInput names a cluster.
type GatherClusterInput struct{ ClusterRef }

// GatherClusterResult holds what a person who helps wants to see of a cluster. It
// shows a Secret's data by length and fingerprint only.
type GatherClusterResult struct {
	// Files are text by name: objects.yaml, pods.txt, events.txt and logs.
	Files map[string]string `json:"files"`
	// Cut says that there was more than Temporal may carry.
	Cut bool `json:"cut,omitempty"`
}

// Mesh describes the mesh that a cluster has already, whoever installed it.
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

// Istiod describes a control plane of a mesh.
type Istiod struct {
	Revision string `json:"revision"`
	Version  string `json:"version,omitempty"`
	// ClusterName, MeshID and TrustDomain are what it calls its cluster and mesh.
	ClusterName string `json:"clusterName,omitempty"`
	MeshID      string `json:"meshID,omitempty"`
	TrustDomain string `json:"trustDomain"`
	// By names who installed it, where that can be seen: Sail, Helm or istioctl.
	By string `json:"by,omitempty"`
}

// MeshGateway describes an existing east-west gateway.
type MeshGateway struct {
	Service        string            `json:"service"`
	Labels         map[string]string `json:"labels"`
	ServiceAccount string            `json:"serviceAccount,omitempty"`
}

// InspectClusterInput names a cluster.
type InspectClusterInput struct{ ClusterRef }

// InspectClusterResult holds what was found.
type InspectClusterResult struct{ Mesh }

// CheckClusterInput says what the fleet wants of a cluster.
type CheckClusterInput struct {
	ClusterRef
	IstioVersion string `json:"istioVersion"`
	// TLSServerName from the fleet file, or empty to find one.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// Existing is nil where the fleet file names no existing mesh.
	Existing *Existing `json:"existing,omitempty"`
}

// CheckClusterResult describes the cluster, and all that stands in the way.
type CheckClusterResult struct {
	// Problems are sentences for people; empty means that a rollout can begin.
	Problems []string `json:"problems,omitempty"`
	// UID of the cluster (of its kube-system), by which two entries of a fleet file
	// that mean the same API server are found.
	UID     string `json:"uid,omitempty"`
	Version string `json:"version,omitempty"`
	// TLSServerName that the API server's certificate is good for.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// CredentialEnds says when the worker's kubeconfig for it ends, where that is known.
	CredentialEnds time.Time `json:"credentialEnds,omitzero"`
	// Mesh is the existing mesh, where the fleet file names one.
	Mesh *Mesh `json:"mesh,omitempty"`
	// Inventory has the fleet as last applied here, or is nil.
	Inventory *fleet.Fleet `json:"inventory,omitempty"`
}
