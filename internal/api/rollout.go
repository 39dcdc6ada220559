package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// ClusterInput holds one cluster's part of the fleet.
type ClusterInput struct {
	ClusterRef ClusterRef `json:"cluster"`
	Root       RootRef    `json:"root"`
	RootPEM    string     `json:"rootPEM"`
	// TrustPEM has the roots that are trusted beside each other while the root is changed.
	TrustPEM string `json:"trustPEM,omitempty"`
	Network  string `json:"network"`
	// Part of the fleet that the cluster remembers.
	Part fleet.Fleet `json:"part"`
	// IstioVersion is the real version behind that of the part, which may be an alias.
	IstioVersion string `json:"istioVersion,omitempty"`
	// Memory tells which member it is, beside that part.
	Memory  fleet.Memory  `json:"memory"`
	Rollout fleet.Rollout `json:"rollout"`
	// IsSource says that a link begins at the cluster.
	IsSource bool `json:"isSource"`
}

// ClusterResult holds what links need of a cluster, all of it public.
type ClusterResult struct {
	Address fleet.Address `json:"address"`
	// Recipient is the public half of the cluster's sealing key.
	Recipient string `json:"recipient,omitempty"`
	// Certificate describes the cluster's intermediate. It is empty where a plan would make one.
	Certificate CertificateFacts `json:"certificate,omitzero"`
	fleet.Changes
}

// CheckFleetInput holds the fleet that CheckFleet looks at.
type CheckFleetInput struct {
	ClusterRef
	Fleet fleet.Fleet `json:"fleet"`
}

// CheckFleetResult says what is wrong in it, or is empty.
type CheckFleetResult struct {
	Wrong string `json:"wrong,omitempty"`
}

// FleetResult tells what a rollout did, or would do.
type FleetResult struct {
	Fleet string           `json:"fleet"`
	Root  CertificateFacts `json:"root"`
	// RootUnlike tells in what the root differs from the fleet file. No rollout changes that.
	RootUnlike []string      `json:"rootUnlike,omitempty"`
	Clusters   []ClusterDone `json:"clusters"`
	Links      []string      `json:"links"`
	// IstioChosen tells which version of Istio was chosen, and why, where the fleet file
	// names none.
	IstioChosen string `json:"istioChosen,omitempty"`
	// Applied tells which fleet file this was, and Last which one was applied before.
	Applied fleet.Applied `json:"applied,omitzero"`
	Last    fleet.Applied `json:"last,omitzero"`
	// Proven counts the links that were proven.
	Proven int `json:"proven"`
	// Renewed counts the links whose source got a new token in the place of another one.
	Renewed int `json:"renewed,omitempty"`
	// Intermediates lists the clusters that got a new one by a rotation.
	Intermediates []string `json:"intermediates,omitempty"`
	// RootChange tells where a change of the root is after a rotation brought it on.
	RootChange *RootChanged `json:"rootChange,omitempty"`
	// Open lists the links to whose egress gateway any pod of the source gets a connection,
	// since its network enforces no NetworkPolicies. A rollout with proofs tries it; a plan
	// tells what was found last.
	Open []Unit `json:"open,omitempty"`
	// ReadsSecrets lists the clusters that, as sources, may read every Secret of their targets.
	ReadsSecrets []string `json:"readsSecrets,omitempty"`
	// Tokens sums up those of the links.
	Tokens Tokens `json:"tokens,omitzero"`
	// Pruned lists what left the fleet file and was removed; Stale what left it and
	// still exists.
	Pruned fleet.Stale `json:"pruned"`
	Stale  fleet.Stale `json:"stale"`
	// Skipped lists the units that somebody decided to leave out.
	Skipped []Unit `json:"skipped,omitempty"`
	// Decisions tell who steered the rollout, when and why.
	Decisions []Decision `json:"decisions,omitempty"`
	// Unreachable lists the members that did not answer: a plan tells nothing of them and of
	// their links. Only PlanFleet fills it.
	Unreachable []Failure `json:"unreachable,omitempty"`
	// Advice tells what would serve the fleet better than what its file says. Only PlanFleet
	// fills it.
	Advice []string `json:"advice,omitempty"`
	// Found tells which clusters the sources of the fleet list, and Passed which of their
	// objects are no clusters now.
	Found  []FoundCluster `json:"found,omitempty"`
	Passed []string       `json:"passed,omitempty"`
	// Plan tells what would be done, unit by unit. Only PlanFleet fills it.
	Plan []PlannedUnit `json:"plan,omitempty"`
}

