package activities

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

const egressToEast = "kube-apiserver-east-egress-gateway"

// gatewaysOf makes both gateways with the same pods, and returns the cluster's objects.
func (w *world) gatewaysOf(p fleet.Pods) (map[string]map[string]any, error) {
	in := w.eastWest()
	in.Gateways.EastWest.Pods, in.Gateways.Egress.Pods = p, p
	if _, err := w.acts.EnsureEastWestGateway(w.t.Context(), in); err != nil {
		return nil, err
	}
	link := api.LinkRef{ClusterRef: w.ref, Link: fleet.Link{From: "west", To: "east"}}
	_, err := w.acts.EnsureEgressGateway(w.t.Context(), api.EnsureEgressGatewayInput{LinkRef: link, GatewaySettings: in.GatewaySettings})
	return w.snapshot(), err
}

func template(path ...string) []string {
	return append([]string{"Deployment", "spec", "template", "spec"}, path...)
}

// podFields has a value of each field of fleet.Pods, with where it must be found: the
// kind of the object, and the path in it.
var podFields = map[string]struct {
	pods fleet.Pods
	at   []string
	want any
}{
	"replicas":            {fleet.Pods{Replicas: intPtr(7)}, []string{"HorizontalPodAutoscaler", "spec", "maxReplicas"}, int64(7)},
	"resources":           {fleet.Pods{Resources: fleet.Resources{Requests: map[string]any{"cpu": 1}, Limits: map[string]any{"memory": "2Gi"}}}, template("containers"), nil},
	"podDisruptionBudget": {fleet.Pods{PodDisruptionBudget: fleet.DisruptionBudget{MinAvailable: "50%"}}, []string{"PodDisruptionBudget", "spec", "minAvailable"}, "50%"},
	"topologySpreadConstraints": {fleet.Pods{TopologySpreadConstraints: []map[string]any{}},
		template("topologySpreadConstraints"), nil},
	"affinity": {fleet.Pods{Affinity: map[string]any{"nodeAffinity": map[string]any{"preferredDuringSchedulingIgnoredDuringExecution": []any{}}}},
		template("affinity"), map[string]any{"nodeAffinity": map[string]any{}}},
	"tolerations":       {fleet.Pods{Tolerations: []map[string]any{{"operator": "Exists"}}}, template("tolerations"), []any{map[string]any{"operator": "Exists"}}},
	"nodeSelector":      {fleet.Pods{NodeSelector: map[string]string{"pool": "edge"}}, template("nodeSelector"), map[string]any{"pool": "edge"}},
	"priorityClassName": {fleet.Pods{PriorityClassName: "high"}, template("priorityClassName"), "high"},
	"imagePullSecrets":  {fleet.Pods{ImagePullSecrets: []fleet.SecretName{{Name: "mirror"}}}, template("imagePullSecrets"), []any{map[string]any{"name": "mirror"}}},
	"podAnnotations":    {fleet.Pods{PodAnnotations: map[string]string{"a.example/b": "c"}}, []string{"Deployment", "spec", "template", "metadata", "annotations", "a.example/b"}, "c"},
	"values":            {fleet.Pods{Values: map[string]any{"terminationGracePeriodSeconds": 77}}, template("terminationGracePeriodSeconds"), int64(77)},
}

func TestPods_EveryField_ReachesBothGateways(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[fleet.Pods]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		require.Contains(t, podFields, name)
	}
	for name, c := range podFields {
		objs, err := newWorld(t, "west").withInventory().gatewaysOf(c.pods)
		require.NoError(t, err, name)
		for _, gateway := range []string{fleet.EastWestGateway, egressToEast} {
			got := field(objs[c.at[0]+" istio-system/"+gateway], c.at[1:]...)
			if name == "resources" {
				got, c.want = field(got.([]any)[0].(map[string]any), "resources"), map[string]any{
					"requests": map[string]any{"cpu": "1", "memory": "128Mi"}, "limits": map[string]any{"cpu": "2", "memory": "2Gi"}}
			}
			require.Equal(t, c.want, got, "%s of %s", name, gateway)
		}
	}
}

func intPtr(n int) *int { return &n }

func TestPods_ByDefault_AreTwoOnTwoNodesAndLeaveOneByOne(t *testing.T) {
	objs, err := newWorld(t, "west").withInventory().gatewaysOf(fleet.Pods{})
	require.NoError(t, err)
	for _, gateway := range []string{fleet.EastWestGateway, egressToEast} {
		own := map[string]any{"matchLabels": map[string]any{"app": gateway}}
		of := func(kind string, path ...string) any { return field(objs[kind+" istio-system/"+gateway], path...) }
		require.Equal(t, int64(2), of("HorizontalPodAutoscaler", "spec", "minReplicas"))
		require.Equal(t, int64(5), of("HorizontalPodAutoscaler", "spec", "maxReplicas"))
		require.Equal(t, int64(2), of("Deployment", "spec", "replicas"), "at once, and not at the autoscaler's next look")
		require.Equal(t, int64(1), of("PodDisruptionBudget", "spec", "maxUnavailable"))
		require.Equal(t, "AlwaysAllow", of("PodDisruptionBudget", "spec", "unhealthyPodEvictionPolicy"))
		require.Equal(t, gateway, of("PodDisruptionBudget", "spec", "selector", "matchLabels", "app"))
		require.Equal(t, []any{map[string]any{"maxSkew": int64(1), "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
			"matchLabelKeys": []any{"pod-template-hash"}, "labelSelector": own}}, of("Deployment", template("topologySpreadConstraints")[1:]...))
	}
}

