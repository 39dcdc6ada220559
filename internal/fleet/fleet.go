// Package fleet reads the fleet file: its types, defaults, validation and the
// links that it asks for. It also has the words that everything else shares: names,
// labels, changes, and how messages are cut and counted. It knows neither Temporal
// nor a cluster, and all but Load is pure, so that workflows may call it.
package fleet

// APIVersion and Kind begin every fleet file.
const (
	APIVersion = "landbridge.dev/v1alpha1"
	Kind       = "Fleet"
)

// Fleet describes the clusters and links of one fleet, and how they are rolled
// out.
type Fleet struct {
	// APIVersion must be landbridge.dev/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind must be Fleet.
	Kind string `json:"kind"`
	// Metadata names the fleet.
	Metadata Metadata `json:"metadata"`
	// Spec describes the fleet.
	Spec Spec `json:"spec"`
}

// Metadata names a fleet.
type Metadata struct {
	// Name of the fleet: a DNS label of at most 40 characters. It is the value
	// of the label landbridge.dev/fleet on everything that Landbridge creates.
	Name string `json:"name"`
}

// Spec describes the clusters and links of a fleet, and what runs on them.
type Spec struct {
	// TaskQueue names the Temporal task queue of the fleet's workflows, and of its
	// activities where neither a cluster nor the root names another one. Default:
	// landbridge.
	TaskQueue string `json:"taskQueue,omitempty"`
	// Protected refuses the cleanup of the fleet, and the removal of what left the fleet
	// file. The clusters remember it: to remove something, set it to false and roll that
	// out first. Default: false.
	Protected bool `json:"protected,omitempty"`
	// Adopt says whether gateways, links and remote secrets that a person made under the
	// names that Landbridge gives its own (those of docs/guide.md) become the fleet's. The
	// plan shows what changes of them, and a cleanup gives them back as they were. Default:
	// false.
	Adopt bool `json:"adopt,omitempty"`
	// Istio says which Istio each cluster runs.
	Istio Istio `json:"istio,omitempty"`
	// CA says what the fleet's certificates look like and where the root is kept.
	CA CA `json:"ca,omitempty"`
	// Credentials says how long the sources' credentials live.
	Credentials Credentials `json:"credentials,omitzero"`
	// Gateways says how the gateways are installed and reached.
	Gateways Gateways `json:"gateways,omitempty"`
	// Rollout says how the work is spread and what a failure leads to.
	Rollout Rollout `json:"rollout,omitempty"`
	// Reconcile says how a worker treats the Fleet resource that the fleet is kept in, if it is.
	Reconcile Reconcile `json:"reconcile,omitzero"`
	// Notifications name the channels that hear of the fleet's runs. Default: none.
	Notifications []Notification `json:"notifications,omitempty"`
	// Management says who reads the management cluster.
	Management Management `json:"management,omitzero"`
	// Clusters of the fleet. May be left out with clustersFrom.
	Clusters []Cluster `json:"clusters,omitempty"`
	// ClustersFrom names objects of the management cluster, such as those of Argo CD, each of
	// which is a cluster of the fleet, beside those of clusters. Default: none.
	ClustersFrom []ClusterSource `json:"clustersFrom,omitempty"`
	// Links between the clusters: mesh, hub or a list. Default: mesh.
	Links Links `json:"links,omitempty"`
}

