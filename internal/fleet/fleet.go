// Package fleet is the fleet file: its types, defaults, validation and the
// links that it asks for. It knows neither Temporal nor Kubernetes; everything
// in it is pure, so workflows may call it.
package fleet

// APIVersion and Kind are what a fleet file must say it is.
const (
	APIVersion = "landbridge.dev/v1alpha1"
	Kind       = "Fleet"
)

// Fleet is a fleet file: the clusters and links of one fleet, and how they are
// rolled out.
type Fleet struct {
	// APIVersion is landbridge.dev/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is Fleet.
	Kind string `json:"kind"`
	// Metadata names the fleet.
	Metadata Metadata `json:"metadata"`
	// Spec says what the fleet is.
	Spec Spec `json:"spec"`
}

// Metadata names a fleet.
type Metadata struct {
	// Name of the fleet: a DNS label of at most 40 characters. It is the value
	// of the label landbridge.dev/fleet on everything that Landbridge creates.
	Name string `json:"name"`
}

// Spec is the body of a fleet file.
type Spec struct {
	// TaskQueue is the Temporal task queue of the fleet's workflows, and of its
	// activities where neither a cluster nor the root names its own. Default:
	// landbridge.
	TaskQueue string `json:"taskQueue,omitempty"`
	// Istio says which Istio each cluster runs.
	Istio Istio `json:"istio,omitempty"`
	// CA says what the fleet's certificates look like and where the root is kept.
	CA CA `json:"ca,omitempty"`
	// Gateways says how the gateways are installed and reached.
	Gateways Gateways `json:"gateways,omitempty"`
	// Rollout says how the work is spread and what becomes of failures.
	Rollout Rollout `json:"rollout,omitempty"`
	// Clusters of the fleet.
	Clusters []Cluster `json:"clusters"`
	// Links between the clusters: mesh, hub or a list. Default: mesh.
	Links Links `json:"links,omitempty"`
}

// Istio says which Istio each cluster runs (guide step 6).
type Istio struct {
	// Manage says whether Landbridge installs Istio by the Sail operator (the
	// default), or it is there already, whoever installed it: then it stays as it is,
	// and at cleanup too. Default: true.
	Manage *bool `json:"manage,omitempty"`
	// Revision of an Istio that is there already (istio.io/rev). Default: default.
	Revision string `json:"revision,omitempty"`
	// Version that Sail installs, with its v. Default: v1.31.0.
	Version string `json:"version,omitempty"`
	// Name of the Istio and IstioCNI resources. Default: default.
	Name string `json:"name,omitempty"`
	// Namespace of the control plane and its gateways. Default: istio-system.
	Namespace string `json:"namespace,omitempty"`
	// CNINamespace is where the CNI plugin lives. Default: istio-cni.
	CNINamespace string `json:"cniNamespace,omitempty"`
	// MeshID names the mesh that all clusters are part of. Default: the fleet's name.
	MeshID string `json:"meshID,omitempty"`
	// TrustDomain of the mesh's workload identities. Default: cluster.local.
	TrustDomain string `json:"trustDomain,omitempty"`
	// Platform is empty, or one that Istio's charts have a profile for: gke, k3d,
	// k3s, microk8s, minikube or openshift.
	Platform string `json:"platform,omitempty" jsonschema:"enum=,enum=gke,enum=k3d,enum=k3s,enum=microk8s,enum=minikube,enum=openshift"`
	// Values are laid over the Helm values that Landbridge gives the Istio resource.
	Values map[string]any `json:"values,omitempty"`
}

// CA says what the fleet's certificates look like (guide steps 2 and 3).
type CA struct {
	// Manage says whether Landbridge issues the clusters' intermediates (the
	// default), or each cluster's mesh has its CA already, under a root that they
	// share. Default: that of spec.istio.
	Manage *bool `json:"manage,omitempty"`
	// Organization is the O of every CA certificate. Default: the fleet's name.
	Organization string `json:"organization,omitempty"`
	// CommonName of the root. Default: Root CA.
	CommonName string `json:"commonName,omitempty"`
	// KeyAlgorithm is RSA-4096, as the guide has it, or ECDSA-P256. Default: RSA-4096.
	KeyAlgorithm string `json:"keyAlgorithm,omitempty" jsonschema:"enum=RSA-4096,enum=ECDSA-P256"`
	// RootLifetime is how long the root is valid. Default: 87600h (3650 days).
	RootLifetime Duration `json:"rootLifetime,omitempty"`
	// IntermediateLifetime is how long a cluster's intermediate is valid; a
	// rollout renews it in the last third. Default: 87600h (3650 days).
	IntermediateLifetime Duration `json:"intermediateLifetime,omitempty"`
	// Root says where the root's key is kept.
	Root RootStore `json:"root,omitempty"`
}

