package integration

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var rootChange = flag.Bool("root-change", false, "change the root under traffic, which takes four minutes on real nodes")

// proxyLifetime is how long certificates of this test's proxies live: they renew them in half of
// that, so that a phase needs to last no longer than that.
const proxyLifetime = 30 * time.Second

// The root is changed under 50 requests a second through the tunnel and calls of one app by
// another. No gateway and no app is restarted: each takes what a phase brings with its next
// certificate.
func TestRealNodes_TheRootIsChangedUnderTraffic(t *testing.T) {
	if !*rootChange {
		t.Skip("only with -root-change")
	}
	r := newReal(t, 2, "mesh\n  istio: {values: {meshConfig: {defaultConfig: {proxyMetadata: {SECRET_TTL: "+proxyLifetime.String()+"}}}}}")
	r.rollout()
	r.appTraffic()
	rotate := []string{"rotate", "test", "--root", "--workload-lifetime", proxyLifetime.String(), "--reason", "CHG-17"}
	requests, calls := r.pace("east", "west"), r.apps()
	took := []string{}
	for phase, says := range []string{"both roots are trusted, and the old one signs in all of 2 clusters", "both roots are trusted, and the new one signs in all of 2 clusters", "only the new root is trusted in all of 2 clusters"} {
		if phase > 0 {
			out, code := r.try(rotate...)
			require.Equal(t, 2, code, out)
			require.Contains(t, out, "workloads may have certificates of before the phase")
			require.Zero(t, strings.Count(r.must("plan", "-f", r.fleet), "cacerts"), "a plan finds nothing of it to change")
			time.Sleep(proxyLifetime + 5*time.Second)
		}
		began := time.Now()
		out, code := r.try(rotate...)
		require.Zero(t, code, out)
		require.Contains(t, out, says)
		took = append(took, time.Since(began).Round(100*time.Millisecond).String())
	}
	time.Sleep(proxyLifetime) // until every proxy trusts the new root only
	t.Logf("three phases in %s", strings.Join(took, ", "))
	calls(0)
	r.fewFailed(requests(), 0)
	r.allProven()
	require.Contains(t, r.must("plan", "-f", r.fleet, "--exit-code"), "nothing to do")
	t.Logf("\n%s", r.must("ca", "show", "-f", r.fleet))
	r.deleteNamespace("demo", "east", "west")
	r.must("cleanup", "-f", r.fleet)
}
