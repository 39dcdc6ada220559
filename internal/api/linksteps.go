package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// EnsureEgressConfigInput tells where the target is, and by which name istiod asks for
// its API server. Its ref is the source.
type EnsureEgressConfigInput struct {
	LinkRef
	// TLSServerName is the SNI of the inner TLS session, from istiod.
	TLSServerName string `json:"tlsServerName"`
	// Address at which the target's east-west gateway is reached, and APIPort on it
	// (guide: 16443).
	Address     fleet.Address `json:"address"`
	APIPort     int           `json:"apiPort"`
	TrustDomain string        `json:"trustDomain"`
	// EastWest is the target's east-west gateway, and TargetNamespace where it is.
	EastWest        fleet.EastWest `json:"eastWest,omitzero"`
	TargetNamespace string         `json:"targetNamespace"`
	// Mode of the source's egress gateway, and Port that it has for this target where it is
	// shared.
	Mode fleet.EgressMode `json:"mode,omitempty"`
	Port int              `json:"port,omitempty"`
}

// GatewayPort returns the port on which the pods of the egress gateway take istiod's
// connections for the target.
func (in EnsureEgressConfigInput) GatewayPort() int {
	if in.Mode.Shared() {
		return in.Port
	}
	return fleet.EgressPort
}

// EnsureExposureInput describes the gateway that the API server is exposed on.
type EnsureExposureInput struct {
	ClusterRef
	Gateways fleet.Gateways `json:"gateways"`
	// Guide lists the identities of the guide's egress gateways for this cluster, where its
	// mesh is adopted or given back.
	Guide []string `json:"guide,omitempty"`
}

// EnsureAccessInput names the link whose source the target lets in. Its ref is the
// target.
type EnsureAccessInput struct {
	LinkRef
	APIPort     int    `json:"apiPort"`
	TrustDomain string `json:"trustDomain"`
	// EastWest is the target's east-west gateway.
	EastWest fleet.EastWest `json:"eastWest,omitzero"`
	// SourceNamespace names the namespace of the source's egress gateway.
	SourceNamespace string `json:"sourceNamespace"`
	// Mode of the source's egress gateway. With BothModes the identity of the other mode is let
	// in, too: the source has not left that one yet.
	Mode      fleet.EgressMode `json:"mode,omitempty"`
	BothModes bool             `json:"bothModes,omitempty"`
}

// GatewaySettings holds what both gateways take from the fleet file.
type GatewaySettings struct {
	Istio    fleet.Istio    `json:"istio"`
	Gateways fleet.Gateways `json:"gateways"`
}

// EnsureEastWestGatewayInput describes the cluster's east-west gateway.
type EnsureEastWestGatewayInput struct {
	ClusterRef
	GatewaySettings
	Network string `json:"network"`
}

// EnsureEgressGatewayInput names the link that the gateway serves.
type EnsureEgressGatewayInput struct {
	LinkRef
	GatewaySettings
	// Port that the source's shared egress gateway has for the target, where it has that mode.
	Port int `json:"port,omitempty"`
}

// WaitLoadBalancerInput limits how long a cloud may take to give an address.
type WaitLoadBalancerInput struct {
	ClusterRef
	// Limit says how long to wait, from when the step may begin: a rollout can be paused
	// before it.
	Limit time.Duration `json:"-"`
	// Until sets the moment at which waiting ends, for all tries. Begin fills it in.
	Until time.Time `json:"until"`
	// EastWest names the gateway that the address belongs to.
	EastWest fleet.EastWest `json:"eastWest,omitzero"`
}

// Begin sets the end of the wait when the step may begin.
func (in *WaitLoadBalancerInput) Begin(now time.Time) { in.Until = now.Add(in.Limit) }

// WaitLoadBalancerResult holds the address that the cloud gave.
type WaitLoadBalancerResult struct {
	Address fleet.Address `json:"address"`
}

// EnsureReaderInput names the link whose source gets an account in the target. Its ref is
// the target.
type EnsureReaderInput struct {
	LinkRef
	// ReadsSecrets gives the account Istio's own role, which reads every Secret: the source's
	// istiod cannot do without. Revision of the target's Istio is in that role's name.
	ReadsSecrets bool   `json:"readsSecrets,omitempty"`
	Revision     string `json:"revision"`
	// SourceRevision is that of the source's Istio, which reads the settings of the target's
	// mesh under it.
	SourceRevision string `json:"sourceRevision,omitempty"`
}

// EnsureReaderTokenInput names the link, the key to seal to, and the name that
// the API server's certificate must have. Its ref is the target.
type EnsureReaderTokenInput struct {
	LinkRef
	Recipient     string `json:"recipient"`
	TLSServerName string `json:"tlsServerName"`
	// ServerNameUnchecked leaves the check to the proof: the way there ends TLS.
	ServerNameUnchecked bool `json:"serverNameUnchecked,omitempty"`
	// Lifetime of a new token. Zero: it does not end by itself.
	Lifetime time.Duration `json:"lifetime,omitempty"`
	// IssuedBefore has a token replaced that was issued before that moment, due or not.
	IssuedBefore time.Time `json:"issuedBefore,omitzero"`
}

// EnsureReaderTokenResult holds what the source needs to read the target's API server.
type EnsureReaderTokenResult struct {
	fleet.Changes
	TokenFacts
	// Secret names the one that has the token.
	Secret string `json:"secret,omitempty"`
	// Sealed holds CA bundle and token, which only the source's age key opens.
	Sealed string `json:"sealed,omitempty"`
	// Before holds the same of the token that was in force before, where this one is new.
	Before string `json:"before,omitempty"`
	// Older counts the source's other tokens.
	Older int `json:"older,omitempty"`
}

// TokenFacts tells when a source's token was issued and when it ends. One that does not end by
// itself has no Ends.
type TokenFacts struct {
	Issued time.Time `json:"issued,omitzero"`
	Ends   time.Time `json:"ends,omitzero"`
}

// RetireReaderTokensInput names the link, and the Secret of the token that stays in force. Its
// ref is the target.
type RetireReaderTokensInput struct {
	LinkRef
	Keep string `json:"keep"`
}

// EnsureRemoteSecretInput holds the token that the target sealed. Its ref is the source.
type EnsureRemoteSecretInput struct {
	LinkRef
	Sealed        string `json:"sealed"`
	TLSServerName string `json:"tlsServerName"`
	// NewToken tells a plan that the token would be another one than before.
	NewToken bool `json:"newToken,omitempty"`
	// Mode of the source's egress gateway.
	Mode fleet.EgressMode `json:"mode,omitempty"`
	// KeepMode keeps the mode that the remote secret has, where there is one.
	KeepMode bool `json:"keepMode,omitempty"`
	// OnlyReplace writes nothing where there is no remote secret.
	OnlyReplace bool `json:"onlyReplace,omitempty"`
}

// EnsureSealingKeyInput names the source cluster that gets an age key pair.
type EnsureSealingKeyInput struct{ ClusterRef }

// EnsureSealingKeyResult holds the public half of the cluster's key pair.
type EnsureSealingKeyResult struct {
	fleet.Changes
	// Recipient starts with "age1".
	Recipient string `json:"recipient"`
}
