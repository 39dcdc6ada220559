package fleet

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	// maxFleetName leaves room for what is put around it in labels and IDs.
	maxFleetName = 40
	// maxParallelLimit stays below the 2,000 pending children that Temporal allows.
	maxParallelLimit = 500
)

// Validate checks a fleet that has its defaults and did not come from a file. The
// error is an *InvalidError without lines.
func (f *Fleet) Validate() error {
	ps := &problems{}
	validate(f, ps)
	return ps.err("fleet")
}

func validate(f *Fleet, ps *problems) {
	if now, ok := Renamed(f.APIVersion); ok {
		ps.add("apiVersion", "%s is now called %s", f.APIVersion, now)
	} else if f.APIVersion != APIVersion {
		ps.add("apiVersion", "want %s, got %q", APIVersion, f.APIVersion)
	}
	if f.Kind != Kind {
		ps.add("kind", "want %s, got %q", Kind, f.Kind)
	}
	dnsLabel(ps, "metadata.name", f.Metadata.Name, maxFleetName, "the label landbridge.dev/fleet")
	validateCA(f, ps)
	validateCredentials(f, ps)
	validateSettings(f, ps)
	validateRollout(f.Spec.Rollout, ps)
	validateWaves(f, ps)
	validateReconcile(f.Spec.Reconcile, ps)
	validateNotifications(f.Spec.Notifications, ps)
	validateClusters(f, ps)
	validateSourcesOfClusters(f, ps)
	validateLinks(f, ps)
	validateSize(f, ps)
}

func validateIstio(at string, i Istio, ps *problems) {
	if v := i.Version; v != "" && (!strings.HasPrefix(v, "v") || strings.ContainsAny(v, " /")) {
		ps.add(at+".version", "want a version as Sail names it, such as %s or v1.31-latest, got %q", DefaultIstioVersion, v)
	}
	oneOf(ps, at+".updateStrategy", i.UpdateStrategy, "", UpdateInPlace, UpdateRevisions)
	dnsLabel(ps, at+".name", i.Name, 63, "an Istio resource")
	dnsLabel(ps, at+".namespace", i.Namespace, 63, "a namespace")
	dnsLabel(ps, at+".cniNamespace", i.CNINamespace, 63, "a namespace")
	if i.Namespace == SystemNamespace || i.CNINamespace == SystemNamespace {
		ps.add(at+".namespace", "%s is Landbridge's namespace; choose another one", SystemNamespace)
	}
	if errs := validation.IsDNS1123Subdomain(i.TrustDomain); len(errs) > 0 {
		ps.add(at+".trustDomain", "%q is not a trust domain: %s", i.TrustDomain, reason(errs))
	}
	if d := domainOf(i.Values); d != "" && d != ClusterDomain {
		ps.add(at+".values.global.proxy.clusterDomain", "is %q, and kube-apiserver is reached as kubernetes.default.svc.%s; remove it, or leave out clusters that need it", d, ClusterDomain)
	}
	oneOf(ps, at+".platform", i.Platform, "", "gke", "k3d", "k3s", "microk8s", "minikube", "openshift")
}

func validateCA(f *Fleet, ps *problems) {
	ca := f.Spec.CA
	oneOf(ps, "spec.ca.keyAlgorithm", ca.KeyAlgorithm, RSA4096, ECDSAP256)
	if ca.Issuer.Given() {
		validateIssuer(f, ps)
		return
	}
	lifetime(ps, "spec.ca.rootLifetime", ca.RootLifetime)
	lifetime(ps, "spec.ca.intermediateLifetime", ca.IntermediateLifetime)
	if ps.sound("spec.ca.rootLifetime") && ca.IntermediateLifetime > ca.RootLifetime {
		ps.add("spec.ca.intermediateLifetime", "%s is longer than the root's %s", ca.IntermediateLifetime.Std(), ca.RootLifetime.Std())
	}
	if ca.Root.Cluster != "" {
		known(f, ps, "spec.ca.root.cluster", ca.Root.Cluster)
	} else if ca.Root.Sealed {
		ps.add("spec.ca.root.sealed", "only a Secret of a cluster is sealed; set spec.ca.root.cluster, or leave it out")
	}
}

