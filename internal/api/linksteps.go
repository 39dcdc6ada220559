package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// EnsureEgressConfigInput says where the target is and by which name its API
// server is asked for. Its ref is the source.
type EnsureEgressConfigInput struct {
	LinkRef
	// TLSServerName is the SNI of the inner TLS session, from istiod.
	TLSServerName string  `json:"tlsServerName"`
	Address       Address `json:"address"`
	APIPort       int     `json:"apiPort"`
	TrustDomain   string  `json:"trustDomain"`
	// EastWest is the target's east-west gateway.
	EastWest fleet.EastWest `json:"eastWest,omitzero"`
}

// EnsureExposureInput says what the east-west gateway lets through.
type EnsureExposureInput struct {
	ClusterRef
	Gateways fleet.Gateways `json:"gateways"`
}

// EnsureAccessInput names the link that is let in. Its ref is the target.
type EnsureAccessInput struct {
	LinkRef
	APIPort     int    `json:"apiPort"`
	TrustDomain string `json:"trustDomain"`
	// EastWest is the target's east-west gateway.
	EastWest fleet.EastWest `json:"eastWest,omitzero"`
	// SourceNamespace is where the source's egress gateway runs.
	SourceNamespace string `json:"sourceNamespace"`
}

// GatewaySettings holds what both gateways take from the fleet file.
type GatewaySettings struct {
	Istio    fleet.Istio    `json:"istio"`
	Gateways fleet.Gateways `json:"gateways"`
}

// EnsureEastWestGatewayInput says what the cluster's east-west gateway looks like.
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

// Address says where a cluster's east-west gateway is reached: at a hostname, or at
// one or more IPs.
type Address struct {
	Hostname string   `json:"hostname,omitempty"`
	IPs      []string `json:"ips,omitempty"`
}

// Known says whether there is an address.
func (a Address) Known() bool { return a.Hostname != "" || len(a.IPs) > 0 }

// WaitLoadBalancerInput says how long a cloud may take.
type WaitLoadBalancerInput struct {
	ClusterRef
	// Until is the moment at which waiting ends, for all tries.
	Until time.Time `json:"until"`
	// EastWest is the gateway that the address belongs to.
	EastWest fleet.EastWest `json:"eastWest,omitzero"`
}

// WaitLoadBalancerResult holds the address that the cloud gave.
type WaitLoadBalancerResult struct {
	Address Address `json:"address"`
}

// EnsureReaderInput names a target cluster.
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
}

// EnsureReaderTokenResult holds CA bundle and token, sealed to the source.
type EnsureReaderTokenResult struct {
	fleet.Changes
	Sealed string `json:"sealed,omitempty"`
}

// EnsureRemoteSecretInput holds what the target sealed. Its ref is the source.
type EnsureRemoteSecretInput struct {
	LinkRef
	Sealed        string `json:"sealed"`
	TLSServerName string `json:"tlsServerName"`
}

// EnsureSealingKeyInput names a source cluster.
type EnsureSealingKeyInput struct{ ClusterRef }

// EnsureSealingKeyResult holds the public half of the cluster's key pair.
type EnsureSealingKeyResult struct {
	fleet.Changes
	Recipient string `json:"recipient"`
}