// ClusterDone describes a cluster that is rolled out.
type ClusterDone struct {
	Name          string `json:"name"`
	Version       string `json:"version"`
	TLSServerName string `json:"tlsServerName"`
	// ServerNameUnchecked says that only the proof of a link shows whether that is good.
	ServerNameUnchecked bool          `json:"serverNameUnchecked,omitempty"`
	Address             fleet.Address `json:"address"`
	// Istio tells which versions ran before, and which one was wanted.
	Istio IstioVersions `json:"istio,omitzero"`
	// Counts has the number of objects by what the rollout did to them.
	Counts map[fleet.Action]int `json:"counts"`
	// Certificate describes the cluster's intermediate.
	Certificate CertificateFacts `json:"certificate,omitzero"`
}

// PlannedUnit tells what would be done to one unit.
type PlannedUnit struct {
	Unit    Unit           `json:"unit"`
	Changes []fleet.Change `json:"changes"`
}

// LinkSettings holds what the links of one source take from the fleet file, and that
// source's gateways.
type LinkSettings struct {
	GatewaySettings
	Rollout fleet.Rollout `json:"rollout"`
	// ReadsSecrets says that the source's istiod has to read every Secret of its targets.
	ReadsSecrets bool `json:"readsSecrets,omitempty"`
	// Tokens says how long they live. One that was issued before IssuedBefore is replaced,
	// due or not.
	Tokens       fleet.Tokens `json:"tokens,omitzero"`
	IssuedBefore time.Time    `json:"issuedBefore,omitzero"`
}

// Target holds what a link needs of the cluster whose API server is read.
type Target struct {
	ClusterRef          ClusterRef `json:"cluster"`
	TLSServerName       string     `json:"tlsServerName"`
	ServerNameUnchecked bool       `json:"serverNameUnchecked,omitempty"`
	// Address at which the source reaches the east-west gateway, and APIPort on that
	// gateway.
	Address fleet.Address `json:"address"`
	APIPort int           `json:"apiPort"`
	// EastWest tells how that gateway is found and who it is.
	EastWest fleet.EastWest `json:"eastWest,omitzero"`
	// Revision of the target's Istio.
	Revision string `json:"revision"`
}

// LinksInput names one source cluster and all its targets.
type LinksInput struct {
	LinkSettings
	Source    ClusterRef `json:"source"`
	Recipient string     `json:"recipient"`
	Targets   []Target   `json:"targets"`
	// TokensOnly gives each link a token where that is due or asked for, and does no more.
	TokensOnly bool `json:"tokensOnly,omitempty"`
	// LeavesEgress says that the source has egress gateways of the other mode, too.
	LeavesEgress bool `json:"leavesEgress,omitempty"`
}

// LinksResult tells what became of one source's links.
type LinksResult struct {
	Done []string `json:"done,omitempty"`
	// Proven counts those of Done whose proof was seen.
	Proven int `json:"proven,omitempty"`
	// Renewed counts those whose source got a new token in the place of another one.
	Renewed int `json:"renewed,omitempty"`
	// Open lists those of Done to whose egress gateway any pod of the source gets a
	// connection.
	Open     []string  `json:"open,omitempty"`
	Failures []Failure `json:"failures,omitempty"`
	// Changes has a plan's changes by link ID. A rollout leaves it empty: the result of
	// each RolloutLink has them.
	Changes map[string]fleet.Changes `json:"changes,omitempty"`
	// Tokens sums up those of Done.
	Tokens Tokens `json:"tokens,omitzero"`
	// Egress has a plan's changes of the egress gateway that the links share.
	Egress fleet.Changes `json:"egress,omitzero"`
	// Left tells why the shared gateway that no link uses any more could not be removed.
	Left *Failure `json:"left,omitempty"`
}

// LinkInput describes one direction of access: the source's istiod reads the target.
type LinkInput struct {
	LinkSettings
	Link      fleet.Link `json:"link"`
	Source    ClusterRef `json:"source"`
	Recipient string     `json:"recipient"`
	Target    Target     `json:"target"`
	// EgressPort is the port that the source's shared egress gateway has for the target.
	EgressPort int `json:"egressPort,omitempty"`
	// LeavesEgress says that the link has an egress gateway of the other mode, too.
	LeavesEgress bool `json:"leavesEgress,omitempty"`
	// KeepEgress has the link go through the egress gateway that it uses, whatever its mode.
	KeepEgress bool `json:"keepEgress,omitempty"`
}

// LinkResult tells what a link changed, with its proof.
type LinkResult struct {
	fleet.Changes
	// Proof is nil where the fleet file skips it, and in a plan.
	Proof *CheckLinkResult `json:"proof,omitempty"`
	// Token of the source. Renewed says that it is new, and took the place of another one.
	Token   TokenFacts `json:"token,omitzero"`
	Renewed bool       `json:"renewed,omitempty"`
}

