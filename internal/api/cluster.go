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

// GatherClusterInput names the cluster whose state GatherCluster reads.
type GatherClusterInput struct{ ClusterRef }

// GatherClusterResult holds what a person who helps wants to see of a cluster. It
// shows a Secret's data by length and fingerprint only.
type GatherClusterResult struct {
	// Files holds text by file name: objects.yaml, pods.txt, events.txt and logs.
	Files map[string]string `json:"files"`
	// Cut says that text is missing, since all of it is more than Temporal may carry.
	Cut bool `json:"cut,omitempty"`
}

// GatherFleetResult names the clusters that were read, and tells why some could not be.
type GatherFleetResult struct {
	Clusters []string          `json:"clusters"`
	Unread   map[string]string `json:"unread,omitempty"`
	// Fleet has the fleet as the clusters remember it, where there was no fleet file.
	Fleet *fleet.Fleet `json:"fleet,omitempty"`
}

// Mesh describes the mesh that a cluster has already, whoever installed it.
type Mesh struct {
	Istiods []Istiod `json:"istiods,omitempty"`
	// Network is the label topology.istio.io/network of Istio's namespace.
	Network string `json:"network,omitempty"`
	// Roots lists the fingerprints of the root certificates that its workloads trust.
	Roots []string `json:"roots,omitempty"`
	// EastWest lists the Services that look like an east-west gateway: a load balancer
	// with the port of the mesh's own traffic.
	EastWest []MeshGateway `json:"eastWest,omitempty"`
	// Guide describes what a person made of it by docs/guide.md, or is nil. InspectCluster
	// alone looks for that.
	Guide *GuideMesh `json:"guide,omitempty"`
}

// GuideMesh describes what a person made of a mesh by docs/guide.md.
type GuideMesh struct {
	// DataPlaneHosts may be reached from other clusters.
	DataPlaneHosts []string `json:"dataPlaneHosts,omitempty"`
	// Platform that the chart of its east-west gateway was told.
	Platform string `json:"platform,omitempty"`
	// IntermediateEnds says when its CA ends, where that is known.
	IntermediateEnds time.Time `json:"intermediateEnds,omitzero"`
}

// Istiod describes a control plane of a mesh.
type Istiod struct {
	Revision string `json:"revision"`
	Version  string `json:"version,omitempty"`
	// ClusterName, MeshID and TrustDomain name its cluster and mesh in Istio's own values.
	ClusterName string `json:"clusterName,omitempty"`
	MeshID      string `json:"meshID,omitempty"`
	TrustDomain string `json:"trustDomain"`
	// Domain ends the names of Services for it, where that is not cluster.local.
	Domain string `json:"domain,omitempty"`
	// By names who installed it, where that can be seen: Sail, Helm or istioctl.
	By string `json:"by,omitempty"`
}

// MeshGateway describes an existing east-west gateway.
type MeshGateway struct {
	Service        string            `json:"service"`
	Labels         map[string]string `json:"labels"`
	ServiceAccount string            `json:"serviceAccount,omitempty"`
}

// InspectClusterInput names the cluster in which InspectCluster looks for a mesh.
type InspectClusterInput struct{ ClusterRef }

// InspectClusterResult describes the mesh that was found. It is empty where there is none.
type InspectClusterResult struct{ Mesh }

// CheckClusterInput tells the preflight what the fleet wants of a cluster.
type CheckClusterInput struct {
	ClusterRef
	// IstioVersion that the file names for it, or empty where the preflight is to choose one.
	IstioVersion string `json:"istioVersion"`
	// IstioName of the Istio resource, where Landbridge installs Istio.
	IstioName string `json:"istioName,omitempty"`
	// UpdateStrategy says how Sail is to change the version of that Istio.
	UpdateStrategy string `json:"updateStrategy,omitempty"`
	// TLSServerName from the fleet file, or empty to find one.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// SkipProof says that the fleet file leaves proofs out, so that the worker needs no rights
	// for them.
	SkipProof bool `json:"skipProof,omitempty"`
	// RequestsIn names the namespace in which CertificateRequests are made, where the
	// cluster's cert-manager signs for the fleet.
	RequestsIn string `json:"requestsIn,omitempty"`
	// Network of the cluster in the fleet file, and Sources of links to it. OwnReaders says that
	// they may have roles of their own here, which the worker makes.
	Network    string   `json:"network,omitempty"`
	Sources    []string `json:"sources,omitempty"`
	OwnReaders bool     `json:"ownReaders,omitempty"`
	// Existing is nil where the fleet file names no existing mesh.
	Existing *Existing `json:"existing,omitempty"`
}

