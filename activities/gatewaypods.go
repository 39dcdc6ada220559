package activities

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/landbridge/landbridge/internal/fleet"
)

// mostReplicas is the chart's own limit for its autoscaler.
const mostReplicas = 5

// podValues returns how the pods of a gateway run, by the names that the chart has for
// it. While the autoscaler is on, the chart ignores replicaCount.
func podValues(name string, p fleet.Pods) map[string]any {
	n := p.Count()
	out := map[string]any{
		"replicaCount":              n,
		"autoscaling":               map[string]any{"minReplicas": n, "maxReplicas": max(n, mostReplicas)},
		"topologySpreadConstraints": spread(name, p.TopologySpreadConstraints),
	}
	if b, ok := p.Budget(); ok {
		out["podDisruptionBudget"] = budgetValues(b)
	}
	if r := resourceValues(p.Resources); len(r) > 0 {
		out["resources"] = r
	}
	if len(p.Affinity) > 0 {
		out["affinity"] = selecting(name, p.Affinity)
	}
	if len(p.Tolerations) > 0 {
		out["tolerations"] = listOf(p.Tolerations)
	}
	if len(p.ImagePullSecrets) > 0 {
		var secrets []any
		for _, s := range p.ImagePullSecrets {
			secrets = append(secrets, map[string]any{"name": s.Name})
		}
		out["imagePullSecrets"] = secrets
	}
	if p.PriorityClassName != "" {
		out["priorityClassName"] = p.PriorityClassName
	}
	for key, m := range map[string]map[string]string{"nodeSelector": p.NodeSelector, "podAnnotations": p.PodAnnotations} {
		if len(m) > 0 {
			out[key] = stringValues(m)
		}
	}
	return overlay(out, p.Values)
}

// spread returns the constraints by which the pods are spread: by default over the
// nodes, as far as these have room, so that a cluster of one node works too. Pods of an
// older template do not count, or a rolling update would leave the new ones on one node.
func spread(name string, given []map[string]any) any {
	if given == nil {
		given = []map[string]any{{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
			"whenUnsatisfiable": "ScheduleAnyway", "matchLabelKeys": []any{"pod-template-hash"}}}
	}
	return selecting(name, listOf(given))
}

// selecting gives every term that has a topologyKey, and selects no pods, a selector for
// the gateway's own: Kubernetes takes such a term for none, and a fleet file cannot know
// the names of all gateways.
func selecting(name string, v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = selecting(name, v[i])
		}
		return out
	case map[string]any:
		out := maps.Clone(v)
		for k := range v {
			out[k] = selecting(name, v[k])
		}
		if _, ok := out["topologyKey"]; ok && out["labelSelector"] == nil {
			out["labelSelector"] = map[string]any{"matchLabels": map[string]any{"app": name}}
		}
		return out
	}
	return v
}

func budgetValues(b fleet.DisruptionBudget) map[string]any {
	out := map[string]any{"unhealthyPodEvictionPolicy": b.UnhealthyPodEvictionPolicy}
	for key, amount := range map[string]any{"minAvailable": b.MinAvailable, "maxUnavailable": b.MaxUnavailable} {
		if amount == nil {
			continue
		}
		out[key] = any(fmt.Sprint(amount))
		if n := intstr.Parse(fmt.Sprint(amount)); n.Type == intstr.Int {
			out[key] = n.IntValue()
		}
	}
	return out
}

// resourceValues writes amounts as the chart wants them: as strings.
func resourceValues(r fleet.Resources) map[string]any {
	out := map[string]any{}
	for key, given := range map[string]map[string]any{"requests": r.Requests, "limits": r.Limits} {
		amounts := map[string]any{}
		for name, amount := range given {
			amounts[name] = fmt.Sprint(amount)
		}
		if len(amounts) > 0 {
			out[key] = amounts
		}
	}
	return out
}

func stringValues(m map[string]string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func listOf(items []map[string]any) []any {
	out := make([]any, len(items))
	for i := range items {
		out[i] = items[i]
	}
	return out
}
