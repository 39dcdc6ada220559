package fleet

import "slices"

// The labels, annotations and names by which Landbridge knows what it made.
// Everything that it creates carries LabelFleet; cleanup works from that alone.
const (
	// Domain is the API group, and the prefix of labels and annotations.
	Domain = "landbridge.dev"

	// LabelFleet names the fleet that an object belongs to.
	LabelFleet = Domain + "/fleet"
	// LabelLink names the link that an object belongs to: <source>.<target>.
	LabelLink = Domain + "/link"
	// LabelAddress marks the endpoint of a target that is tried before the others.
	LabelAddress = Domain + "/address"
	// LabelComponent says which step an object belongs to.
	LabelComponent = "app.kubernetes.io/component"
	// LabelManagedBy and ManagedBy mark what Helm did not make.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	ManagedBy      = "landbridge"
	// LabelNetwork is Istio's name for a cluster's network.
	LabelNetwork = "topology.istio.io/network"

	// AnnotationRun names the run that created an object. An undo removes only what
	// its own run created.
	AnnotationRun = Domain + "/created-by-run"
	// AnnotationApplied has the hash of the manifest that was applied last, so that a
	// field that left the manifest is noticed without a write.
	AnnotationApplied = Domain + "/applied"
	// AnnotationReason and AnnotationRequestedBy tell why and on whose behalf an
	// object was last written, such as a change number.
	AnnotationReason      = Domain + "/reason"
	AnnotationRequestedBy = Domain + "/requested-by"
	// AnnotationAdopted lists the labels that were added to a namespace that was
	// there before; they are all that cleanup takes off it.
	AnnotationAdopted = Domain + "/adopted-labels"

	// AnnotationOriginal names the Secret that keeps what an adopted object was.
	AnnotationOriginal = Domain + "/original"

	// AnnotationProxy has the image of the proxy that istiod injected into a gateway's pod,
	// so that pods are made anew where istiod injects another one.
	AnnotationProxy = Domain + "/proxy-image"

	// AnnotationPort names the fleet for which a Service of somebody else's got the
	// port of the API.
	AnnotationPort = Domain + "/port-of-fleet"

	// AnnotationOtherPods keeps, on the NetworkPolicy of an egress gateway, whether a pod
	// that is not istiod got a connection, when that was tried, and with which generation.
	AnnotationOtherPods = Domain + "/other-pods"

	// SystemNamespace belongs to Landbridge in every cluster. It holds the inventory,
	// the sealing key and, where a cluster keeps it, the root.
	SystemNamespace = "landbridge-system"
	// InventoryName names the ConfigMap that holds the fleet as last applied.
	InventoryName = "landbridge-inventory"
	// EastWestGateway names the release, Service and service account of step 7.
	EastWestGateway = "istio-eastwestgateway"
	// EgressPort is where an egress gateway takes istiod's connections.
	EgressPort = 443

	// DefaultRevision is Istio's name for a control plane without a revision of its own.
	DefaultRevision = "default"
	// CACerts is Istio's name for the Secret with the CA of a cluster.
	CACerts = "cacerts"
	// IstioCNIName names the IstioCNI of a cluster: its kind allows no other name.
	IstioCNIName = "default"
	// IstiodPods selects the pods of every istiod, and its Deployments, whatever the
	// revision.
	IstiodPods = "app=istiod"
)

// EgressGateway names the Helm release, Deployment and Service through which a
// cluster reaches the target's kube-apiserver (guide step 10).
func EgressGateway(target string) string { return "kube-apiserver-" + target + "-egress-gateway" }

// Principal names a service account's identity as AuthorizationPolicies do. Its SPIFFE ID is that
// after "spiffe://".
func Principal(trustDomain, namespace, account string) string {
	return trustDomain + "/ns/" + namespace + "/sa/" + account
}

// GuideIdentities lists the principals under which the sources of a cluster reach it as the guide
// has them: the chart names the account of a gateway like its release.
func (f *Fleet) GuideIdentities(cluster string) (out []string) {
	for _, source := range f.Sources(cluster) {
		istio := f.Settings(source).Istio
		if of := Principal(istio.TrustDomain, istio.Namespace, EgressGateway(cluster)); !slices.Contains(out, of) {
			out = append(out, of)
		}
	}
	return out
}

// EgressIdentity names the service account of the egress gateway of one link. It has
// source and target in it, so that the target can tell its readers apart.
func EgressIdentity(l Link) string { return "kube-apiserver-" + l.From + "-to-" + l.To }

// TunnelHost returns the host name of a target's kube-apiserver inside the mesh. The
// mutual TLS between the gateways carries it as its SNI.
func TunnelHost(target, namespace string) string {
	return "kube-apiserver-" + target + "." + namespace + ".svc.cluster.local"
}

// RemoteSecret names the Secret that tells istiod of a target.
func RemoteSecret(target string) string { return "istio-remote-secret-" + target }

// WorkflowID returns the one ID under which everything that changes a fleet runs.
func WorkflowID(fleet string) string { return "landbridge." + fleet }

// ScheduleID returns the ID of the schedule that checks a fleet for drift.
func ScheduleID(fleet string) string { return WorkflowID(fleet) + ".drift" }
