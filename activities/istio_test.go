package activities

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

func istioWith(generation int64, status map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"kind": "Istio", "metadata": map[string]any{"name": "default", "generation": generation}}}
	if status != nil {
		o.Object["status"] = status
	}
	return o
}

func cond(typ, status, reason, message string) map[string]any {
	return map[string]any{"type": typ, "status": status, "reason": reason, "message": message}
}

func TestSailReady_TellsReadyFromWaitingFromDeadEnd(t *testing.T) {
	ready, healthy := cond("Ready", "True", "", ""), "Healthy"
	for name, c := range map[string]struct {
		obj     *unstructured.Unstructured
		waiting string
		dead    string
	}{
		"no status":                      {istioWith(1, nil), "has not been looked at", ""},
		"a status of an older one":       {istioWith(2, map[string]any{"observedGeneration": int64(1), "state": healthy, "conditions": []any{ready}}), "has not been looked at", ""},
		"no conditions":                  {istioWith(1, map[string]any{"observedGeneration": int64(1), "state": healthy}), "is Healthy", ""},
		"ready but not healthy":          {istioWith(1, map[string]any{"observedGeneration": int64(1), "state": "IstiodNotReady", "conditions": []any{ready}}), "IstiodNotReady", ""},
		"ready":                          {istioWith(1, map[string]any{"observedGeneration": int64(1), "state": healthy, "conditions": []any{ready}}), "", ""},
		"a version that is dropped":      {istioWith(1, map[string]any{"observedGeneration": int64(1), "conditions": []any{cond("Reconciled", "False", "ReconcileError", "version reached end-of-life")}}), "", "end-of-life"},
		"a namespace that is not there":  {istioWith(1, map[string]any{"observedGeneration": int64(1), "conditions": []any{cond("Reconciled", "False", "ReconcileError", `namespace "x" doesn't exist`)}}), "", "doesn't exist"},
		"an error that may pass":         {istioWith(1, map[string]any{"observedGeneration": int64(1), "state": "ReconcileError", "conditions": []any{cond("Reconciled", "False", "ReconcileError", "connection reset")}}), "connection reset", ""},
		"conditions of no known shape":   {istioWith(1, map[string]any{"observedGeneration": int64(1), "conditions": []any{"x", int64(1), nil}}), "in no known state", ""},
		"a status that is no map at all": {istioWith(0, map[string]any{"conditions": "x"}), "in no known state", ""},
	} {
		t.Run(name, func(t *testing.T) {
			waiting, err := sailReady(c.obj)
			if c.dead != "" {
				var dead *kube.DeadEndError
				require.ErrorAs(t, err, &dead)
				require.ErrorContains(t, err, c.dead)
				return
			}
			require.NoError(t, err)
			if c.waiting == "" {
				require.Empty(t, waiting)
			} else {
				require.Contains(t, waiting, c.waiting)
			}
		})
	}
}

func TestIstio_ValuesOfTheFleetFileAreLaidOverOurs(t *testing.T) {
	in := api.EnsureIstioInput{ClusterRef: api.ClusterRef{Cluster: "west", Namespace: "istio-system"}, Network: "w",
		Istio: fleet.Istio{Name: "default", Version: "v1.31.0", MeshID: "m", TrustDomain: "td", Platform: "openshift",
			Values: map[string]any{"meshConfig": map[string]any{"accessLogFile": ""}, "pilot": map[string]any{"cpu": "1"}}}}
	values := istio(in).Object["spec"].(map[string]any)["values"].(map[string]any)
	require.Equal(t, "", values["meshConfig"].(map[string]any)["accessLogFile"])
	require.Equal(t, "td", values["meshConfig"].(map[string]any)["trustDomain"])
	require.Equal(t, map[string]any{"cpu": "1"}, values["pilot"])
	require.Equal(t, map[string]any{"meshID": "m", "multiCluster": map[string]any{"clusterName": "west"}, "network": "w", "platform": "openshift"}, values["global"])
}

func TestAddressOf_AllIPsElseTheHostname(t *testing.T) {
	svc := func(in ...corev1.LoadBalancerIngress) *corev1.Service {
		return &corev1.Service{Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: in}}}
	}
	require.False(t, addressOf(svc()).Known())
	require.False(t, addressOf(svc(corev1.LoadBalancerIngress{})).Known())
	require.Equal(t, api.Address{Hostname: "lb"}, addressOf(svc(corev1.LoadBalancerIngress{Hostname: "lb"})))
	require.Equal(t, api.Address{IPs: []string{"192.0.2.1", "192.0.2.2"}},
		addressOf(svc(corev1.LoadBalancerIngress{IP: "192.0.2.2", Hostname: "lb"}, corev1.LoadBalancerIngress{IP: "192.0.2.1"})))
}
