package fleet

import (
	"fmt"
	"net/netip"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	// maxFleetName leaves room for what is put around it in labels and IDs.
	maxFleetName = 40
	// maxClusterName follows from Helm: kube-apiserver-<name>-egress-gateway must
	// fit into the 53 characters of a release name.
	maxClusterName = 53 - len("kube-apiserver--egress-gateway")
	// maxParallelLimit stays below the 2,000 pending children that Temporal allows.
	maxParallelLimit = 500
)

// Validate says what is wrong with a defaulted fleet that did not come from a
// file, as an *InvalidError without lines.
func (f *Fleet) Validate() error {
	ps := &problems{}
	validate(f, ps)
	return ps.err("fleet")
}

func validate(f *Fleet, ps *problems) {
	if f.APIVersion != APIVersion {
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
		ps.add("spec.istio.namespace", "%s is Landbridge's own namespace; take another one", SystemNamespace)
	}
	if errs := validation.IsDNS1123Subdomain(i.TrustDomain); len(errs) > 0 {
		ps.add("spec.istio.trustDomain", "%q is not a trust domain: %s", i.TrustDomain, errs[0])
	}
	oneOf(ps, "spec.istio.platform", i.Platform, "", "gke", "k3d", "k3s", "microk8s", "minikube", "openshift")
}

func validateCA(f *Fleet, ps *problems) {
	ca := f.Spec.CA
	oneOf(ps, "spec.ca.keyAlgorithm", ca.KeyAlgorithm, RSA4096, ECDSAP256)
	lifetime(ps, "spec.ca.rootLifetime", ca.RootLifetime)
	lifetime(ps, "spec.ca.intermediateLifetime", ca.IntermediateLifetime)
	if ca.IntermediateLifetime > ca.RootLifetime {
		ps.add("spec.ca.intermediateLifetime", "%s is longer than the root's %s", ca.IntermediateLifetime.Std(), ca.RootLifetime.Std())
	}
	if c := ca.Root.Cluster; c != "" {
		if _, ok := f.Cluster(c); !ok {
			ps.add("spec.ca.root.cluster", "no cluster of this fleet is called %q", c)
		}
	}
}

