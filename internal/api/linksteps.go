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
}

// EnsureExposureInput describes the gateway that the API server is exposed on.
type EnsureExposureInput struct {
	ClusterRef
	Gateways fleet.Gateways `json:"gateways"`
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

// EnsureReaderInput names the target cluster whose readers get their rights.
type EnsureReaderInput struct {
	ClusterRef
	// Revision of the cluster's Istio.
	Revision string `json:"revision"`
}

// EnsureReaderTokenInput names the link, the key to seal to, and the name that
// the API server's certificate must have. Its ref is the target.
type EnsureReaderTokenInput struct {
	LinkRef
	Recipient     string `json:"recipient"`
	TLSServerName string `json:"tlsServerName"`
	// ServerNameUnchecked leaves the check to the proof: the way there ends TLS.
	ServerNameUnchecked bool `json:"serverNameUnchecked,omitempty"`
}

// EnsureReaderTokenResult holds what the source needs to read the target's API server.
type EnsureReaderTokenResult struct {
	fleet.Changes
	// Sealed holds CA bundle and token, which only the source's age key opens.
	Sealed string `json:"sealed,omitempty"`
}

// EnsureRemoteSecretInput holds the token that the target sealed. Its ref is the source.
type EnsureRemoteSecretInput struct {
	LinkRef
	Sealed        string `json:"sealed"`
	TLSServerName string `json:"tlsServerName"`
}

// EnsureSealingKeyInput names the source cluster that gets an age key pair.
type EnsureSealingKeyInput struct{ ClusterRef }

// EnsureSealingKeyResult holds the public half of the cluster's key pair.
type EnsureSealingKeyResult struct {
	fleet.Changes
	// Recipient starts with "age1".
	Recipient string `json:"recipient"`
}
