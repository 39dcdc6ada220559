package integration

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// What people ordinarily do with a fleet file and its worker: rename a cluster, swap two
// kubeconfigs, move the root's directory. None of it touches a mesh that works.
func TestIdentity_RenameSwapOrAnotherRoot_IsRefusedAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	before := w.unchanged("east", "west")
	names := []string{"east", "west"}
	file := w.file(names)
	w.must("rollout", "-f", file)
	same := w.unchanged("east", "west")

	for _, c := range []struct {
		what, file string
		want       []string
	}{
		{"renamed", w.file(names, "name: west,", "name: west-1,"), []string{"it is the fleet's member west"}},
		{"swapped", w.file(names, "east.kubeconfig", "first", "west.kubeconfig", "east.kubeconfig", "path: first", "path: west.kubeconfig"),
			[]string{"it is the fleet's member east", "it is the fleet's member west"}},
	} {
		for _, command := range [][]string{{"plan"}, {"rollout", "--prune"}} {
			out, code := w.try(append(command, "-f", c.file)...)
			require.Equal(t, 2, code, "%s, %s: %s", c.what, command, out)
			for _, want := range c.want {
				require.Contains(t, out, want, c.what)
			}
			same()
		}
	}

	roots := filepath.Join(w.dir, "roots")
	require.NoError(t, os.Rename(roots, roots+"-moved"))
	for _, command := range []string{"plan", "rollout"} {
		out, code := w.try(command, "-f", file)
		require.Equal(t, 1, code, out)
		require.Contains(t, out, "no second root is made")
		same()
	}
	require.NoError(t, os.RemoveAll(roots))
	require.NoError(t, os.Rename(roots+"-moved", roots))
	w.must("rollout", "-f", file)
	w.attacked(t)
	same()
	w.must("cleanup", "-f", file)
	before()
}

// attacked plays somebody who may only start workflows, and has one renew west's token for a key of
// his own.
func (w *world) attacked(t *testing.T) {
	his, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	var f fleet.Fleet
	f.SetDefaults()
	ref := func(cluster string) api.ClusterRef {
		return api.ClusterRef{Contract: api.Contract, Fleet: "test", Cluster: cluster, Kubeconfig: fleet.Kubeconfig{Path: cluster + ".kubeconfig"}, TaskQueue: fleet.DefaultTaskQueue,
			Namespace: "istio-system", CNINamespace: "istio-cni", Run: "attack"}
	}
	run, err := w.client(t).ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "attack", TaskQueue: fleet.DefaultTaskQueue}, "RotateLink", api.LinkInput{
		LinkSettings: api.LinkSettings{Rollout: f.Spec.Rollout, IssuedBefore: time.Now().Add(time.Hour)}, Link: fleet.Link{From: "east", To: "west"},
		Source: ref("east"), Recipient: his.Recipient().String(), Target: api.Target{ClusterRef: ref("west"), TLSServerName: "kubernetes.default.svc"}})
	require.NoError(t, err)
	err = run.Get(ctx, nil)
	require.ErrorContains(t, err, "the token is for east alone")
	require.Equal(t, api.TypeUntrusted, api.Failures(err)[0].Type)
}

// A cluster that was installed again under its name is another one: nothing of the fleet is
// there, and what the others have of the old one leads nowhere. A rollout gives it the
// fleet's root, and them its new token; the old one is refused.
func TestIdentity_AClusterIsRebuilt_TheOthersGetWhatIsNew(t *testing.T) {
	w := newWorld(t)
	before := w.unchanged("east")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	root, old := w.rootOf("east"), w.remoteSecret("east", "west")

	require.NoError(t, w.lab.Rebuild(ctx, "west"))
	fresh := w.unchanged("west")
	require.Contains(t, w.must("plan", "-f", file), "another cluster than before: west")
	w.must("rollout", "-f", file)
	require.Equal(t, root, w.rootOf("west"), "the fleet has one root")
	now := w.remoteSecret("east", "west")
	require.NotEqual(t, old, now)
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	for secret, want := range map[string]bool{old: false, now: true} {
		cfg, err := clientcmd.RESTConfigFromKubeConfig([]byte(secret))
		require.NoError(t, err)
		reach := w.connect("west").cfg
		cfg.Host, cfg.TLSClientConfig, cfg.Dial = reach.Host, rest.TLSClientConfig{CAData: reach.CAData, CAFile: reach.CAFile, ServerName: reach.ServerName}, nil
		target, err := kubernetes.NewForConfig(cfg)
		require.NoError(t, err)
		_, err = target.CoreV1().Services("").List(ctx, metav1.ListOptions{Limit: 1})
		require.Equal(t, want, err == nil, "%v", err)
	}
	w.must("cleanup", "-f", file)
	before()
	fresh()
}

// remoteSecret returns the kubeconfig with which a source reads a target.
func (w *world) remoteSecret(source, target string) string {
	t := w.t
	t.Helper()
	s, err := w.connect(source).CoreV1().Secrets("istio-system").Get(ctx, "istio-remote-secret-"+target, metav1.GetOptions{})
	require.NoError(t, err)
	return string(s.Data[target])
}
