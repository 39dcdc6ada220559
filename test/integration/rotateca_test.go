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

// changesRoot changes the root of two clusters in which nothing runs: every cacerts has what
// belongs to the phase, whatever is rolled out in between, and the old key is gone at the end.
func (w *world) changesRoot(file string) {
	w.t.Helper()
	before := w.roots("east")
	require.Len(w.t, before, 1)
	for phase, want := range []int{2, 2, 1} {
		if phase > 0 {
			out, code := w.try("rotate", "test", "--root")
			require.Equal(w.t, 2, code, out)
			require.Contains(w.t, out, "workloads may have certificates of before the phase in which both roots are trusted")
		}
		w.must("rotate", "test", "--root", "--workload-lifetime", "0")
		for _, c := range []string{"east", "west"} {
			require.Len(w.t, w.roots(c), want)
		}
		is := w.roots("east")
		require.NotRegexp(w.t, `(create|update) +Secret istio-system/cacerts`, w.must("plan", "-f", file))
		w.must("rollout", "-f", file)
		require.Equal(w.t, is, w.roots("east"), "a rollout writes no other roots")
	}
	require.NotContains(w.t, w.roots("west"), before[0])
	out, code := w.try("rotate", "test", "--root")
	require.Equal(w.t, 2, code, out)
	require.Contains(w.t, out, "nothing of that is left to do: another change can begin after", "the same command once more begins no other change")
}

// roots lists the fingerprints of the roots in a cluster's cacerts.
func (w *world) roots(cluster string) []string {
	s, err := w.connect(cluster).CoreV1().Secrets("istio-system").Get(context.Background(), "cacerts", metav1.GetOptions{})
	require.NoError(w.t, err)
	return certs.Fingerprints(s.Data["root-cert.pem"])
}
