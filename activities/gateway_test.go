package activities

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

func (w *world) eastWest() api.EnsureEastWestGatewayInput {
	return api.EnsureEastWestGatewayInput{ClusterRef: w.ref, GatewaySettings: guideGateways(), Network: "west-network"}
}

func field(obj map[string]any, path ...string) any {
	v, _, _ := unstructured.NestedFieldNoCopy(obj, path...)
	return v
}

func TestGateways_WhatTheChartMakes_IsSecureAndLabelled(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in := w.eastWest()
	in.Gateways.EastWest.Service.Annotations = map[string]string{"cloud/type": "internal"}
	_, err := w.acts.EnsureEastWestGateway(t.Context(), in)
	require.NoError(t, err)
	link := fleet.Link{From: "west", To: "east"}
	_, err = w.acts.EnsureEgressGateway(t.Context(), api.EnsureEgressGatewayInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: link}, GatewaySettings: guideGateways()})
	require.NoError(t, err)

	objs := w.snapshot()
	svc, deploy := objs["Service istio-system/istio-eastwestgateway"], objs["Deployment istio-system/istio-eastwestgateway"]
	require.Equal(t, "west-network", field(svc, "metadata", "labels", fleet.LabelNetwork), "from the beginning: clouds dislike a label that comes later")
	require.Equal(t, "west-network", field(deploy, "spec", "template", "metadata", "labels", fleet.LabelNetwork))
	require.Equal(t, "internal", field(svc, "metadata", "annotations", "cloud/type"))
	var ports []any
	for _, p := range field(svc, "spec", "ports").([]any) {
		ports = append(ports, p.(map[string]any)["port"])
	}
	require.ElementsMatch(t, []any{int64(15021), int64(15443), int64(16443)}, ports)

	egress := objs["Deployment istio-system/kube-apiserver-east-egress-gateway"]
	require.Equal(t, "kube-apiserver-west-to-east", field(egress, "spec", "template", "spec", "serviceAccountName"))
	require.Equal(t, "ClusterIP", field(objs["Service istio-system/kube-apiserver-east-egress-gateway"], "spec", "type"))
	for name := range objs {
		require.NotContains(t, name, "Role", "a gateway may read nothing")
	}
}

func TestGateways_HowTheServiceIsReached_IsTheFiles(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in := w.eastWest()
	in.Gateways.EastWest.Service = fleet.Service{Type: fleet.ServiceLoadBalancer, APIPort: 443, NodePort: 31443, LoadBalancerClass: "example.com/internal",
		SourceRanges: []string{"10.0.0.0/8", "fd00::/8"}, ExternalTrafficPolicy: "Local", IPFamilies: []string{"IPv6", "IPv4"}, IPFamilyPolicy: "RequireDualStack"}
	_, err := w.acts.EnsureEastWestGateway(t.Context(), in)
	require.NoError(t, err)
	spec := field(w.snapshot()["Service istio-system/istio-eastwestgateway"], "spec").(map[string]any)
	for name, want := range map[string]any{"type": "LoadBalancer", "loadBalancerClass": "example.com/internal", "externalTrafficPolicy": "Local",
		"ipFamilyPolicy": "RequireDualStack", "ipFamilies": []any{"IPv6", "IPv4"}, "loadBalancerSourceRanges": []any{"10.0.0.0/8", "fd00::/8"}} {
		require.Equal(t, want, spec[name], name)
	}
	port := spec["ports"].([]any)[2].(map[string]any)
	require.Equal(t, []any{int64(443), int64(16443), int64(31443)}, []any{port["port"], port["targetPort"], port["nodePort"]})
}

func TestGateways_OtherSettings_AreUpgradedInPlace(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	_, err := w.acts.EnsureEastWestGateway(t.Context(), w.eastWest())
	require.NoError(t, err)
	in := w.by("run-2").eastWest()
	in.Istio.Name = "canary"
	changes, err := w.acts.EnsureEastWestGateway(t.Context(), in)
	require.NoError(t, err)
	require.Contains(t, actions(changes.All()), "update Helm release istio-system/istio-eastwestgateway")
	require.Contains(t, actions(changes.All()), "update Deployment istio-system/istio-eastwestgateway")
	require.Equal(t, "canary", field(w.snapshot()["Deployment istio-system/istio-eastwestgateway"], "spec", "template", "metadata", "labels", "istio.io/rev"))

	undone, err := w.acts.RemoveEastWestGateway(t.Context(), w.ref.Undo())
	require.NoError(t, err)
	require.Empty(t, undone.All(), "the first run installed it")
}

func TestGateways_DeploymentPastItsDeadline_EndsWithItsWords(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.controller = func(d *appsv1.Deployment) {
		d.Status.ReadyReplicas, d.Status.AvailableReplicas = 0, 0
		d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse,
			Reason: "ProgressDeadlineExceeded", Message: "the image cannot be pulled"}}
	}
	_, err := w.acts.EnsureEastWestGateway(t.Context(), w.eastWest())
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.ErrorContains(t, err, "the image cannot be pulled")
}

func TestGateways_ChartThatTheWorkerLacks_IsNamed(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in := w.eastWest()
	in.Gateways.Chart.Directory = "gateway"
	_, err := w.acts.EnsureEastWestGateway(t.Context(), in)
	var missing *chart.SourceError
	require.ErrorAs(t, err, &missing)
	require.ErrorContains(t, err, "without --chart-dir")
}

