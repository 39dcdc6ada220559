package integration

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
)

// callApp has a pod of east call west's app once.
func (r *real) callApp(pod string) (string, error) {
	return r.exec("east", "demo", pod, "app", "/usr/local/bin/pod", "get", "http://hello.demo.svc.cluster.local:8080/")
}

// rotatesIntermediates gives every cluster a new intermediate under 50 requests a second through
// the tunnel and calls of one app by another. A pod that starts afterwards has its certificate from
// the new one, and is answered by one with a certificate of before.
func (r *real) rotatesIntermediates() {
	before := map[string]string{}
	for _, c := range clusters {
		before[c] = r.intermediate(c)
	}
	requests, calls := r.pace("east", "west"), r.apps()
	began := time.Now()
	out, code := r.try("rotate", "test", "--intermediates", "--reason", "CHG-16")
	took := time.Since(began)
	require.Zero(r.t, code, out)
	require.Regexp(r.t, `fleet test: 3 intermediates of 3 clusters renewed in .*\nevery istiod works with its new one, and 6 proofs of links passed`, out)
	r.create("east", "/api/v1/namespaces/demo/pods\napiVersion: v1\nkind: Pod\nmetadata: {name: later, labels: {app: later}}\n"+
		"spec: {terminationGracePeriodSeconds: 1, containers: [{name: app, image: lab.example/pod:1, command: [/usr/local/bin/pod, pause]}]}\n")
	r.eventually("a pod with a certificate of the new intermediate calls west's app", func() error {
		_, err := r.callApp("later")
		return err
	})
	r.t.Logf("3 intermediates renewed in %s", took.Round(100*time.Millisecond))
	calls(0)
	r.fewFailed(requests(), 0)
	for _, c := range clusters {
		require.NotEqual(r.t, before[c], r.intermediate(c))
		_, err := r.connect(c).CoreV1().Secrets("landbridge-system").Get(context.Background(), "landbridge-cacerts-before", metav1.GetOptions{})
		require.ErrorContains(r.t, err, "not found")
	}
}

// intermediate returns the fingerprint of the certificate in a cluster's cacerts.
func (r *real) intermediate(cluster string) string {
	s, err := r.connect(cluster).CoreV1().Secrets("istio-system").Get(context.Background(), "cacerts", metav1.GetOptions{})
	require.NoError(r.t, err)
	facts, err := certs.Describe(s.Data["ca-cert.pem"])
	require.NoError(r.t, err)
	return facts.Fingerprint
}