// Istio says which Istio each cluster runs (guide step 6).
type Istio struct {
	// Manage says whether Landbridge installs Istio by the Sail operator. Set false
	// for an existing Istio, whoever installed it: it stays as it is, after a cleanup
	// too. Default: true.
	Manage *bool `json:"manage,omitempty"`
	// Revision of an existing Istio (istio.io/rev). Default: default.
	Revision string `json:"revision,omitempty"`
	// Version that Sail installs, with its v, or one of Sail's aliases, such as
	// v1.31-latest. Default: the one that was rolled out last or runs, or else the newest
	// that the operator of every cluster knows.
	Version string `json:"version,omitempty"`
	// Name of the Istio and IstioCNI resources. Default: default.
	Name string `json:"name,omitempty"`
	// UpdateStrategy says how Sail changes the version: InPlace, or RevisionBased, by an
	// istiod of the new version beside the old one. The revision of each version is named
	// after it, such as default-v1-31-3: namespaces ask for it by the label istio.io/rev, or
	// by an IstioRevisionTag. Default: InPlace.
	UpdateStrategy string `json:"updateStrategy,omitempty" jsonschema:"enum=InPlace,enum=RevisionBased"`
	// Namespace of the control plane and its gateways. Default: istio-system.
	Namespace string `json:"namespace,omitempty"`
	// CNINamespace is where the CNI plugin lives. Default: istio-cni.
	CNINamespace string `json:"cniNamespace,omitempty"`
	// MeshID names the mesh that all clusters are part of. Default: the fleet's name.
	MeshID string `json:"meshID,omitempty"`
	// TrustDomain of the mesh's workload identities. Default: cluster.local.
	TrustDomain string `json:"trustDomain,omitempty"`
	// Platform names the profile of Istio's charts: gke, k3d, k3s, microk8s, minikube
	// or openshift. Default: none.
	Platform string `json:"platform,omitempty" jsonschema:"enum=,enum=gke,enum=k3d,enum=k3s,enum=microk8s,enum=minikube,enum=openshift"`
	// Values are merged over the Helm values that Landbridge gives the Istio resource.
	Values map[string]any `json:"values,omitempty"`
	// CNIValues are merged over those that Landbridge gives the IstioCNI resource, such
	// as cni.cniBinDir, cni.chained or cni.ambient.
	CNIValues map[string]any `json:"cniValues,omitempty"`
}

// CA says what the fleet's certificates look like (guide steps 2 and 3).
type CA struct {
	// Manage says whether Landbridge issues the clusters' intermediates. Set false
	// where each cluster has an existing CA, under a root that they share. Default:
	// the same as spec.istio.manage.
	Manage *bool `json:"manage,omitempty"`
	// Organization in the subject of every CA certificate. Default: the fleet's name.
	Organization string `json:"organization,omitempty"`
	// CommonName in the subject of the root. Default: Root CA.
	CommonName string `json:"commonName,omitempty"`
	// KeyAlgorithm of every key: RSA-4096, as the guide has it, or ECDSA-P256. Where it or
	// the lifetime changes, intermediates are issued anew; a root stays as it was made.
	// Default: RSA-4096.
	KeyAlgorithm string `json:"keyAlgorithm,omitempty" jsonschema:"enum=RSA-4096,enum=ECDSA-P256"`
	// RootLifetime says how long the root is valid. Default: 87600h (3650 days).
	RootLifetime Duration `json:"rootLifetime,omitempty"`
	// IntermediateLifetime says how long a cluster's intermediate is valid. In the last third
	// of that time each rollout renews it, and so does a schedule that the rollout sets up,
	// unless it lives as long as the root. Default: 8760h (365 days), or the root's lifetime
	// where that is shorter.
	IntermediateLifetime Duration `json:"intermediateLifetime,omitempty"`
	// Root says where the root's key is kept.
	Root RootStore `json:"root,omitempty"`
	// Issuer names a CA of others that signs the intermediates; then Landbridge makes and
	// keeps no root.
	Issuer Issuer `json:"issuer,omitzero"`
}

// RootStore says where the root's key is kept: in a directory of the worker
// that serves the task queue (the default), or in a Secret of a cluster.
type RootStore struct {
	// Cluster whose Secret landbridge-root-ca keeps the root. Empty: a directory
	// of one worker.
	Cluster string `json:"cluster,omitempty"`
	// Sealed encrypts that Secret to the age identity that the workers have
	// (--root-identity-file), so that who reads the cluster's Secrets has no root.
	Sealed bool `json:"sealed,omitempty"`
	// TaskQueue of the worker that keeps the root's directory. Default: the task queue
	// of that cluster, or else of the fleet.
	TaskQueue string `json:"taskQueue,omitempty"`
}

