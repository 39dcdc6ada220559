package fleet

import (
	"slices"
	"strings"
)

// chartValue is a value of the gateway chart that Landbridge sets, and why a file may not.
type chartValue struct{ path, instead string }

const ofLandbridge = "is set by Landbridge; leave it out"

// chartValues lists the values of the gateway chart that gateways[].values may not set:
// those by which links, policies and proofs find a gateway, and those that have a field.
var chartValues = slices.Concat([]chartValue{
	{"_internal_defaults_do_not_set", "is not to be set; set the values themselves"},
	{"defaults", "is not to be set; set the values themselves"},
	{"name", ofLandbridge},
	{"revision", "follows from istio.name, or from istio.revision of an existing Istio; set that instead"},
	{"platform", "follows from istio.platform; set that instead"},
	{"global.platform", "follows from istio.platform; set that instead"},
	{"kind", ofLandbridge},
	{"rbac", "would let the gateway read Secrets; leave it out"},
	{"serviceAccount.create", ofLandbridge},
	{"serviceAccount.name", "is the gateway's identity in the mesh and set by Landbridge; leave it out"},
	{"labels.app", ofLandbridge},
	{"labels.istio", ofLandbridge},
	{"networkGateway", "would replace the ports of the Service; leave it out"},
	{"networkGatewayPorts", ofLandbridge},
	{"env.ISTIO_META_REQUESTED_NETWORK_VIEW", ofLandbridge},
	{"service.type", "is service.type of the east-west gateway, and ClusterIP of an egress gateway; leave it out"},
	{"service.ports", ofLandbridge},
	{"service.selectorLabels", ofLandbridge},
	{"replicaCount", "has a field; set replicas instead"},
	{"autoscaling.minReplicas", "has a field; set replicas instead"},
}, sameField("resources", "podDisruptionBudget", "topologySpreadConstraints", "affinity", "tolerations", "nodeSelector",
	"priorityClassName", "imagePullSecrets", "podAnnotations"))

// eastWestValues lists those that have a field at the east-west gateway only.
var eastWestValues = []chartValue{
	{"service.annotations", "has a field; set service.annotations instead"},
	{"service.loadBalancerClass", "has a field; set service.loadBalancerClass instead"},
	{"service.loadBalancerSourceRanges", "has a field; set service.sourceRanges instead"},
	{"service.externalTrafficPolicy", "has a field; set service.externalTrafficPolicy instead"},
	{"service.ipFamilies", "has a field; set service.ipFamilies instead"},
	{"service.ipFamilyPolicy", "has a field; set service.ipFamilyPolicy instead"},
}

// sameField returns the values whose field has the same name.
func sameField(names ...string) (out []chartValue) {
	for _, n := range names {
		out = append(out, chartValue{n, "has a field; set " + n + " beside values instead"})
	}
	return out
}

// validateChartValues refuses values that are Landbridge's or have a field, and those
// that contradict one.
func validateChartValues(at string, p Pods, ps *problems) {
	refuseValues(at, p.Values, chartValues, ps)
	if labels, ok := p.Values["labels"].(map[string]any); ok {
		for _, k := range sortedKeys(labels) {
			if strings.HasPrefix(k, Domain+"/") || k == LabelNetwork {
				ps.add(at+".values.labels", "%s %s", k, ofLandbridge)
			}
		}
	}
	most, set := valueAt(p.Values, []string{"autoscaling", "maxReplicas"})
	if n := asIntOrString(most); set && n.IntValue() < p.Count() {
		ps.add(at+".values.autoscaling.maxReplicas", "%v is fewer than replicas, which is %d", most, p.Count())
	}
}

func refuseValues(at string, values map[string]any, refused []chartValue, ps *problems) {
	for _, v := range refused {
		if hasKey(values, strings.Split(v.path, ".")) {
			ps.add(at+".values."+v.path, "%s", v.instead)
		}
	}
}

// hasKey says whether a path of keys leads to something, null too.
func hasKey(values map[string]any, path []string) bool {
	for _, key := range path[:len(path)-1] {
		values, _ = values[key].(map[string]any)
	}
	_, ok := values[path[len(path)-1]]
	return ok
}
