package integration

import (
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A cloud that gives no address holds nobody up whose gateways are reached elsewhere: at
// the nodes, behind a VIP, through a private endpoint of one source.
func TestAddresses_OfTheFile_NothingWaitsForALoadBalancer(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west", "north")
	w.behave("--cloud-never")
	file := w.file([]string{"east", "west", "north"}, "{path: east.kubeconfig}", "{path: east.kubeconfig}, gateways: {eastWest: {address: {hostname: vip.east.lab.example, port: 443}}}",
		"{path: west.kubeconfig}", `{path: west.kubeconfig}, gateways: {eastWest: {service: {type: NodePort, apiPort: 443, nodePort: 31443}, address: {ips: ["2001:db8::12", "2001:db8::11"]}, addressFor: [{sources: [north], hostname: vpce.lab.example, port: 8443}]}}`,
		"{path: north.kubeconfig}", "{path: north.kubeconfig}, gateways: {apiPort: 26443, eastWest: {address: {ips: [192.0.2.30]}}}")
	w.must("rollout", "-f", file)

	spec := func(source, target string) map[string]any {
		obj, err := w.connect(source).dyn.Resource(serviceEntries).Namespace("istio-system").Get(ctx, "kube-apiserver-"+target+"-egress-gateway", metav1.GetOptions{})
		require.NoError(t, err)
		return obj.Object["spec"].(map[string]any)
	}
	for _, want := range []struct {
		source, target, resolution string
		endpoints                  []any
	}{
		{"west", "east", "DNS", []any{endpoint("vip.east.lab.example", 443, false)}},
		{"east", "west", "STATIC", []any{endpoint("2001:db8::12", 31443, true), endpoint("2001:db8::11", 31443, false)}},
		{"north", "west", "DNS", []any{endpoint("vpce.lab.example", 8443, false)}},
		{"east", "north", "STATIC", []any{endpoint("192.0.2.30", 0, false)}},
	} {
		got := spec(want.source, want.target)
		require.Equal(t, want.resolution, got["resolution"], "%s -> %s", want.source, want.target)
		require.Equal(t, want.endpoints, got["endpoints"], "%s -> %s", want.source, want.target)
	}
	port, _, err := unstructured.NestedInt64(spec("east", "north")["ports"].([]any)[0].(map[string]any), "number")
	require.NoError(t, err)
	require.EqualValues(t, 26443, port, "the port is the target's own")

	svc, err := w.connect("west").CoreV1().Services("istio-system").Get(ctx, "istio-eastwestgateway", metav1.GetOptions{})
	require.NoError(t, err)
	require.EqualValues(t, "NodePort", svc.Spec.Type)
	api := svc.Spec.Ports[2]
	require.EqualValues(t, []int{443, 16443, 31443}, []int{int(api.Port), api.TargetPort.IntValue(), int(api.NodePort)})

	require.Contains(t, w.must("plan", "-f", file, "--exit-code"), "nothing to do")
	w.must("cleanup", "-f", file)
	same()
}

// endpoint returns one of a ServiceEntry, with the port that is not the gateway's own.
func endpoint(address string, port int64, first bool) map[string]any {
	e := map[string]any{"address": address}
	if port != 0 {
		e["ports"] = map[string]any{"tls": port}
	}
	if first {
		e["labels"] = map[string]any{"landbridge.dev/address": "first"}
	}
	return e
}
