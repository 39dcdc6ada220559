package fleet

import "fmt"

// ownValues lists the Helm values of Istio that follow from fields of the fleet file. One
// that says something else would leave the gateways, the certificates or the other
// clusters without the knowledge of it.
var ownValues = []struct {
	path []string
	// field names where the value is set, and want what that is.
	field string
	want  func(Settings, Cluster) string
}{
	{[]string{"global", "network"}, "the cluster's network", func(_ Settings, c Cluster) string { return c.Network }},
	{[]string{"global", "multiCluster", "clusterName"}, "the cluster's name (its clusterID)", func(_ Settings, c Cluster) string { return c.ID() }},
	{[]string{"global", "meshID"}, "istio.meshID", func(s Settings, _ Cluster) string { return s.Istio.MeshID }},
	{[]string{"global", "platform"}, "istio.platform", func(s Settings, _ Cluster) string { return s.Istio.Platform }},
	{[]string{"global", "istioNamespace"}, "istio.namespace", func(s Settings, _ Cluster) string { return s.Istio.Namespace }},
	{[]string{"meshConfig", "trustDomain"}, "istio.trustDomain", func(s Settings, _ Cluster) string { return s.Istio.TrustDomain }},
	{[]string{"revision"}, "istio.name", func(s Settings, _ Cluster) string { return s.Istio.Rev() }},
}

// validateValues refuses values that contradict the file, for each cluster. What the
// fleet's own values say wrong is reported once.
func validateValues(f *Fleet, ps *problems) {
	for i, c := range f.Spec.Clusters {
		s := f.Settings(c)
		at := "spec.istio.values"
		if len(c.Istio.Values) > 0 {
			at = fmt.Sprintf("spec.clusters[%d].istio.values", i)
		}
		for _, own := range ownValues {
			got, set := valueAt(s.Istio.Values, own.path)
			path := at
			for _, key := range own.path {
				path += "." + key
			}
			if want := own.want(s, c); set && fmt.Sprint(got) != want && !ps.reported(path) {
				ps.add(path, "%v contradicts %s, which is %q for cluster %s; leave it out, and set that instead", got, own.field, want, c.Name)
			}
		}
	}
}

// valueAt returns what a path of keys leads to, and whether there is something.
func valueAt(values map[string]any, path []string) (any, bool) {
	var at any = values
	for _, key := range path {
		m, _ := at.(map[string]any)
		next, ok := m[key]
		if !ok || next == nil {
			return nil, false
		}
		at = next
	}
	return at, true
}

// reported says whether there is a problem at a path already.
func (ps *problems) reported(path string) bool {
	for _, p := range ps.list {
		if p.Path == path {
			return true
		}
	}
	return false
}