func validateGateways(g Gateways, ps *problems) {
	if g.Chart.Directory != "" && g.Chart.OCI != "" {
		ps.add("spec.gateways.chart", "give directory or oci, not both")
	}
	if d := g.Chart.Directory; d != "" && !localPath(d) {
		ps.add("spec.gateways.chart.directory", "%q must name a directory below the worker's --chart-dir, without .. or a leading /", d)
	}
	if o := g.Chart.OCI; o != "" && (!strings.HasPrefix(o, "oci://") || !strings.Contains(o, "@sha256:")) {
		ps.add("spec.gateways.chart.oci", "want oci://…@sha256:… (pinned by digest), got %q", o)
	}
	port(ps, "spec.gateways.apiPort", g.APIPort)
	port(ps, "spec.gateways.dataPlanePort", g.DataPlanePort)
	if g.APIPort == g.DataPlanePort {
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
	if r.UndoTimeout != 0 && r.UndoTimeout.Std() < time.Second { // 0 is of runs begun before there was a limit
		ps.add("spec.rollout.undoTimeout", "want at least 1s, got %s", r.UndoTimeout.Std())
	}
	if r.ProofTimeout != 0 && r.ProofTimeout.Std() < time.Second { // 0 is of runs begun before there was a proof
		ps.add("spec.rollout.proofTimeout", "want at least 1s, got %s", r.ProofTimeout.Std())
	}
}

func validateClusters(clusters []Cluster, ps *problems) {
	if len(clusters) == 0 {
		ps.add("spec.clusters", "a fleet needs at least one cluster")
	}
	named, network, access := map[string]int{}, map[string]int{}, map[Kubeconfig]int{}
	for i, c := range clusters {
		at := fmt.Sprintf("spec.clusters[%d]", i)
		dnsLabel(ps, at+".name", c.Name, maxClusterName, "the Helm release kube-apiserver-<name>-egress-gateway")
		if strings.Contains(c.Name, "-to-") {
			ps.add(at+".name", "must not contain -to-, which stands between source and target in the names of identities")
		}
		dnsLabel(ps, at+".network", c.Network, 63, "the label topology.istio.io/network")
		if c.Kubeconfig.Path != "" && !localPath(c.Kubeconfig.Path) {
			ps.add(at+".kubeconfig.path", "%q must name a file below one of the worker's kubeconfig directories, without .. or a leading /", c.Kubeconfig.Path)
		}
		if c.Kubeconfig == (Kubeconfig{}) && len(clusters) > 1 {
			ps.add(at+".kubeconfig", "give path or context: the default kubeconfig's current context can only be one cluster")
		}
		if n := c.APIServer.TLSServerName; n != "" && len(validation.IsDNS1123Subdomain(n)) > 0 || isIP(n) {
			ps.add(at+".apiServer.tlsServerName", "%q is not a DNS name (an IP cannot be an SNI)", n)
		}
		twice(ps, named, c.Name, i, at+".name", "name")
		twice(ps, network, c.Network, i, at+".network", "network")
		if c.Kubeconfig != (Kubeconfig{}) {
			twice(ps, access, c.Kubeconfig, i, at+".kubeconfig", "API server (kubeconfig and context)")
		}
	}
}

func validateLinks(f *Fleet, ps *problems) {
	known := func(at, name string) {
		if _, ok := f.Cluster(name); !ok {
			ps.add(at, "no cluster of this fleet is called %q", name)
		}
	}
	if h := f.Spec.Links.Hub; h != nil {
		known("spec.links.hub.cluster", h.Cluster)
		oneOf(ps, "spec.links.hub.direction", h.Direction, "both", "out", "in")
	}
	seen := map[Link]int{}
	for i, l := range f.Spec.Links.List {
		at := fmt.Sprintf("spec.links[%d]", i)
		known(at+".from", l.From)
		known(at+".to", l.To)
		if l.From == l.To {
			ps.add(at, "a link from %q to itself; a control plane reads its own API server anyway", l.From)
		}
		twice(ps, seen, l, i, at, "link")
	}
}

func lifetime(ps *problems, at string, d Duration) {
	if d.Std() < 24*time.Hour {
		ps.add(at, "a CA certificate must live for at least 24h, got %s", d.Std())
	}
}

func port(ps *problems, at string, n int) {
	if n < 1 || n > 65535 || n == 15021 {
		ps.add(at, "want a port from 1 to 65535 other than 15021 (the gateway's status port), got %d", n)
	}
}

func twice[K comparable](ps *problems, seen map[K]int, key K, i int, at, what string) {
	if first, ok := seen[key]; ok {
		ps.add(at, "the same %s as item %d of the list; each needs its own", what, first)
		return
	}
	seen[key] = i
}

func dnsLabel(ps *problems, at, v string, most int, use string) {
	switch errs := validation.IsDNS1123Label(v); {
	case v == "":
		ps.add(at, "is required")
	case utf8.RuneCountInString(v) > most:
		ps.add(at, "%q has %s; at most %d fit into %s", v, Count(utf8.RuneCountInString(v), "character"), most, use)
	case len(errs) > 0:
		ps.add(at, "%q is not a DNS label: lower case letters, digits and -, starting and ending with a letter or digit", v)
	}
}

func oneOf(ps *problems, at, v string, allowed ...string) {
	for _, a := range allowed {
		if v == a {
			return
		}
	}
	ps.add(at, "want one of %q, got %q", allowed, v)
}

// localPath says whether a path stays below the directory that it is joined to.
func localPath(p string) bool {
	clean := path.Clean(p)
	return !path.IsAbs(p) && clean != ".." && !strings.HasPrefix(clean, "../") && clean != "."
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