// A fleet file cannot name the pods of every egress gateway, and Kubernetes takes a term
// without a selector for one that selects nothing.
func TestPods_TermsWithoutASelector_SelectTheGatewaysOwn(t *testing.T) {
	anti := []any{map[string]any{"topologyKey": "zone"}, map[string]any{"topologyKey": "rack", "labelSelector": map[string]any{"matchLabels": map[string]any{"app": "other"}}}}
	p := fleet.Pods{TopologySpreadConstraints: []map[string]any{{"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}},
		Affinity: map[string]any{"podAntiAffinity": map[string]any{"requiredDuringSchedulingIgnoredDuringExecution": anti}}}
	objs, err := newWorld(t, "west").withInventory().gatewaysOf(p)
	require.NoError(t, err)
	for _, gateway := range []string{fleet.EastWestGateway, egressToEast} {
		spec := field(objs["Deployment istio-system/"+gateway], "spec", "template", "spec").(map[string]any)
		terms := field(spec, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution").([]any)
		require.Equal(t, gateway, field(terms[0].(map[string]any), "labelSelector", "matchLabels", "app"))
		require.Equal(t, "other", field(terms[1].(map[string]any), "labelSelector", "matchLabels", "app"))
		require.Equal(t, gateway, field(spec["topologySpreadConstraints"].([]any)[0].(map[string]any), "labelSelector", "matchLabels", "app"))
	}
	require.NotContains(t, anti[0], "labelSelector", "what the file says stays as it is")
}

func TestPods_FewerThanTwo_HaveNoBudget(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	objs, err := w.gatewaysOf(fleet.Pods{})
	require.NoError(t, err)
	require.Contains(t, objs, "PodDisruptionBudget istio-system/"+fleet.EastWestGateway)

	objs, err = w.by("run-2").gatewaysOf(fleet.Pods{Replicas: intPtr(1)})
	require.NoError(t, err)
	for _, gateway := range []string{fleet.EastWestGateway, egressToEast} {
		require.NotContains(t, objs, "PodDisruptionBudget istio-system/"+gateway, "it would hold up a drain of the one pod's node")
		require.Equal(t, int64(1), field(objs["HorizontalPodAutoscaler istio-system/"+gateway], "spec", "minReplicas"))
	}
	objs, err = w.by("run-3").gatewaysOf(fleet.Pods{Values: map[string]any{"autoscaling": map[string]any{"enabled": false}}})
	require.NoError(t, err)
	require.NotContains(t, objs, "HorizontalPodAutoscaler istio-system/"+egressToEast)
	require.Equal(t, int64(2), field(objs["Deployment istio-system/"+egressToEast], "spec", "replicas"))
	require.Contains(t, objs, "PodDisruptionBudget istio-system/"+egressToEast)
}

func TestPods_TheirBudget_IsSeenWhenItDriftsAndGoesWithTheGateway(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	_, err := w.gatewaysOf(fleet.Pods{})
	require.NoError(t, err)
	budgets := w.Client.PolicyV1().PodDisruptionBudgets("istio-system")
	edit := func(change func(*policyv1.PodDisruptionBudget)) {
		b, err := budgets.Get(t.Context(), egressToEast, metav1.GetOptions{})
		require.NoError(t, err)
		change(b)
		_, err = budgets.Update(t.Context(), b, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
		require.NoError(t, err)
	}
	edit(func(b *policyv1.PodDisruptionBudget) { none := intstr.FromInt32(0); b.Spec.MaxUnavailable = &none })
	_, err = w.by("run-2").gatewaysOf(fleet.Pods{})
	var drift *kube.DriftError
	require.ErrorAs(t, err, &drift)
	require.Equal(t, "kubectl-edit", drift.By.With)
	require.Equal(t, kube.DriftError{Kind: "PodDisruptionBudget", Namespace: "istio-system", Name: egressToEast, Fields: "spec.maxUnavailable", By: drift.By}, *drift)

	w.ref.ForceConflicts = true
	_, err = w.by("run-3").gatewaysOf(fleet.Pods{})
	require.NoError(t, err)
	b, err := budgets.Get(t.Context(), egressToEast, metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, 1, b.Spec.MaxUnavailable.IntValue())

	require.NoError(t, budgets.Delete(t.Context(), egressToEast, metav1.DeleteOptions{}))
	objs, err := w.by("run-4").gatewaysOf(fleet.Pods{})
	require.NoError(t, err)
	require.Contains(t, objs, "PodDisruptionBudget istio-system/"+egressToEast)

	removed, err := w.acts.RemoveEastWestGateway(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Contains(t, actions(removed.All()), "remove PodDisruptionBudget istio-system/"+fleet.EastWestGateway)
	require.NotContains(t, w.snapshot(), "PodDisruptionBudget istio-system/"+fleet.EastWestGateway)
}

func TestPods_ValuesThatTheChartDoesNotKnow_AreRefusedBeforeAnythingIsWritten(t *testing.T) {
	for _, dry := range []bool{true, false} {
		w := newWorld(t, "west").withInventory()
		w.ref.DryRun = dry
		before := w.snapshot()
		_, err := w.gatewaysOf(fleet.Pods{Values: map[string]any{"terminationGracePeriod": 60}})
		var refused *chart.ValuesError
		require.ErrorAs(t, err, &refused)
		require.ErrorContains(t, err, "the chart gateway 1.24.3 does not take the values: ")
		require.ErrorContains(t, err, "terminationGracePeriod")
		require.ErrorContains(t, err, "; correct gateways.eastWest.values in the fleet file")
		require.NotContains(t, err.Error(), "\n")
		require.Equal(t, before, w.snapshot())
	}
}
