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
	validateIstio(f.Spec.Istio, ps)
	validateCA(f, ps)
	validateGateways(f.Spec.Gateways, ps)
	validateExisting(f.Spec, ps)
	validateRollout(f.Spec.Rollout, ps)
	validateWaves(f, ps)
	validateClusters(f.Spec.Clusters, ps)
	validateLinks(f, ps)
}

func validateIstio(i Istio, ps *problems) {
	if !strings.HasPrefix(i.Version, "v") || strings.ContainsAny(i.Version, " /") {
		ps.add("spec.istio.version", "want a version as Sail names it, such as v1.31.0, got %q", i.Version)
	}
	dnsLabel(ps, "spec.istio.name", i.Name, 63, "an Istio resource")
	dnsLabel(ps, "spec.istio.namespace", i.Namespace, 63, "a namespace")
	dnsLabel(ps, "spec.istio.cniNamespace", i.CNINamespace, 63, "a namespace")
	if i.Namespace == SystemNamespace || i.CNINamespace == SystemNamespace {
		ps.add("spec.istio.namespace", "%s is Landbridge's namespace; choose another one", SystemNamespace)
	}
	if errs := validation.IsDNS1123Subdomain(i.TrustDomain); len(errs) > 0 {
		ps.add("spec.istio.trustDomain", "%q is not a trust domain: %s", i.TrustDomain, reason(errs))
	}
	oneOf(ps, "spec.istio.platform", i.Platform, "", "gke", "k3d", "k3s", "microk8s", "minikube", "openshift")
}

func validateCA(f *Fleet, ps *problems) {
	ca := f.Spec.CA
	oneOf(ps, "spec.ca.keyAlgorithm", ca.KeyAlgorithm, RSA4096, ECDSAP256)
	lifetime(ps, "spec.ca.rootLifetime", ca.RootLifetime)
	lifetime(ps, "spec.ca.intermediateLifetime", ca.IntermediateLifetime)
	if ps.sound("spec.ca.rootLifetime") && ca.IntermediateLifetime > ca.RootLifetime {
		ps.add("spec.ca.intermediateLifetime", "%s is longer than the root's %s", ca.IntermediateLifetime.Std(), ca.RootLifetime.Std())
	}
	if ca.Root.Cluster != "" {
		known(f, ps, "spec.ca.root.cluster", ca.Root.Cluster)
	}
}

func validateGateways(g Gateways, ps *problems) {
	if g.Chart.Directory != "" && g.Chart.OCI != "" {
		ps.add("spec.gateways.chart", "set directory or oci, not both")
	}
	if d := g.Chart.Directory; d != "" && !localPath(d) {
		ps.add("spec.gateways.chart.directory", "%q must name a directory below the worker's --chart-dir, without .. or a leading /", d)
	}
	if o := g.Chart.OCI; o != "" && (!strings.HasPrefix(o, "oci://") || !strings.Contains(o, "@sha256:")) {
		ps.add("spec.gateways.chart.oci", "want oci://…@sha256:… (pinned by digest), got %q", o)
	}
	port(ps, "spec.gateways.apiPort", g.APIPort)
	port(ps, "spec.gateways.dataPlanePort", g.DataPlanePort)
	if ps.sound("spec.gateways.dataPlanePort") && g.APIPort == g.DataPlanePort {
		ps.add("spec.gateways.apiPort", "is the same port as dataPlanePort, %d", g.APIPort)
	}
	if g.LoadBalancerTimeout.Std() < time.Second {
		ps.add("spec.gateways.loadBalancerTimeout", "want at least 1s, got %s", g.LoadBalancerTimeout.Std())
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
