package fleet

import "fmt"

// The labels, annotations and names by which Landbridge knows its own things.
// Everything that it creates carries LabelFleet; cleanup works from that alone.
const (
	// Domain is the API group, and the prefix of labels and annotations.
	Domain = "landbridge.dev"

	// LabelFleet names the fleet that an object belongs to.
	LabelFleet = Domain + "/fleet"
	// LabelLink names the link that an object belongs to: <source>.<target>.
	LabelLink = Domain + "/link"
	// LabelComponent says which step an object belongs to.
	LabelComponent = "app.kubernetes.io/component"
	// LabelManagedBy and ManagedBy mark what Helm did not make.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	ManagedBy      = "landbridge"
	// LabelNetwork is Istio's name for a cluster's network.
	LabelNetwork = "topology.istio.io/network"

	// AnnotationRun is the run that created an object. An undo removes only what
	// its own run created.
	AnnotationRun = Domain + "/created-by-run"
	// AnnotationApplied is the hash of what was last applied, so that a field that
	// left the wanted state is noticed without a write.
	AnnotationApplied = Domain + "/applied"
	// AnnotationReason and AnnotationRequestedBy are why and on whose behalf an
	// object was last written, such as a change number.
	AnnotationReason      = Domain + "/reason"
	AnnotationRequestedBy = Domain + "/requested-by"
	// AnnotationAdopted lists the labels that were added to a namespace that was
	// there before; they are all that cleanup takes off it.
	AnnotationAdopted = Domain + "/adopted-labels"

	// AnnotationPort names the fleet for which a Service of somebody else's got the
	// port of the API.
	AnnotationPort = Domain + "/port-of-fleet"

	// SystemNamespace is Landbridge's own namespace in every cluster: the record,
	// the sealing key and, where it is kept in a cluster, the root.
	SystemNamespace = "landbridge-system"
	// InventoryName is the ConfigMap that remembers the fleet as last applied.
	InventoryName = "landbridge-inventory"
	// EastWestGateway is the release, Service and service account of step 7.
	EastWestGateway = "istio-eastwestgateway"
	// EgressPort is where an egress gateway takes istiod's connections.
	EgressPort = 443

	// CACerts is Istio's name for the Secret with the CA of a cluster.
	CACerts = "cacerts"
	// IstiodPods selects the pods of every istiod, and its Deployments, whatever the
	// revision.
	IstiodPods = "app=istiod"
)

// EgressGateway is the Helm release, Deployment and Service through which a
// cluster reaches the target's kube-apiserver (guide step 10).
func EgressGateway(target string) string { return "kube-apiserver-" + target + "-egress-gateway" }

// EgressIdentity is the service account of the egress gateway of one link. It
// names source and target, so that the target can tell its readers apart.
func EgressIdentity(l Link) string { return "kube-apiserver-" + l.From + "-to-" + l.To }

// TunnelHost is the name inside the mesh by which a target's kube-apiserver is
// addressed and which the mutual TLS between the gateways carries as its SNI.
func TunnelHost(target, namespace string) string {
	return "kube-apiserver-" + target + "." + namespace + ".svc.cluster.local"
}

// EgressServer is the URL that a remote secret gives istiod.
func EgressServer(target, namespace string) string {
	return fmt.Sprintf("https://%s.%s.svc.cluster.local:%d", EgressGateway(target), namespace, EgressPort)
}

// RemoteSecret is the name of the Secret that tells istiod of a target.
func RemoteSecret(target string) string { return "istio-remote-secret-" + target }

// ReaderToken is the name of the token Secret, in the target, of one source.
func ReaderToken(source string) string { return "istio-remote-secret-token-" + source }

// WorkflowID is the one ID under which everything that changes a fleet runs.
func WorkflowID(fleet string) string { return "landbridge." + fleet }