// Ends returns the references by which the activities of a link address its source and its
// target.
func (in LinkInput) Ends() (source, target LinkRef) {
	return LinkRef{ClusterRef: in.Source, Link: in.Link, TargetID: in.Target.ClusterRef.ClusterID}, LinkRef{ClusterRef: in.Target.ClusterRef, Link: in.Link}
}

// FleetInput starts every workflow that works on a whole fleet.
type FleetInput struct {
	// Contract of the command that made the input.
	Contract int `json:"contract,omitempty"`
	// Fleet is the fleet file with its defaults filled in.
	Fleet fleet.Fleet `json:"fleet"`
	// Prune removes clusters and links that left the fleet file.
	Prune bool `json:"prune,omitempty"`
	// TakeOver goes ahead where a dead run of another Temporal has the lock.
	TakeOver bool `json:"takeOver,omitempty"`
	// DryRun changes nothing, and reports what would change.
	DryRun bool `json:"dryRun,omitempty"`
	// FromInventories says that there is no fleet file: Fleet has the name and some
	// clusters, and their inventories have the rest, as it was applied last.
	FromInventories bool `json:"fromInventories,omitempty"`
	// Applied says that Fleet comes from what the clusters remember of that rollout. Where
	// another one came since, the input is refused.
	Applied *fleet.Applied `json:"applied,omitempty"`
	// Plan has a rollout do what was planned, or nothing. Nil: it does what is to be done.
	Plan *Plan `json:"plan,omitempty"`
	// Force removes control planes that pods still need.
	Force bool `json:"force,omitempty"`
	// ForceConflicts overwrites what somebody else changed since the last rollout.
	ForceConflicts bool `json:"forceConflicts,omitempty"`
	// ForceVersion rolls out a version of Istio that skips a minor release, or goes back.
	ForceVersion bool `json:"forceVersion,omitempty"`
	// SelfHeal has a drift check that finds drift roll the fleet out, with ForceConflicts.
	// That rollout has SelfHeal too, and changes no cluster without an inventory.
	SelfHeal bool `json:"selfHeal,omitempty"`
	// Root tells where a root goes to that is moved, exported or imported.
	Root RootChange `json:"root,omitzero"`
	// Render has PlanFleet note each object as it would be applied.
	Render bool `json:"render,omitempty"`
	// Forget names the member that ForgetFleet has the others forget.
	Forget string `json:"forget,omitempty"`
	// Revoke lists the links that RevokeFleet shuts.
	Revoke []fleet.Link `json:"revoke,omitempty"`
	// Restart names the member whose istiods RestartFleet restarts.
	Restart string `json:"restart,omitempty"`
	// Rotate says what RotateFleet renews.
	Rotate *Rotation `json:"rotate,omitempty"`
	// Passed tells of the objects of the sources that are no clusters now. The start of a run
	// fills it.
	Passed []string `json:"passed,omitempty"`
	// OnlyClusters has CheckFleet tell which clusters the sources list, and check nothing.
	OnlyClusters bool `json:"onlyClusters,omitempty"`
	// Request tells who asked for the change, and why.
	fleet.Request
}

// Ref returns the reference by which activities address a cluster.
func (in FleetInput) Ref(c fleet.Cluster, run string) ClusterRef {
	f := in.Fleet
	istio := f.Settings(c).Istio
	return ClusterRef{Contract: Contract, Fleet: f.Metadata.Name, Cluster: c.Name, ClusterID: c.ClusterID, Kubeconfig: c.Kubeconfig, TaskQueue: c.TaskQueue,
		Namespace: istio.Namespace, CNINamespace: istio.CNINamespace,
		Run: run, TakeOver: in.TakeOver, MustExist: in.SelfHeal, DryRun: in.DryRun, ForceConflicts: in.ForceConflicts, Adopt: f.Spec.Adopt, Render: in.Render, Request: in.Request}
}

// FleetRef returns the reference of an activity that talks to Temporal about the fleet,
// and to no cluster.
func (in FleetInput) FleetRef(run string) ClusterRef {
	return in.Ref(fleet.Cluster{TaskQueue: in.Fleet.Spec.TaskQueue}, run)
}

// RootRef returns the place of the root: a cluster, or the directory of a worker, or its
// issuer.
func (in FleetInput) RootRef(run string) RootRef {
	root, issuer := in.Fleet.Spec.CA.Root, in.Fleet.Spec.CA.Issuer
	if issuer.Given() {
		root = fleet.RootStore{Cluster: issuer.CertManager.Cluster, TaskQueue: issuer.CFSSL.TaskQueue}
	}
	if c, ok := in.Fleet.Cluster(root.Cluster); ok {
		return RootRef{ClusterRef: in.Ref(c, run), Sealed: root.Sealed, Issuer: issuer}
	}
	s := in.Ref(fleet.Cluster{}, run)
	s.TaskQueue = root.TaskQueue
	return RootRef{ClusterRef: s, Issuer: issuer}
}
