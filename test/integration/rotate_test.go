package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/api"
)

// as returns a client of a cluster that has another token.
func (w *world) as(cfg *rest.Config, token string) *kubernetes.Clientset {
	w.t.Helper()
	other := rest.AnonymousClientConfig(cfg)
	other.BearerToken, other.QPS, other.Burst = token, 500, 500
	c, err := kubernetes.NewForConfig(other)
	require.NoError(w.t, err)
	return c
}

// tokens lists the Secrets with a source's tokens in a target, the oldest first.
func (w *world) tokens(source, target string) []corev1.Secret {
	w.t.Helper()
	list, err := w.connect(target).CoreV1().Secrets("istio-system").List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=reader-token,landbridge.dev/link=" + source + "." + target})
	require.NoError(w.t, err)
	return list.Items
}

// newest names the Secret of the token that a source has for a target.
func (w *world) newest(source, target string) string {
	all := w.tokens(source, target)
	return all[len(all)-1].Name
}

// Tokens come to end, are renewed by hand and by their schedule, and go back to lasting.
func TestTokens_ThatEnd_AreRenewedByHandAndBySchedule(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	require.Regexp(t, `2 tokens do not end by themselves; the oldest was issued at `, w.must("drift", "-f", file))
	first := w.tokens("east", "west")
	require.Len(t, first, 1)

	data, err := os.ReadFile(file)
	require.NoError(t, err)
	ends := filepath.Join(t.TempDir(), "fleet.yaml")
	require.NoError(t, os.WriteFile(ends, []byte(strings.Replace(string(data), "spec:\n", "spec:\n  credentials: {tokens: {lifetime: 24h}}\n", 1)), 0o600))
	w.lastFile = ends
	plan := w.must("plan", "-f", ends)
	require.Regexp(t, `\+ create +Secret istio-system/landbridge-reader-east-2`, plan)
	require.Regexp(t, `~ update +Secret istio-system/istio-remote-secret-west +\(gets a new token\)`, plan)
	w.must("rollout", "-f", ends)
	got := w.tokens("east", "west")
	require.Len(t, got, 2, "nothing is proven on KWOK's nodes: the old token stays until the next time")
	require.Equal(t, corev1.SecretTypeOpaque, got[1].Type)
	end, err := time.Parse(time.RFC3339, got[1].Annotations["landbridge.dev/token-ends"])
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(24*time.Hour), end, 5*time.Minute)
	w.must("rollout", "-f", ends)
	require.Len(t, w.tokens("east", "west"), 1)
	w.accepts("west", string(first[0].Data["token"]), false)
	w.accepts("west", string(got[1].Data["token"]), true)
	require.Contains(t, w.must("plan", "-f", ends, "--exit-code"), "nothing to do")

	out := w.must("rotate", "test", "--tokens", "--link", "east.west", "--reason", "CHG-7")
	require.Regexp(t, `fleet test: 1 token of 1 link renewed in`, out)
	require.Equal(t, "landbridge-reader-east-3", w.tokens("east", "west")[1].Name)
	require.Len(t, w.tokens("west", "east"), 1, "the other link has its token")
	require.Contains(t, w.must("status", "test"), "rotation done")

	w.bySchedule()
	w.costs("a rotation of both links", "rotate", "test", "--tokens")
	require.Regexp(t, `fleet test: 2 intermediates of 2 clusters renewed in`, w.must("rotate", "test", "--intermediates"))
	w.changesRoot(ends)
	w.costs("a rollout that changes nothing, but removes their old tokens", "rollout", "-f", ends)
	w.must("cleanup", "-f", ends)
	_, err = w.client(w.t).ScheduleClient().GetHandle(ctx, "landbridge.test.rotation").Describe(ctx)
	require.ErrorContains(t, err, "not found")
	same()
}

// A reader without Secrets may do what istiod does and nothing else, whatever kind the API
// server has. Only its file's values can have it so.
func TestReader_WithoutSecrets_MayReadWhatIstiodDoes(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"}, "  links: mesh", "  "+withoutSecrets+"\n  links: mesh")
	w.must("rollout", "-f", file)
	require.NotContains(t, w.must("plan", "-f", file), "every Secret of")
	cfg, err := clientcmd.BuildConfigFromFlags("", w.lab.Kubeconfig("west"))
	require.NoError(t, err)
	as := w.as(cfg, string(w.tokens("east", "west")[0].Data["token"]))
	may, kinds := w.may(as)
	t.Logf("of %d kinds it may: %s", kinds, strings.Join(may, ", "))
	for _, right := range may {
		verb, kind, _ := strings.Cut(right, " ")
		require.Contains(t, []string{"list", "watch"}, verb, right)
		require.Contains(t, whatIstiodReads, kind, right)
	}
	require.Len(t, may, 14, "list and watch of the 7 kinds that the lab has")
	_, err = as.CoreV1().ConfigMaps("istio-system").List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=istio"})
	require.NoError(t, err, "the settings of the mesh")
	for _, other := range []metav1.ListOptions{{}, {FieldSelector: "metadata.name=kube-root-ca.crt"}} {
		_, err = as.CoreV1().ConfigMaps("istio-system").List(ctx, other)
		require.True(t, apierrors.IsForbidden(err), "%v", err)
	}

	// Without the setting it reads as Istio's own reader does, and back.
	plain := w.file([]string{"east", "west"})
	w.must("rollout", "-f", plain)
	require.Contains(t, w.must("plan", "-f", plain), "sources that may read every Secret of their targets, as Istio's own reader does: east, west")
	_, err = as.CoreV1().Secrets("").List(ctx, metav1.ListOptions{})
	require.NoError(t, err, "Istio's own role")
	w.must("rollout", "-f", file)
	_, err = as.CoreV1().Secrets("").List(ctx, metav1.ListOptions{})
	require.True(t, apierrors.IsForbidden(err), "%v", err)
	w.must("cleanup", "-f", file)
	same()
}

