package fleet

// ClusterDomain ends the names of Services: Istio's default, and the only one with
// which routes to kube-apiserver work.
const ClusterDomain = "cluster.local"

// domainOf returns the domain that Helm values give Istio, or nothing.
func domainOf(values map[string]any) string {
	v, _ := valueAt(values, []string{"global", "proxy", "clusterDomain"})
	domain, _ := v.(string)
	return domain
}
