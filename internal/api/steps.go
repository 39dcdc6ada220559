package api

import (
	"github.com/landbridge/landbridge/internal/fleet"
)

// EnsureIntermediateKeyInput says what the cluster's intermediate is to be, and
// under which root.
type EnsureIntermediateKeyInput struct {
	ClusterRef
	Spec    IntermediateSpec `json:"spec"`
	RootPEM string           `json:"rootPEM"`
}

// EnsureIntermediateKeyResult is a CSR, or the news that none is needed.
type EnsureIntermediateKeyResult struct {
	fleet.Changes
	// Current says that the cluster has a good cacerts already.
	Current bool   `json:"current"`
	CSR     string `json:"csr,omitempty"`
	// Facts of the certificate that is good.
	Facts CertificateFacts `json:"facts,omitzero"`
}

// EnsureCACertsInput is the certificate for the key that waits in the cluster.
type EnsureCACertsInput struct {
	ClusterRef
	// Current says that the cluster has a good cacerts already.
	Current bool   `json:"current"`
	RootPEM string `json:"rootPEM"`
	CertPEM string `json:"certPEM"`
}

// EnsureInventoryInput is the part of the fleet that a cluster remembers.
type EnsureInventoryInput struct {
	ClusterRef
	Part fleet.Fleet `json:"part"`
}

// ReleaseInventoryInput names the cluster whose record is let go.
type ReleaseInventoryInput struct{ ClusterRef }

// ReleaseInventoryResult says whether the run had held it.
type ReleaseInventoryResult struct {
	Released bool `json:"released"`
}

// CheckInventoryInput names a cluster that is to be cleaned up.
type CheckInventoryInput struct{ ClusterRef }

// CheckInventoryResult is what the cluster remembers, or nothing.
type CheckInventoryResult struct {
	Inventory *fleet.Fleet `json:"inventory,omitempty"`
}

// EnsureIstioInput says which Istio the cluster runs.
type EnsureIstioInput struct {
	ClusterRef
	Istio   fleet.Istio `json:"istio"`
	Network string      `json:"network"`
}

// WaitIstioInput names what is waited for.
type WaitIstioInput struct {
	ClusterRef
	Name string `json:"name"`
}

// WaitIstioResult says what Sail says.
type WaitIstioResult struct {
	State string `json:"state"`
}

// EnsureNamespacesInput names the cluster's network.
type EnsureNamespacesInput struct {
	ClusterRef
	Network string `json:"network"`
	// OnlyControlPlane leaves the CNI plugin's namespace out: Istio is there already.
	OnlyControlPlane bool `json:"onlyControlPlane,omitempty"`
}

// EnsureRootInput says what the root looks like.
type EnsureRootInput struct {
	RootRef
	CA fleet.CA `json:"ca"`
}

// EnsureRootResult is the public half of the root.
type EnsureRootResult struct {
	fleet.Changes
	CertPEM string           `json:"certPEM"`
	Facts   CertificateFacts `json:"facts"`
}

// SignIntermediateInput is a cluster's CSR.
type SignIntermediateInput struct {
	RootRef
	CSR  string           `json:"csr"`
	Spec IntermediateSpec `json:"spec"`
}

// IntermediateSpec says what a cluster's intermediate looks like.
type IntermediateSpec struct {
	Cluster      string         `json:"cluster"`
	Organization string         `json:"organization"`
	DNSName      string         `json:"dnsName"`
	KeyAlgorithm string         `json:"keyAlgorithm"`
	Lifetime     fleet.Duration `json:"lifetime"`
}

// SignIntermediateResult is the certificate, which is public.
type SignIntermediateResult struct {
	CertPEM string           `json:"certPEM"`
	Facts   CertificateFacts `json:"facts"`
}