func validateGateways(at string, g Gateways, ps *problems) {
	if g.Chart.Directory != "" && g.Chart.OCI != "" {
		ps.add(at+".chart", "set directory or oci, not both")
	}
	if d := g.Chart.Directory; d != "" && !localPath(d) {
		ps.add(at+".chart.directory", "%q must name a directory below the worker's --chart-dir, without .. or a leading /", d)
	}
	if o := g.Chart.OCI; o != "" && (!strings.HasPrefix(o, "oci://") || !strings.Contains(o, "@sha256:")) {
		ps.add(at+".chart.oci", "want oci://…@sha256:… (pinned by digest), got %q", o)
	}
	port(ps, at+".apiPort", g.APIPort)
	port(ps, at+".dataPlanePort", g.DataPlanePort)
	if ps.sound(at+".dataPlanePort") && g.APIPort == g.DataPlanePort {
		ps.add(at+".apiPort", "is the same port as dataPlanePort, %d", g.APIPort)
	}
	validateService(at, g, ps)
	validateAddresses(at+".eastWest", g.EastWest, ps)
	if g.EastWest.Managed() {
		validatePods(at+".eastWest", g.EastWest.Pods, ps)
		refuseValues(at+".eastWest", g.EastWest.Values, eastWestValues, ps)
	}
	oneOf(ps, at+".egress.mode", string(g.Egress.Mode), "", string(EgressPerLink), string(EgressShared))
	validatePods(at+".egress", g.Egress.Pods, ps)
	validateNetworkPolicy(at+".egress.networkPolicy", g.Egress.NetworkPolicy, ps)
	if g.LoadBalancerTimeout.Std() < time.Second {
		ps.add(at+".loadBalancerTimeout", "want at least 1s, got %s", g.LoadBalancerTimeout.Std())
	}
}

func validateService(at string, g Gateways, ps *problems) {
	s, service := g.EastWest.Service, at+".eastWest.service"
	oneOf(ps, service+".type", s.Type, "", ServiceLoadBalancer, ServiceNodePort, ServiceClusterIP)
	if s.APIPort != 0 {
		port(ps, service+".apiPort", s.APIPort)
	}
	if s.APIPort == g.DataPlanePort {
		ps.add(service+".apiPort", "is the same port as dataPlanePort, %d", s.APIPort)
	}
	validateServiceNetwork(service, g.EastWest, ps)
	if s.NodePort < 0 || s.NodePort > 65535 {
		ps.add(service+".nodePort", "want a port from 1 to 65535, got %d", s.NodePort)
	}
	if s.NodePort != 0 && s.Type == ServiceClusterIP {
		ps.add(service+".nodePort", "a Service of type ClusterIP has none")
	}
}

func validateRollout(r Rollout, ps *problems) {
	if r.MaxParallel < 1 || r.MaxParallel > maxParallelLimit {
		ps.add("spec.rollout.maxParallel", "want 1 to %d, got %d", maxParallelLimit, r.MaxParallel)
	}
	oneOf(ps, "spec.rollout.onFailure", r.OnFailure, OnFailureUndo, OnFailureKeep)
	if r.StepTimeout.Std() < time.Second {
		ps.add("spec.rollout.stepTimeout", "want at least 1s, got %s", r.StepTimeout.Std())
	}
	if r.UndoTimeout.Std() < time.Second {
		ps.add("spec.rollout.undoTimeout", "want at least 1s, got %s", r.UndoTimeout.Std())
	}
	if r.ProofTimeout.Std() < time.Second {
		ps.add("spec.rollout.proofTimeout", "want at least 1s, got %s", r.ProofTimeout.Std())
	}
}