func TestGateways_WithoutTheNamespace_NothingIsToRemove(t *testing.T) {
	w := newWorld(t, "west")
	require.NoError(t, w.Client.CoreV1().Namespaces().Delete(t.Context(), "istio-system", metav1.DeleteOptions{}))
	changes, err := w.acts.RemoveEastWestGateway(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Empty(t, changes.All())
}

func TestGateways_CloudKeepsTheAddress_TheRemovalWaits(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	_, err := w.acts.EnsureEastWestGateway(t.Context(), w.eastWest())
	require.NoError(t, err)
	svc, err := w.Client.CoreV1().Services("istio-system").Get(t.Context(), fleet.EastWestGateway, metav1.GetOptions{})
	require.NoError(t, err)
	svc.Finalizers = []string{"service.kubernetes.io/load-balancer-cleanup"}
	w.Put(svc)
	released := make(chan error, 1)
	go func() { released <- w.releaseAddress() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	changes, err := w.acts.RemoveEastWestGateway(ctx, api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.NoError(t, <-released)
	require.NotContains(t, w.snapshot(), "Service istio-system/istio-eastwestgateway")
	require.Contains(t, actions(changes.All()), "remove Service istio-system/istio-eastwestgateway")
}

// releaseAddress removes the finalizer of the east-west gateway's Service a moment
// after its deletion, as a cloud's controller does.
func (w *world) releaseAddress() error {
	services := w.Client.CoreV1().Services("istio-system")
	for {
		svc, err := services.Get(w.t.Context(), fleet.EastWestGateway, metav1.GetOptions{})
		if err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
		if svc.DeletionTimestamp != nil {
			svc.Finalizers = nil
			if _, err = services.Update(w.t.Context(), svc, metav1.UpdateOptions{}); apierrors.IsNotFound(err) {
				return nil // that was the last finalizer
			}
			return err
		}
	}
}

// theirs returns the Service of an existing east-west gateway.
func theirs() *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "their-gateway", Labels: map[string]string{"app": "their-gateway"}},
		Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Name: "tls", Port: 15443, Protocol: corev1.ProtocolTCP}}}}
}

func TestExistingGateway_GetsAPortAndLosesJustThat(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.Put(theirs())
	before, no := w.snapshot(), false
	in := w.eastWest()
	in.Gateways.EastWest = fleet.EastWest{Manage: &no, Service: fleet.Service{Name: "their-gateway"}}
	dry, later := in, in
	dry.DryRun, later.Run = true, "run-2"
	for _, step := range []struct {
		in   api.EnsureEastWestGatewayInput
		want string
	}{{dry, "adopt Service istio-system/their-gateway"}, {in, "adopt Service istio-system/their-gateway"},
		{in, "adopt Service istio-system/their-gateway"}, {later, "keep Service istio-system/their-gateway"}} {
		changes, err := w.acts.EnsureEastWestGateway(t.Context(), step.in)
		require.NoError(t, err)
		require.Equal(t, []string{step.want}, actions(changes.All()))
	}
	require.Len(t, field(w.snapshot()["Service istio-system/their-gateway"], "spec", "ports"), 2)

	undone, err := w.acts.RemoveEastWestGateway(t.Context(), w.by("run-2").ref.Undo())
	require.NoError(t, err)
	require.Empty(t, undone.All())
	removed, err := w.acts.RemoveEastWestGateway(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, []string{"update Service istio-system/their-gateway"}, actions(removed.All()))
	require.Equal(t, before, w.snapshot())

	in.Gateways.EastWest.Service.Name = "missing"
	_, err = w.acts.EnsureEastWestGateway(t.Context(), in)
	require.ErrorContains(t, err, "read Service istio-system/missing (spec.gateways.eastWest)")
}

func TestExistingGateway_ItsOwnTrafficStaysAsItIs(t *testing.T) {
	no := false
	in := api.EnsureExposureInput{ClusterRef: api.ClusterRef{Cluster: "west", Namespace: "istio-system"}, Gateways: guideGateways().Gateways}
	in.Gateways.EastWest = fleet.EastWest{Manage: &no, Service: fleet.Service{Name: "their-gateway"}, Labels: map[string]string{"istio": "their-gateway"}}
	servers := eastWestGateway(in).Spec.Servers
	require.Len(t, servers, 1, "their Gateway has the port of the mesh's traffic")
	require.Equal(t, uint32(16443), servers[0].Port.Number)
	rules := denial(in).Spec.Rules
	require.Equal(t, []string{"16443"}, rules[0].To[0].Operation.NotPorts, "their other ports stay open")
	require.Equal(t, in.Gateways.EastWest.Labels, denial(in).Spec.Selector.MatchLabels)
}

func TestEgressConfig_InAPlanWithoutAnAddress_ShowsAPlaceholder(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	w.ref.DryRun, w.ref.Render = true, true
	changes, err := w.acts.EnsureEgressConfig(t.Context(), api.EnsureEgressConfigInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: fromEast[0]}, TLSServerName: "api", APIPort: 16443})
	require.NoError(t, err)
	for _, c := range changes.All() {
		require.Equal(t, c.Kind == kinds.ServiceEntries.Kind, strings.Contains(c.Manifest, fleet.AddressLater), c.Manifest)
	}
}
