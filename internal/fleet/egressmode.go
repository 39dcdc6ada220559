package fleet

import "fmt"

// EgressMode says how many egress gateways a source has. What it names differs by mode, so
// that a link has both ways at once while it changes from one mode to the other.
type EgressMode string

// The modes. An empty one is EgressPerLink.
const (
	// EgressPerLink has one gateway for each target, with an identity for each link.
	EgressPerLink EgressMode = "perLink"
	// EgressShared has one gateway for all targets of a source. Each target has a Service of
	// its own that leads to a port of its own, so that two targets with one server name are
	// told apart.
	EgressShared EgressMode = "shared"
)

const (
	// ComponentEgress is the component of both sorts of egress gateways, in their labels.
	ComponentEgress = "egress-gateway"
	// SharedEgressGateway names the Helm release and the Deployment that all links of a
	// source share.
	SharedEgressGateway = "kube-apiservers-egress-gateway"
	// FirstSharedPort and LastSharedPort bound the ports that a shared egress gateway has for
	// its targets: as many as a fleet may have members.
	FirstSharedPort = 20001
	LastSharedPort  = FirstSharedPort + MaxMembers - 1
	// MaxMembers of one fleet.
	MaxMembers = 500
	// ManyTargets is the number of targets from which on a plan recommends EgressShared.
	ManyTargets = 5
)

// Shared says whether all links of a source use one gateway.
func (m EgressMode) Shared() bool { return m == EgressShared }

// Other returns the mode that a link leaves when it gets this one.
func (m EgressMode) Other() EgressMode {
	if m.Shared() {
		return EgressPerLink
	}
	return EgressShared
}

// Gateway names the Helm release and the Deployment through which a source reaches the target,
// which is its pods' label app, too.
func (m EgressMode) Gateway(target string) string {
	if m.Shared() {
		return SharedEgressGateway
	}
	return EgressGateway(target)
}

// Service names the Service to which the source's istiod connects for the target, and the
// Gateway and VirtualService behind it.
func (m EgressMode) Service(target string) string {
	if m.Shared() {
		return "kube-apiserver-" + target + "-egress"
	}
	return EgressGateway(target)
}

// Identity names the service account of the egress gateway that a link uses. It has the source
// in it, so that a target can tell its readers apart, and the target, where the gateway serves
// that one alone.
func (m EgressMode) Identity(l Link) string {
	if m.Shared() {
		return "kube-apiserver-reader-" + l.From
	}
	return EgressIdentity(l)
}

// Server returns the URL that a remote secret gives istiod.
func (m EgressMode) Server(target, namespace string) string {
	return fmt.Sprintf("https://%s.%s.svc.cluster.local:%d", m.Service(target), namespace, EgressPort)
}