// CheckClusterResult describes the cluster, and all that keeps a rollout from beginning.
type CheckClusterResult struct {
	// Problems holds sentences for people. Without one a rollout can begin.
	Problems []string `json:"problems,omitempty"`
	// Checks lists those that were made, with their problems.
	Checks []Checked `json:"checks,omitempty"`
	// UID of namespace kube-system, which tells clusters apart: two entries of a fleet
	// file with the same UID mean the same API server.
	UID string `json:"uid,omitempty"`
	// Version of the API server, such as v1.33.1.
	Version string `json:"version,omitempty"`
	// TLSServerName that the API server's certificate is good for.
	TLSServerName string `json:"tlsServerName,omitempty"`
	// ServerNameUnchecked says that the kubeconfig leads through a front that ends TLS, so
	// that only the proof of a link shows whether the name is good.
	ServerNameUnchecked bool `json:"serverNameUnchecked,omitempty"`
	// OpenLinks lists, by ID, the links to whose egress gateway any pod of the cluster gets a
	// connection, since its network enforces no NetworkPolicies.
	OpenLinks []string `json:"openLinks,omitempty"`
	// OpenShared says the same of the egress gateway that all its links share.
	OpenShared bool `json:"openShared,omitempty"`
	// EgressModes lists the modes of which the cluster has egress gateways.
	EgressModes []fleet.EgressMode `json:"egressModes,omitempty"`
	// CredentialEnds says when the worker's kubeconfig for it ends, where that is known.
	CredentialEnds time.Time `json:"credentialEnds,omitzero"`
	// Istio tells which versions run, and which one is wanted.
	Istio IstioVersions `json:"istio,omitzero"`
	// KnownIstio lists the versions that its operator knows, where the preflight is to
	// choose one.
	KnownIstio []string `json:"knownIstio,omitempty"`
	// Mesh is the existing mesh, where the fleet file names one.
	Mesh *Mesh `json:"mesh,omitempty"`
	// CA is one in Istio's namespace that Landbridge did not plug in, or is nil. Where
	// the fleet file leaves CAs alone, it is not looked for.
	CA *ForeignCA `json:"ca,omitempty"`
	// RemoteSecrets lists those from which its istiod learns of other clusters and which
	// this fleet did not make.
	RemoteSecrets []RemoteSecret `json:"remoteSecrets,omitempty"`
	// Inventory has the fleet as last applied here, or is nil. Memory belongs to it.
	Inventory *fleet.Fleet `json:"inventory,omitempty"`
	Memory    fleet.Memory `json:"memory,omitzero"`
	// Root is the fingerprint of the root in a cacerts that Landbridge wrote here.
	Root string `json:"root,omitempty"`
}

// RemoteSecret names a Secret in Istio's namespace, and the clusters that it tells
// istiod of.
type RemoteSecret struct {
	Name     string   `json:"name"`
	Clusters []string `json:"clusters"`
	// Fleet is another fleet that made it, or empty.
	Fleet string `json:"fleet,omitempty"`
}

// ForeignCA describes a CA in Istio's namespace that Landbridge did not plug in.
type ForeignCA struct {
	// Istiod names the Deployment that runs with it, or is empty.
	Istiod string `json:"istiod,omitempty"`
	// CACerts says that it is in the Secret cacerts.
	CACerts bool `json:"cacerts,omitempty"`
	// Roots lists the fingerprints of its roots.
	Roots []string `json:"roots,omitempty"`
	// SelfSigned says that istiod made it for itself.
	SelfSigned bool `json:"selfSigned,omitempty"`
}
