package api

import "github.com/landbridge/landbridge/internal/fleet"

// RotateClusterInput names the member whose intermediate RotateCluster renews.
type RotateClusterInput struct {
	ClusterRef ClusterRef       `json:"cluster"`
	Root       RootRef          `json:"root"`
	RootPEM    string           `json:"rootPEM"`
	Spec       IntermediateSpec `json:"spec"`
	// Anew renews it though it is not in the last third of its life.
	Anew    bool          `json:"anew,omitempty"`
	Rollout fleet.Rollout `json:"rollout"`
	// Phase of a change of the root that the member is brought to, or nil.
	Phase *MemberPhase `json:"phase,omitempty"`
	// TrustPEM has the roots that are trusted beside each other while the root is changed.
	TrustPEM string `json:"trustPEM,omitempty"`
	// Links of the member, by their sources: those that carry requests before must do so
	// afterwards. There are none where proofs are left out.
	Links []VerifyLinksInput `json:"links,omitempty"`
}

// RotateClusterResult describes the intermediate that is in force.
type RotateClusterResult struct {
	fleet.Changes
	// Renewed says that it is new.
	Renewed     bool             `json:"renewed,omitempty"`
	Certificate CertificateFacts `json:"certificate,omitzero"`
	// Proven counts the links that were proven with it.
	Proven int `json:"proven,omitempty"`
}

// WaitIntermediateInput names the certificate of the CA that each istiod is to work with.
type WaitIntermediateInput struct {
	ClusterRef
	CertPEM string `json:"certPEM"`
}

// WaitIntermediateResult counts the istiod pods that work with it.
type WaitIntermediateResult struct {
	Istiods int `json:"istiods"`
}

// PutBackCACertsInput names the cluster that gets back the cacerts which the run replaced.
type PutBackCACertsInput struct{ ClusterRef }

// RetireCACertsInput names the cluster whose cacerts of before the run is not needed any more.
type RetireCACertsInput struct{ ClusterRef }
