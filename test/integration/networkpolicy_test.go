package integration

import (
	"context"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/test/lab"
)

// networkPolicies requires that the lab's nodes enforce NetworkPolicies, in a namespace
// without sidecars, and then that those of the egress gateways let istiod in only.
func (r *real) networkPolicies() {
	const policies, name = "/apis/networking.k8s.io/v1/namespaces/plain/networkpolicies\n", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: %s}\nspec: {podSelector: {matchLabels: {app: server}}, policyTypes: [Ingress]%s}\n"
	r.create("east", "/api/v1/namespaces\napiVersion: v1\nkind: Namespace\nmetadata: {name: plain, labels: {istio-injection: disabled}}\n")
	pod := "/api/v1/namespaces/plain/pods\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, labels: {app: %[1]s}}\nspec: {terminationGracePeriodSeconds: 1, containers: [{name: app, image: lab.example/pod:1, command: %s}]}\n"
	r.create("east", fmt.Sprintf(pod, "server", `[/usr/local/bin/pod, serve, ":8080", "hello"]`), fmt.Sprintf(pod, "client", `[/usr/local/bin/pod, pause]`))
	answers := func(want bool) func() error {
		return func() error {
			server, err := r.connect("east").CoreV1().Pods("plain").Get(context.Background(), "server", metav1.GetOptions{})
			if err != nil || server.Status.PodIP == "" {
				return fmt.Errorf("the server has no address yet: %v", err)
			}
			out, err := r.exec("east", "plain", "client", "app", "/usr/local/bin/pod", "get", "http://"+server.Status.PodIP+":8080/")
			// What a program said right before its end may be lost on the way, its end is not.
			if want && strings.Contains(out, "hello") || !want && err != nil && strings.Contains(err.Error(), "exit code 1") {
				return nil
			}
			return fmt.Errorf("%s %v", out, err)
		}
	}
	r.eventually("the server answers", answers(true))
	r.create("east", policies+fmt.Sprintf(name, "deny", ""))
	r.t.Logf("denied after %s", r.eventually("the policy denies", answers(false)))
	r.create("east", policies+fmt.Sprintf(name, "allow", ", ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 8080}]}]"))
	r.t.Logf("allowed after %s", r.eventually("the other policy allows", answers(true)))
	r.onlyIstiod()
	r.deleteNamespace("plain", "east")
}

// onlyIstiod requires that a pod of east gets no connection to the egress gateway, that it
// would get one without the NetworkPolicy, and that a rollout puts a deleted one back.
func (r *real) onlyIstiod() {
	const gateway = "kube-apiserver-west-egress-gateway"
	const policy = "/apis/networking.k8s.io/v1/namespaces/istio-system/networkpolicies/" + gateway
	connects := func(want bool) func() error {
		return func() error {
			pods, err := r.pods("east", "istio-system", "app="+gateway)
			if err != nil || len(pods) == 0 {
				return fmt.Errorf("no pod of %s: %v", gateway, err)
			}
			for _, pod := range pods {
				out, err := r.exec("east", "plain", "client", "app", "/usr/local/bin/pod", "tls", pod.Status.PodIP+":443", "api.west.lab.example")
				// The program ends with 1 where it has no TLS, and tells a timeout from Envoy, which
				// resets the connections of those who ask for no name that it knows.
				if err != nil && !strings.Contains(err.Error(), "exit code 1") {
					return err
				}
				if connected := err == nil || strings.Contains(out, "reset by peer") || strings.Contains(out, "EOF"); want != connected {
					return fmt.Errorf("%s %v", out, err)
				}
			}
			return nil
		}
	}
	r.eventually("a pod that is not istiod gets no connection", connects(false))
	r.t.Logf("istiod sees a Service of west after %s all the same", r.sees("east", "west", "policied"))

	r.patch("east", policy, "")
	r.t.Logf("without the NetworkPolicy it gets one after %s", r.eventually("the client connects", connects(true)))
	out, code := r.try("drift", "-f", r.fleet)
	require.Equal(r.t, 3, code, out)
	require.Contains(r.t, out, "NetworkPolicy istio-system/"+gateway)
	r.rollout()
	r.t.Logf("after a rollout it gets none, after %s", r.eventually("no connection again", connects(false)))
	r.allProven()
	require.False(r.t, r.verify()["east -> west"].Open())

	// A network that enforces nothing does not say so: a rollout tries it.
	r.behave("--platform", lab.PlatformUnenforced)
	r.eventually("the network lets everything through", connects(true))
	r.patch("east", policy, `{"metadata":{"annotations":{"landbridge.dev/other-pods":null}}}`)
	r.rollout()
	require.True(r.t, r.verify()["east -> west"].Open())
	require.Contains(r.t, r.must("plan", "-f", r.fleet), "link east -> west: "+api.OpenToOthers)
	r.behave()
	r.eventually("the network enforces again", connects(false))
	r.patch("east", policy, `{"metadata":{"annotations":{"landbridge.dev/other-pods":null}}}`)
	r.rollout()
	require.False(r.t, r.verify()["east -> west"].Open())
}
