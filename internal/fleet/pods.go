package fleet

import (
	"reflect"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// DefaultReplicas of a gateway let one of its nodes be drained, while the other pod goes
// on with the control plane's requests.
const DefaultReplicas = 2

// Pods says how the pods of a gateway that Landbridge installs run.
type Pods struct {
	// Replicas that the gateway has at least; its autoscaler may add others. Default: 2.
	Replicas *int `json:"replicas,omitempty"`
	// Resources of the gateway's container. Default: the chart's.
	Resources Resources `json:"resources,omitzero"`
	// PodDisruptionBudget limits how many pods a drain may evict at once.
	PodDisruptionBudget DisruptionBudget `json:"podDisruptionBudget,omitzero"`
	// TopologySpreadConstraints say how the pods are spread. One without a labelSelector
	// selects the gateway's pods. Default: over the nodes, as far as these have room
	// (ScheduleAnyway).
	TopologySpreadConstraints []map[string]any `json:"topologySpreadConstraints,omitzero"`
	// Affinity says on which nodes, and near which pods, the pods run. A term for pods
	// without a labelSelector selects the gateway's.
	Affinity map[string]any `json:"affinity,omitempty"`
	// Tolerations let the pods run on nodes with taints.
	Tolerations []map[string]any `json:"tolerations,omitzero"`
	// NodeSelector lists the labels that a node must have to run the pods.
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// PriorityClassName names the PriorityClass of the pods.
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// ImagePullSecrets name the Secrets of Istio's namespace that the image is pulled
	// with.
	ImagePullSecrets []SecretName `json:"imagePullSecrets,omitzero"`
	// PodAnnotations are added to those that the chart puts on the pods.
	PodAnnotations map[string]string `json:"podAnnotations,omitempty"`
	// Values of the gateway chart that no field sets, such as terminationGracePeriodSeconds
	// or autoscaling.
	Values map[string]any `json:"values,omitempty"`
}

// Resources tells what a container asks for and may use, such as {cpu: 500m, memory: 256Mi}.
type Resources struct {
	// Requests of the container. Default: 100m of cpu and 128Mi of memory.
	Requests map[string]any `json:"requests,omitempty"`
	// Limits of the container. Default: 2000m of cpu and 1024Mi of memory.
	Limits map[string]any `json:"limits,omitempty"`
}

// SecretName names a Secret.
type SecretName struct {
	// Name of the Secret.
	Name string `json:"name"`
}

// DisruptionBudget limits how many pods of a gateway a drain may evict at once.
type DisruptionBudget struct {
	// Enabled says whether there is one. Default: true with two replicas or more. A
	// budget of one replica would either allow nothing more or keep its node for ever.
	Enabled *bool `json:"enabled,omitempty"`
	// MaxUnavailable pods at once, as a number or a percentage. Default: 1.
	MaxUnavailable any `json:"maxUnavailable,omitempty" jsonschema:"oneof_type=integer;string"`
	// MinAvailable pods at all times, as a number or a percentage, in place of
	// maxUnavailable.
	MinAvailable any `json:"minAvailable,omitempty" jsonschema:"oneof_type=integer;string"`
	// UnhealthyPodEvictionPolicy says whether pods that are not ready may always be
	// evicted: AlwaysAllow or IfHealthyBudget, with which a gateway that cannot become
	// ready keeps its nodes. Default: AlwaysAllow.
	UnhealthyPodEvictionPolicy string `json:"unhealthyPodEvictionPolicy,omitempty" jsonschema:"enum=AlwaysAllow,enum=IfHealthyBudget"`
}

// AlwaysAllow lets a drain evict pods that are not ready, whatever the budget says.
const AlwaysAllow = "AlwaysAllow"

// set names the fields that the file sets. What reflect reads here is always the same.
//
//workflowcheck:ignore
func (p Pods) set() (out []string) {
	v := reflect.ValueOf(p)
	for _, f := range fields(v.Type()) {
		if !v.FieldByIndex(f.Index).IsZero() {
			out = append(out, jsonName(f))
		}
	}
	return out
}

// Count returns how many replicas the gateway has at least.
func (p Pods) Count() int {
	if p.Replicas == nil {
		return DefaultReplicas
	}
	return *p.Replicas
}

// Budget returns the gateway's disruption budget with its defaults, and whether it has
// one.
func (p Pods) Budget() (DisruptionBudget, bool) {
	b := p.PodDisruptionBudget
	if b.Enabled != nil && !*b.Enabled || p.Count() < 2 {
		return DisruptionBudget{}, false
	}
	if b.MinAvailable == nil && b.MaxUnavailable == nil {
		b.MaxUnavailable = 1
	}
	or(&b.UnhealthyPodEvictionPolicy, AlwaysAllow)
	return b, true
}

// evictable returns how many of the replicas the budget lets a drain evict at once.
func (b DisruptionBudget) evictable(replicas int) (int, error) {
	value := asIntOrString(b.amount())
	n, err := intstr.GetScaledValueFromIntOrPercent(&value, replicas, true)
	if b.MinAvailable != nil {
		n = replicas - n
	}
	return n, err
}

// amount returns the one of minAvailable and maxUnavailable that is set.
func (b DisruptionBudget) amount() any {
	if b.MinAvailable != nil {
		return b.MinAvailable
	}
	return b.MaxUnavailable
}

// fitting leaves out of the fleet's budget what does not go with the cluster's own
// settings: there is either minAvailable or maxUnavailable, and with one replica neither.
func (p Pods) fitting(own Pods) Pods {
	if own.Replicas != nil && *own.Replicas == 1 {
		p.PodDisruptionBudget = DisruptionBudget{}
	}
	if b := own.PodDisruptionBudget; b.MinAvailable != nil || b.MaxUnavailable != nil {
		p.PodDisruptionBudget.MinAvailable, p.PodDisruptionBudget.MaxUnavailable = nil, nil
	}
	return p
}
