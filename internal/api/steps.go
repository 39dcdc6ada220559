package api

import (
	"github.com/landbridge/landbridge/internal/fleet"
)

// EnsureIntermediateKeyInput describes the cluster's intermediate and names its root.
type EnsureIntermediateKeyInput struct {
	ClusterRef
	Spec    IntermediateSpec `json:"spec"`
	RootPEM string           `json:"rootPEM"`
	// TrustPEM has the roots that are trusted beside each other while the root is changed;
	// RootPEM is the one of them that signs.
	TrustPEM string `json:"trustPEM,omitempty"`
	// Anew asks for a key though the cluster has a good cacerts.
	Anew bool `json:"anew,omitempty"`
}

// EnsureIntermediateKeyResult holds a CSR, or says that none is needed.
type EnsureIntermediateKeyResult struct {
	fleet.Changes
	// Current says that the cluster has a good cacerts already.
	Current bool   `json:"current"`
	CSR     string `json:"csr,omitempty"`
	// Facts of that cacerts.
	Facts CertificateFacts `json:"facts,omitzero"`
}

// EnsureCACertsInput holds the certificate for the key that waits in the cluster.
type EnsureCACertsInput struct {
	ClusterRef
	// Current says that the cluster has a good cacerts already.
	Current bool   `json:"current"`
	RootPEM string `json:"rootPEM"`
	CertPEM string `json:"certPEM"`
	// TrustPEM has the roots that are trusted beside each other while the root is changed.
	TrustPEM string `json:"trustPEM,omitempty"`
	// KeepBefore keeps the cacerts that was in force, for PutBackCACerts.
	KeepBefore bool `json:"keepBefore,omitempty"`
}

// EnsureInventoryInput holds the part of the fleet that a cluster remembers.
type EnsureInventoryInput struct {
	ClusterRef
	Part   fleet.Fleet  `json:"part"`
	Memory fleet.Memory `json:"memory"`
}

// ReleaseInventoryInput names the cluster whose inventory is unlocked.
type ReleaseInventoryInput struct{ ClusterRef }

// ReleaseInventoryResult says whether the run had the lock.
type ReleaseInventoryResult struct {
	Released bool `json:"released"`
}

// CheckInventoryInput names a cluster before its cleanup.
type CheckInventoryInput struct{ ClusterRef }

// CheckInventoryResult holds what the cluster remembers, or nothing.
type CheckInventoryResult struct {
	Inventory *fleet.Fleet `json:"inventory,omitempty"`
	// Memory belongs to the inventory.
	Memory fleet.Memory `json:"memory,omitzero"`
}

// EnsureIstioInput says which Istio the cluster runs.
type EnsureIstioInput struct {
	ClusterRef
	Istio   fleet.Istio `json:"istio"`
	Network string      `json:"network"`
	// DualStack has Istio serve IPv6 where pods have IPv4, too.
	DualStack bool `json:"dualStack,omitempty"`
}

// WaitIstioInput names the resources to wait for.
type WaitIstioInput struct {
	ClusterRef
	Name string `json:"name"`
}

// WaitIstioResult holds the state that Sail reports.
type WaitIstioResult struct {
	State string `json:"state"`
}

// BindReadersInput names the revision of the Istio that was installed.
type BindReadersInput struct {
	ClusterRef
	Revision string `json:"revision"`
}

// EnsureNamespacesInput names the cluster's network.
type EnsureNamespacesInput struct {
	ClusterRef
	Network string `json:"network"`
	// OnlyControlPlane leaves the CNI plugin's namespace out, for an existing Istio.
	OnlyControlPlane bool `json:"onlyControlPlane,omitempty"`
}

// EnsureRootInput describes the root.
type EnsureRootInput struct {
	RootRef
	CA fleet.CA `json:"ca"`
	// Known lists the roots that the members remember or run with. Where there is one, no
	// other is made.
	Known []MemberRoot `json:"known,omitempty"`
	// Next tells how far every member is in a change of the root.
	Next fleet.NextRoot `json:"next,omitzero"`
}

// MemberRoot names the root of a fleet as one of its members knows it.
type MemberRoot struct {
	Cluster string `json:"cluster"`
	fleet.KnownRoot
}

// EnsureRootResult holds the public half of the root.
type EnsureRootResult struct {
	fleet.Changes
	// CertPEM of the root that signs. While the root is changed that may be the next one, and
	// TrustPEM has both.
	CertPEM  string `json:"certPEM"`
	TrustPEM string `json:"trustPEM,omitempty"`
	// Facts of the root that the members know.
	Facts CertificateFacts `json:"facts"`
	// Kept names the place where the root is kept.
	Kept string `json:"kept,omitempty"`
	// Unlike tells in what the root differs from the fleet file.
	Unlike []string `json:"unlike,omitempty"`
}

// SignIntermediateInput holds a cluster's CSR.
type SignIntermediateInput struct {
	RootRef
	// Member is the cluster that made the CSR.
	Member ClusterRef       `json:"member"`
	CSR    string           `json:"csr"`
	Spec   IntermediateSpec `json:"spec"`
	// RootPEM holds the root that signs, at which what an issuer signs must end, too.
	RootPEM string `json:"rootPEM,omitempty"`
}

// IntermediateSpec describes a cluster's intermediate.
type IntermediateSpec struct {
	Cluster      string         `json:"cluster"`
	Organization string         `json:"organization"`
	DNSName      string         `json:"dnsName"`
	KeyAlgorithm string         `json:"keyAlgorithm"`
	Lifetime     fleet.Duration `json:"lifetime"`
	// Issuer says that a CA of others signs, which has names and a lifetime of its own.
	Issuer bool `json:"issuer,omitempty"`
}

// SignIntermediateResult holds the certificate, which is public. The issuer's CAs between it
// and the root may follow it.
type SignIntermediateResult struct {
	CertPEM string           `json:"certPEM"`
	Facts   CertificateFacts `json:"facts"`
}
