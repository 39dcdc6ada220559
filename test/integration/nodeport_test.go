package integration

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nodePort has west's gateway reached at a port of its nodes, as where there is no cloud,
// and requires that every link is proven over it. Then the load balancer takes over again.
func (r *real) nodePort() {
	const port = 31443
	nodes, err := r.connect("west").CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
	require.NoError(r.t, err)
	var ips []string
	for _, n := range nodes.Items {
		for _, a := range n.Status.Addresses {
			if a.Type == corev1.NodeInternalIP {
				ips = append(ips, fmt.Sprintf("%q", a.Address))
			}
		}
	}
	require.Len(r.t, ips, 2, "west has two nodes")
	before, err := os.ReadFile(r.fleet)
	require.NoError(r.t, err)
	const west = "{path: west.kubeconfig}"
	require.Contains(r.t, string(before), west)
	gateways := fmt.Sprintf("%s, gateways: {eastWest: {service: {type: NodePort, nodePort: %d}, address: {ips: [%s]}}}", west, port, strings.Join(ips, ", "))
	require.NoError(r.t, os.WriteFile(r.fleet, []byte(strings.Replace(string(before), west, gateways, 1)), 0o600))
	r.rollout()
	r.allProven()
	entry, err := r.connect("east").dyn.Resource(serviceEntries).Namespace("istio-system").Get(context.Background(), "kube-apiserver-west-egress-gateway", metav1.GetOptions{})
	require.NoError(r.t, err)
	endpoints := fmt.Sprint(entry.Object["spec"].(map[string]any)["endpoints"])
	require.Equal(r.t, 2, strings.Count(endpoints, fmt.Sprint(port)), endpoints)
	svc, err := r.connect("west").CoreV1().Services("istio-system").Get(context.Background(), "istio-eastwestgateway", metav1.GetOptions{})
	require.NoError(r.t, err)
	require.Empty(r.t, svc.Status.LoadBalancer.Ingress, "nothing else leads there")

	require.NoError(r.t, os.WriteFile(r.fleet, before, 0o600))
	r.rollout()
	r.allProven()
}
