package fleet

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	strictjson "sigs.k8s.io/json"
)

// maxReplicas is more than any control plane's requests need.
const maxReplicas = 100

// validatePods checks how a gateway's pods run. at is the gateway's path.
func validatePods(at string, p Pods, ps *problems) {
	if n := p.Count(); n < 1 || n > maxReplicas {
		ps.add(at+".replicas", "want 1 to %d, got %d", maxReplicas, n)
	}
	validateResources(at+".resources", p.Resources, ps)
	validateBudget(at+".podDisruptionBudget", p, ps)
	validateSpread(at+".topologySpreadConstraints", p.TopologySpreadConstraints, ps)
	strict[corev1.Affinity](ps, at+".affinity", p.Affinity)
	for i, t := range p.Tolerations {
		validateToleration(fmt.Sprintf("%s.tolerations[%d]", at, i), t, ps)
	}
	validatePodNames(at, p, ps)
	validateChartValues(at, p, ps)
}

func validateResources(at string, r Resources, ps *problems) {
	requests := quantities(at+".requests", r.Requests, ps)
	limits := quantities(at+".limits", r.Limits, ps)
	for _, name := range sortedKeys(requests) {
		limit, ok := limits[name]
		if request := requests[name]; ok && request.Cmp(limit) > 0 {
			ps.add(at+".requests."+name, "%v is more than the limit, %v", r.Requests[name], r.Limits[name])
		}
	}
}

func quantities(at string, given map[string]any, ps *problems) map[string]resource.Quantity {
	out := map[string]resource.Quantity{}
	for _, name := range sortedKeys(given) {
		q, err := resource.ParseQuantity(fmt.Sprint(given[name]))
		if err != nil || q.Sign() < 0 {
			ps.add(at+"."+name, "want an amount such as 500m or 256Mi, got %v", given[name])
			continue
		}
		out[name] = q
	}
	return out
}

// validateBudget refuses a budget that would keep a node from being drained for ever.
func validateBudget(at string, p Pods, ps *problems) {
	b := p.PodDisruptionBudget
	oneOf(ps, at+".unhealthyPodEvictionPolicy", b.UnhealthyPodEvictionPolicy, "", AlwaysAllow, "IfHealthyBudget")
	if b.MinAvailable != nil && b.MaxUnavailable != nil {
		ps.add(at, "set minAvailable or maxUnavailable, not both")
		return
	}
	wanted := b.Enabled != nil && *b.Enabled || b.MinAvailable != nil || b.MaxUnavailable != nil
	if wanted && p.Count() == 1 {
		ps.add(at, "is for two replicas or more: with one it would keep the pod's node from being drained, or allow everything; set replicas: 2, or leave it out")
		return
	}
	full, ok := p.Budget()
	if !ok {
		return
	}
	field := "maxUnavailable"
	if full.MinAvailable != nil {
		field = "minAvailable"
	}
	switch n, err := full.evictable(p.Count()); {
	case err != nil:
		ps.add(at+"."+field, "want a number or a percentage such as 50%%, got %v", full.amount())
	case n < 1:
		ps.add(at+"."+field, "%v of %d replicas would let no pod go, so that no drain of its node could end; leave one pod to evict", full.amount(), p.Count())
	}
}

func validateSpread(at string, constraints []map[string]any, ps *problems) {
	for i, given := range constraints {
		here := fmt.Sprintf("%s[%d]", at, i)
		c, ok := strict[corev1.TopologySpreadConstraint](ps, here, given)
		if !ok {
			continue
		}
		if c.MaxSkew < 1 {
			ps.add(here+".maxSkew", "want 1 or more, got %d", c.MaxSkew)
		}
		if c.TopologyKey == "" {
			ps.add(here+".topologyKey", "want the label of nodes to spread over, such as topology.kubernetes.io/zone")
		}
		oneOf(ps, here+".whenUnsatisfiable", string(c.WhenUnsatisfiable), string(corev1.ScheduleAnyway), string(corev1.DoNotSchedule))
	}
}

func validateToleration(at string, given map[string]any, ps *problems) {
	t, ok := strict[corev1.Toleration](ps, at, given)
	if !ok {
		return
	}
	oneOf(ps, at+".effect", string(t.Effect), "", string(corev1.TaintEffectNoSchedule), string(corev1.TaintEffectPreferNoSchedule), string(corev1.TaintEffectNoExecute))
	switch {
	case t.Key == "" && t.Operator != corev1.TolerationOpExists:
		ps.add(at+".key", "is missing; only with operator: Exists may a toleration be for every taint")
	case t.Operator == corev1.TolerationOpExists && t.Value != "":
		ps.add(at+".value", "does not go with operator: Exists, which is for every value")
	}
}

func validatePodNames(at string, p Pods, ps *problems) {
	for _, k := range sortedKeys(p.NodeSelector) {
		if errs := slices.Concat(validation.IsQualifiedName(k), validation.IsValidLabelValue(p.NodeSelector[k])); len(errs) > 0 {
			ps.add(at+".nodeSelector", "%s: %q is not a label: %s", k, p.NodeSelector[k], reason(errs))
		}
	}
	if c := p.PriorityClassName; c != "" {
		if errs := validation.IsDNS1123Subdomain(c); len(errs) > 0 {
			ps.add(at+".priorityClassName", "%q is not a name: %s", c, reason(errs))
		}
	}
	for i, s := range p.ImagePullSecrets {
		if errs := validation.IsDNS1123Subdomain(s.Name); len(errs) > 0 {
			ps.add(fmt.Sprintf("%s.imagePullSecrets[%d].name", at, i), "%q is not a name: %s", s.Name, reason(errs))
		}
	}
	for _, k := range sortedKeys(p.PodAnnotations) {
		switch errs := validation.IsQualifiedName(strings.ToLower(k)); {
		case len(errs) > 0:
			ps.add(at+".podAnnotations", "%q is not the key of an annotation: %s", k, reason(errs))
		case k == "sidecar.istio.io/inject" || strings.HasPrefix(k, Domain+"/"):
			ps.add(at+".podAnnotations", "%s is set by Landbridge; leave it out", k)
		}
	}
}

// strict reads a mapping as Kubernetes' own type, and reports what that does not know.
// What encoding/json does here is always the same.
//
//workflowcheck:ignore
func strict[T any](ps *problems, at string, given map[string]any) (out T, ok bool) {
	data, err := json.Marshal(given)
	if err != nil {
		ps.add(at, "%v", err)
		return out, false
	}
	unknown, err := strictjson.UnmarshalStrict(data, &out)
	if err != nil {
		ps.add(at, "is not as Kubernetes has it: %v", strings.TrimPrefix(err.Error(), "json: "))
	}
	for _, u := range unknown {
		ps.add(at, "is not as Kubernetes has it: %v", u)
	}
	return out, err == nil && len(unknown) == 0
}

// sortedKeys returns the keys of a mapping in their order, so that a workflow may range
// over them.
//
//workflowcheck:ignore
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// asIntOrString reads a number or a percentage, as a fleet file or JSON has it.
func asIntOrString(v any) intstr.IntOrString { return intstr.Parse(fmt.Sprint(v)) }