// everyVerb of Kubernetes that an account could have on a kind.
var everyVerb = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "impersonate", "escalate", "bind"}

// may lists what an account may do with every kind of the API server in the whole cluster, but
// what everybody may who is logged in.
func (w *world) may(as *kubernetes.Clientset) (may []string, kinds int) {
	w.t.Helper()
	_, lists, err := as.Discovery().ServerGroupsAndResources()
	require.NoError(w.t, err)
	for _, list := range lists {
		group, _, found := strings.Cut(list.GroupVersion, "/")
		if !found {
			group = ""
		}
		for _, res := range list.APIResources {
			if strings.Contains(res.Name, "/") {
				continue
			}
			kinds++
			for _, verb := range everyVerb {
				review, err := as.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
					Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{Group: group, Resource: res.Name, Verb: verb}}}, metav1.CreateOptions{})
				require.NoError(w.t, err)
				if what := verb + " " + strings.TrimSuffix(res.Name+"."+group, "."); review.Status.Allowed && !strings.HasPrefix(what, "create selfsubject") {
					may = append(may, what)
				}
			}
		}
	}
	slices.Sort(may)
	return slices.Compact(may), kinds
}

// costs logs how many requests a command leads to on the two clusters, and how long it takes.
func (w *world) costs(what string, command ...string) {
	w.t.Helper()
	_, east := w.requests("east", 0)
	_, west := w.requests("west", 0)
	began, all := time.Now(), 0
	w.must(command...)
	took := time.Since(began)
	for cluster, since := range map[string]int{"east": east, "west": west} {
		counts, _ := w.requests(cluster, since)
		for _, n := range counts {
			all += n
		}
	}
	w.t.Logf("%s: %d requests, %.1f s", what, all, took.Seconds())
}

// accepts requires that an API server knows a token or, after the seconds for which it remembers
// one, does not.
func (w *world) accepts(cluster, token string, want bool) {
	w.t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", w.lab.Kubeconfig(cluster))
	require.NoError(w.t, err)
	as := w.as(cfg, token)
	require.Eventually(w.t, func() bool {
		err := as.Discovery().RESTClient().Get().AbsPath("/version").Do(ctx).Error()
		return (err == nil) == want && (err == nil || apierrors.IsUnauthorized(err))
	}, patience, 200*time.Millisecond)
}

// bySchedule has the schedule look when no token is due, and when one is.
func (w *world) bySchedule() {
	w.t.Helper()
	d, err := w.client(w.t).ScheduleClient().GetHandle(ctx, "landbridge.test.rotation").Describe(ctx)
	require.NoError(w.t, err)
	require.Equal(w.t, 4*time.Hour, d.Schedule.Spec.Intervals[0].Every)
	require.Zero(w.t, w.checksTokens().Renewed)
	all := w.tokens("east", "west")
	soon := all[len(all)-1]
	soon.Annotations["landbridge.dev/token-ends"] = time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339)
	_, err = w.connect("west").CoreV1().Secrets("istio-system").Update(ctx, &soon, metav1.UpdateOptions{})
	require.NoError(w.t, err)
	time.Sleep(2 * time.Second) // it is due in the last third of its life, which was short
	require.Equal(w.t, 1, w.checksTokens().Renewed)
	require.Equal(w.t, "landbridge-reader-east-4", w.newest("east", "west"))
}

// checksTokens has the schedule of the tokens look at once, and returns what it found.
func (w *world) checksTokens() (out api.RotationCheck) {
	w.t.Helper()
	c := w.client(w.t)
	handle := c.ScheduleClient().GetHandle(ctx, "landbridge.test.rotation")
	before := len(w.looks(handle))
	require.NoError(w.t, handle.Trigger(ctx, client.ScheduleTriggerOptions{}))
	require.Eventually(w.t, func() bool { return len(w.looks(handle)) > before }, patience, 100*time.Millisecond)
	last := w.looks(handle)[before]
	require.NoError(w.t, c.GetWorkflow(ctx, last.WorkflowID, last.FirstExecutionRunID).Get(ctx, &out))
	return out
}

func (w *world) looks(h client.ScheduleHandle) (out []*client.ScheduleWorkflowExecution) {
	d, err := h.Describe(ctx)
	require.NoError(w.t, err)
	for _, a := range d.Info.RecentActions {
		if a.StartWorkflowResult != nil {
			out = append(out, a.StartWorkflowResult)
		}
	}
	return out
}