// RootStore says where the root's key is kept: in a directory of the worker
// that serves TaskQueue (the default), or in a Secret of a cluster.
type RootStore struct {
	// Cluster whose Secret landbridge-root-ca keeps the root. Empty: a directory
	// of one worker.
	Cluster string `json:"cluster,omitempty"`
	// TaskQueue of the worker that keeps the root's directory. Default: the
	// fleet's, or the cluster's where Cluster is given.
	TaskQueue string `json:"taskQueue,omitempty"`
}

// Gateways says how the gateways are installed and reached (guide steps 7 to 11).
type Gateways struct {
	// Chart is where Istio's gateway chart comes from.
	Chart Chart `json:"chart,omitempty"`
	// APIPort is the port of the east-west gateway through which kube-apiserver
	// is read, inside mutual TLS. Default: 16443.
	APIPort int `json:"apiPort,omitempty"`
	// DataPlanePort is the port of the east-west gateway for the mesh's own
	// traffic. Default: 15443.
	DataPlanePort int `json:"dataPlanePort,omitempty"`
	// DataPlaneHosts are the hosts that may be reached through DataPlanePort.
	// Default: *.local (every service of the mesh).
	DataPlaneHosts []string `json:"dataPlaneHosts,omitempty"`
	// EastWest says what is there already where Landbridge does not install the
	// east-west gateway.
	EastWest EastWest `json:"eastWest,omitzero"`
	// LoadBalancerTimeout is how long a cloud may take to give the east-west
	// gateway an address. Default: 15m.
	LoadBalancerTimeout Duration `json:"loadBalancerTimeout,omitempty"`
	// ServiceAnnotations go onto the east-west gateway's Service, for the cloud.
	ServiceAnnotations map[string]string `json:"serviceAnnotations,omitempty"`
}

// EastWest is an east-west gateway of one's own, in Istio's namespace and with the
// same names in every cluster. Only the port of the API and its configuration
// are added to it.
type EastWest struct {
	// Manage says whether Landbridge installs the gateway. Default: true.
	Manage *bool `json:"manage,omitempty"`
	// Service of type LoadBalancer. Default: istio-eastwestgateway.
	Service string `json:"service,omitempty"`
	// Labels by which the gateway's pods are selected. Default: istio: eastwestgateway.
	Labels map[string]string `json:"labels,omitempty"`
	// ServiceAccount that the gateway's pods run as: its identity in the mesh.
	// Default: the name of the Service.
	ServiceAccount string `json:"serviceAccount,omitempty"`
}

// Chart is where Istio's gateway chart comes from: embedded (the default), a
// directory of the worker, or an OCI reference pinned by digest.
type Chart struct {
	// Directory is the name of a chart directory below the worker's --chart-dir.
	Directory string `json:"directory,omitempty"`
	// OCI is a reference such as oci://registry.example.com/charts/gateway@sha256:….
	OCI string `json:"oci,omitempty"`
}

// Rollout says how the work is spread and what becomes of failures.
type Rollout struct {
	// MaxParallel is how many clusters, and then how many source clusters' links
	// and how many links of one source, are worked on at once. Default: 10.
	MaxParallel int `json:"maxParallel,omitempty"`
	// OnFailure is undo (the failed cluster or link goes back to what it was) or
	// keep (it stays as it is for a retry). Default: undo.
	OnFailure string `json:"onFailure,omitempty" jsonschema:"enum=undo,enum=keep"`
	// StepTimeout is how long one step may take, retries included, before its
	// cluster or link fails. Default: 15m.
	StepTimeout Duration `json:"stepTimeout,omitempty"`
	// UndoTimeout is how long one step of an undo may take, retries included,
	// before it is left and the error says so. Default: 1h.
	UndoTimeout Duration `json:"undoTimeout,omitempty"`
	// ProofTimeout is how long a link may take until a request goes through it and
	// istiod has read the target. Default: 2m.
	ProofTimeout Duration `json:"proofTimeout,omitempty"`
	// SkipProof leaves the proof of each link out, for workers that may not
	// port-forward. `landbridge verify` still does it.
	SkipProof bool `json:"skipProof,omitempty"`
	// Waves are rolled out one after the other, each to its proof, a canary first.
	// Clusters that none of them names come last. Default: all at once.
	Waves []Wave `json:"waves,omitempty"`
	// Approval is none, or waves: each wave after the first waits for `landbridge
	// approve`. Without it, a wave that fails stops those after it. Default: none.
	Approval string `json:"approval,omitempty" jsonschema:"enum=none,enum=waves"`
}

// Wave is a group of clusters that are rolled out together.
type Wave struct {
	// Name of the wave. Default: wave-1, wave-2 and so on.
	Name string `json:"name,omitempty"`
	// Clusters of the wave, by name.
	Clusters []string `json:"clusters"`
}

// The values of Rollout.Approval.
const (
	ApprovalNone  = "none"
	ApprovalWaves = "waves"
)

// The values of Rollout.OnFailure.
const (
	OnFailureUndo = "undo"
	OnFailureKeep = "keep"
)

// The values of CA.KeyAlgorithm.
const (
	RSA4096   = "RSA-4096"
	ECDSAP256 = "ECDSA-P256"
)