// Gateways says how the gateways are installed and reached (guide steps 7 to 11).
type Gateways struct {
	// Chart says where Istio's gateway chart comes from.
	Chart Chart `json:"chart,omitempty"`
	// APIPort of the east-west gateway leads to the kube-apiserver, inside mutual TLS.
	// Default: 16443.
	APIPort int `json:"apiPort,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// DataPlanePort of the east-west gateway leads to the services of the mesh.
	// Default: 15443.
	DataPlanePort int `json:"dataPlanePort,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// DataPlaneHosts may be reached through the data plane port. Default: *.local
	// (every service of the mesh).
	DataPlaneHosts []string `json:"dataPlaneHosts,omitempty"`
	// EastWest says whether Landbridge installs the east-west gateway, or how an
	// existing one is found.
	EastWest EastWest `json:"eastWest,omitzero"`
	// Egress says how the egress gateways run, through which the cluster reaches the API
	// servers of others, and who may connect to them.
	Egress Egress `json:"egress,omitzero"`
	// LoadBalancerTimeout limits how long a cloud may take to give the east-west
	// gateway an address. Default: 15m.
	LoadBalancerTimeout Duration `json:"loadBalancerTimeout,omitempty"`
}

// Chart says where Istio's gateway chart comes from: from within the worker (the
// default), a directory of the worker, or an OCI reference pinned by digest.
type Chart struct {
	// Directory names a chart directory below the worker's --chart-dir.
	Directory string `json:"directory,omitempty"`
	// OCI names a chart in a registry, pinned by digest, such as oci://registry.example.com/charts/gateway@sha256:….
	OCI string `json:"oci,omitempty"`
}

// Rollout says how the work is spread and what a failure leads to.
type Rollout struct {
	// MaxParallel limits how many clusters are worked on at once, and after them how
	// many source clusters, and how many links of one source. Default: 10.
	MaxParallel int `json:"maxParallel,omitempty" jsonschema:"minimum=1,maximum=500"`
	// OnFailure says what a failure leads to: undo puts the failed cluster or link
	// back to what it was, keep leaves it as it is for a retry. Default: undo.
	OnFailure string `json:"onFailure,omitempty" jsonschema:"enum=undo,enum=keep"`
	// StepTimeout limits how long one step may take, retries included. After it the
	// cluster or link of the step fails. Default: 15m.
	StepTimeout Duration `json:"stepTimeout,omitempty"`
	// UndoTimeout limits how long the undo of one step may take, retries included.
	// After it the error names what is left. Default: 1h.
	UndoTimeout Duration `json:"undoTimeout,omitempty"`
	// ProofTimeout limits how long a link may take until a request goes through it and
	// istiod has read the target. Default: 2m.
	ProofTimeout Duration `json:"proofTimeout,omitempty"`
	// SkipProof leaves out the proof of each link, for workers that may not
	// port-forward. `landbridge verify` still proves them. Default: false.
	SkipProof bool `json:"skipProof,omitempty"`
	// Waves are rolled out one after the other, each to its proof, a canary first.
	// Clusters that no wave names come last. Default: one wave of all clusters.
	Waves []Wave `json:"waves,omitempty"`
	// Prune says when `rollout --prune` removes what left the fleet file: last, as a wave
	// after all others, or first, as one before them, where a cluster takes the place of
	// another. Default: last.
	Prune string `json:"prune,omitempty" jsonschema:"enum=last,enum=first"`
	// Approval says what a wave waits for: with waves, each wave after the first waits
	// for `landbridge approve`, unless a plan finds nothing to change in it, and so does
	// one that removes; with none, a wave that fails stops the waves after it.
	// Default: none.
	Approval string `json:"approval,omitempty" jsonschema:"enum=none,enum=waves"`
	// Approvers says who may approve a wave: anyone, or others than who asked for the
	// rollout. Default: anyone.
	Approvers string `json:"approvers,omitempty" jsonschema:"enum=anyone,enum=others"`
}

// Wave groups clusters that are rolled out together.
type Wave struct {
	// Name of the wave. Default: wave-1, wave-2 and so on.
	Name string `json:"name,omitempty"`
	// Clusters of the wave, by name.
	Clusters []string `json:"clusters"`
}

// The values of Rollout.Prune.
const (
	PruneLast  = "last"
	PruneFirst = "first"
)

// The values of Rollout.Approval.
const (
	ApprovalNone  = "none"
	ApprovalWaves = "waves"
)

// The values of Rollout.Approvers.
const (
	ApproversAnyone = "anyone"
	ApproversOthers = "others"
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
