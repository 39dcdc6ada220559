package integration

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/test/lab"
)

// nodePort has west's gateway reached at a port of its node, as where there is no cloud,
// and requires that every link is proven over it. Then the load balancer takes over again.
func (r *real) nodePort() {
	const port = 31443
	west := r.lab.Clusters[slices.IndexFunc(r.lab.Clusters, func(c lab.Cluster) bool { return c.Name == "west" })]
	before, err := os.ReadFile(r.fleet)
	require.NoError(r.t, err)
	const kubeconfig = "{path: west.kubeconfig}"
	require.Contains(r.t, string(before), kubeconfig)
	gateways := fmt.Sprintf("%s, gateways: {eastWest: {service: {type: NodePort, nodePort: %d}, address: {ips: [%q]}}}", kubeconfig, port, west.NodePortIP())
	require.NoError(r.t, os.WriteFile(r.fleet, []byte(strings.Replace(string(before), kubeconfig, gateways, 1)), 0o600))
	r.rollout()
	r.allProven()
	entry, err := r.connect("east").dyn.Resource(serviceEntries).Namespace("istio-system").Get(context.Background(), "kube-apiserver-west-egress-gateway", metav1.GetOptions{})
	require.NoError(r.t, err)
	endpoints := fmt.Sprint(entry.Object["spec"].(map[string]any)["endpoints"])
	require.Equal(r.t, 1, strings.Count(endpoints, fmt.Sprint(port)), endpoints)
	svc, err := r.connect("west").CoreV1().Services("istio-system").Get(context.Background(), "istio-eastwestgateway", metav1.GetOptions{})
	require.NoError(r.t, err)
	require.Empty(r.t, svc.Status.LoadBalancer.Ingress, "no load balancer leads there any more")

	require.NoError(r.t, os.WriteFile(r.fleet, before, 0o600))
	r.rollout()
	r.allProven()
}
