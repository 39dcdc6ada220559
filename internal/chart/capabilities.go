package chart

import (
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	helmkube "helm.sh/helm/v3/pkg/kube"
	"k8s.io/client-go/discovery"
)

// reachable spares Helm the question before each action whether the API server answers: the
// action's first request says so, too.
type reachable struct{ *helmkube.Client }

// IsReachable implements helmkube.Interface.
func (reachable) IsReachable() error { return nil }

// knowCapabilities tells Helm what charts ask of a cluster: its version and its kinds. Helm by
// itself asks the API server for all of that at each release.
func (r *Releases) knowCapabilities() error {
	if r.cfg.Capabilities != nil {
		return nil
	}
	version, err := r.w.ServerVersion()
	if err != nil {
		return fmt.Errorf("ask for the version of Kubernetes: %w", err)
	}
	// A group of the API that nobody answers for is none that the chart is about.
	kinds, err := action.GetVersionSet(r.w.Kinds())
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return fmt.Errorf("ask for the kinds of the cluster: %w", err)
	}
	r.cfg.Capabilities = &chartutil.Capabilities{APIVersions: kinds, HelmVersion: chartutil.DefaultCapabilities.HelmVersion,
		KubeVersion: chartutil.KubeVersion{Version: version.GitVersion, Major: version.Major, Minor: version.Minor}}
	return nil
}
