package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readBy returns what a source's account asked of a target's API server, as "list pods", and
// what of it was refused since then, from that server's audit log.
func (r *real) readBy(source, target string, since time.Time) (asked, refused []string) {
	r.t.Helper()
	f, err := os.Open(r.lab.AuditLog(target))
	require.NoError(r.t, err)
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var e struct {
			Verb                     string
			RequestReceivedTimestamp time.Time
			User                     struct{ Username string }
			ObjectRef                struct{ Resource, APIGroup, Subresource string }
			ResponseStatus           struct{ Code int }
		}
		if json.Unmarshal(s.Bytes(), &e) != nil || e.User.Username != "system:serviceaccount:istio-system:landbridge-reader-"+source || e.ObjectRef.Resource == "" || e.RequestReceivedTimestamp.Before(since) {
			continue
		}
		what := e.Verb + " " + strings.TrimSuffix(e.ObjectRef.Resource+"."+e.ObjectRef.APIGroup, ".")
		if e.ResponseStatus.Code == http.StatusForbidden {
			refused = append(refused, what)
		} else {
			asked = append(asked, what)
		}
	}
	require.NoError(r.t, s.Err())
	slices.Sort(asked)
	slices.Sort(refused)
	return slices.Compact(asked), slices.Compact(refused)
}

// withoutSecrets has istiod do without the Secrets of other clusters. The lab's stand-in for
// istiod takes it; Istio 1.31.0, which its real nodes run, ends with a panic.
const withoutSecrets = `istio: {values: {pilot: {env: {PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER: "false"}}}}`

// whatIstiodReads are the rights of a reader without Secrets, each as a verb and a kind.
var whatIstiodReads = []string{"namespaces", "nodes", "pods", "services", "endpointslices.discovery.k8s.io", "workloadentries.networking.istio.io",
	"customresourcedefinitions.apiextensions.k8s.io", "gateways.gateway.networking.k8s.io", "serviceexports.multicluster.x-k8s.io", "serviceimports.multicluster.x-k8s.io"}

// readersAreToldApart requires that each source reads its target with an account of its own,
// and that a reader without Secrets could read all that istiod asks for but those.
func (r *real) readersAreToldApart() {
	asked, refused := r.readBy("east", "west", time.Time{})
	r.t.Logf("east's istiod and the proof asked west for: %s", strings.Join(asked, ", "))
	require.Empty(r.t, refused, "what istiod wants and its account may not")
	other, _ := r.readBy("north", "west", time.Time{})
	require.NotEmpty(r.t, other, "west's audit log tells its sources apart")
	read := map[string]bool{}
	for _, what := range asked {
		verb, kind, _ := strings.Cut(what, " ")
		require.Contains(r.t, []string{"list", "watch"}, verb, what)
		read[kind] = true
	}
	require.True(r.t, read["secrets"], "Istio's default")
	for _, kind := range append(whatIstiodReads, "secrets", "configmaps") {
		if !strings.Contains(kind, ".x-k8s.io") && !strings.Contains(kind, "gateways.") { // the lab lacks these kinds
			require.True(r.t, read[kind], "a right that nobody uses: %s", kind)
		}
		delete(read, kind)
	}
	require.Empty(r.t, read, "what a reader without Secrets lacks")
	require.Contains(r.t, r.must("plan", "-f", r.fleet), "sources that may read every Secret of their targets, as Istio's own reader does: east, ")
}

// rotatesTokens renews every token under 50 requests a second through the tunnel, which take
// the token that the remote secret has, and under calls of one app by another.
func (r *real) rotatesTokens() {
	requests, calls := r.pace("east", "west"), r.apps()
	began := time.Now()
	out, code := r.try("rotate", "test", "--tokens", "--reason", "CHG-15")
	took := time.Since(began)
	calls(0)
	said := requests()
	require.Zero(r.t, code, out)
	require.Regexp(r.t, `fleet test: 3 tokens of 3 links renewed in`, out)
	r.t.Logf("3 tokens renewed in %s", took.Round(100*time.Millisecond))
	r.fewFailed(said, 0)
	for _, link := range []struct{ from, to string }{{"east", "west"}, {"west", "east"}, {"north", "west"}} {
		list, err := r.connect(link.to).CoreV1().Secrets("istio-system").List(context.Background(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=reader-token,landbridge.dev/link=" + link.from + "." + link.to})
		require.NoError(r.t, err)
		require.Len(r.t, list.Items, 1, "the old token is gone")
		require.Equal(r.t, "landbridge-reader-"+link.from+"-2", list.Items[0].Name)
	}
	r.t.Logf("a Service of west in east's istiod after %s", r.sees("east", "west", "rotated"))
	r.allProven()
}
