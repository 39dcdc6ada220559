package api

// RestartResult tells what RestartFleet restarted, and whether the links of that source
// carry requests since.
type RestartResult struct {
	Fleet   string `json:"fleet"`
	Cluster string `json:"cluster"`
	// Restarted names the Deployments of istiod.
	Restarted []string `json:"restarted"`
	// Links has the proof of each link of which the cluster is the source. It is empty with
	// spec.rollout.skipProof.
	Links []CheckLinkResult `json:"links"`
}

// RestartIstiodInput names the cluster whose istiods are restarted, one Deployment after the
// other.
type RestartIstiodInput struct {
	ClusterRef
	// Mark tells one restart from another: a second try does not restart again.
	Mark string `json:"mark"`
}

// RestartIstiodResult names the Deployments.
type RestartIstiodResult struct {
	Restarted []string `json:"restarted"`
}
