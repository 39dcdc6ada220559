package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// story holds a management cluster that a source has clusters in, and an empty directory.
type story struct {
	kept
	t      *testing.T
	source string
	*kubetest.Cluster
	server *kubetest.Server
	dir    string
}

// eachSource tells a story once for each source.
func eachSource(t *testing.T, tell func(t *testing.T, s story)) {
	for _, source := range fleet.Sources {
		t.Run(source, func(t *testing.T) {
			k, ok := keeping[source]
			require.True(t, ok, "say in keeping how the source has a cluster")
			s := story{kept: k, t: t, source: source, Cluster: kubetest.New("hub"), dir: t.TempDir()}
			s.server = kubetest.Listen(t, s.Cluster)
			require.NoError(t, os.WriteFile(s.path("hub"), s.server.Kubeconfig(), 0o600))
			tell(t, s)
		})
	}
}

func (s story) path(name string) string { return filepath.Join(s.dir, name) }

// has puts clusters into the management cluster.
func (s story) has(names ...string) {
	for _, name := range names {
		s.Put(s.object(name, map[string]string{"env": "prod"}))
	}
}

// init runs landbridge init, and returns its exit code with what it printed. It never shows a
// credential.
func (s story) init(args ...string) (int, string) {
	s.t.Helper()
	var stdout, stderr strings.Builder
	code := Main(append([]string{"init", "--from", s.source, "-f", s.path("fleet.yaml"), "--management-kubeconfig", s.path("hub")}, slices.Concat(s.where(), args)...), &stdout, &stderr)
	require.NotContains(s.t, stdout.String()+stderr.String(), hush)
	require.NotContains(s.t, stdout.String()+stderr.String(), "kubetest")
	return code, stdout.String() + stderr.String()
}

func TestInitFrom_EachSource_WritesWhereTheKubeconfigsAre(t *testing.T) {
	eachSource(t, func(t *testing.T, s story) {
		s.has("west", "east")
		s.Put(s.object("north", map[string]string{fleet.LabelNetwork: "backbone"}))
		code, printed := s.init("--name", "prod")
		require.Zero(t, code, printed)
		data, err := os.ReadFile(s.path("fleet.yaml"))
		require.NoError(t, err)
		require.NotContains(t, string(data), hush)
		f, err := fleet.Parse("fleet.yaml", data)
		require.NoError(t, err)
		require.Equal(t, "prod", f.Metadata.Name)
		require.Len(t, f.Links(), 6)
		require.Len(t, f.Spec.Clusters, 3)
		for i, want := range []struct{ name, network, note string }{{"east", "east-network", "-"}, {"north", "backbone", "the network is its label topology.istio.io/network"}, {"west", "west-network", "-"}} {
			c := f.Spec.Clusters[i]
			require.Equal(t, want.name, c.Name)
			require.Equal(t, want.network, c.Network)
			require.Equal(t, s.reached(want.name), c.Kubeconfig)
			require.Contains(t, string(data), "- name: "+want.name+"   # from "+s.described+want.name+"\n")
			require.Regexp(t, fmt.Sprintf("(?m)^%s%s +%s +%s +%s +%s$", s.described, want.name, want.name, want.network, reachedBy(s.reached(want.name)), want.note), printed)
		}
		require.Contains(t, printed, "its role there: landbridge rbac --management "+cmp.Or(s.namespace, "east --management north --management west")+" --from "+s.source+"\n")
		for _, r := range s.server.Requests() {
			require.Equal(t, kubetest.Request{Verb: "list", Group: r.Group, Resource: s.resource, Namespace: s.namespace}, r, "nothing else is read")
		}
	})
}

// The usual namespace of a source need not be typed; where it has none, init asks for one.
func TestInitFrom_NoNamespace_IsTheUsualOneOrAsked(t *testing.T) {
	eachSource(t, func(t *testing.T, s story) {
		s.has("east")
		var stdout, stderr strings.Builder
		code := Main(append([]string{"init", "--from", s.source, "-f", "-", "--management-kubeconfig", s.path("hub")}, s.args...), &stdout, &stderr)
		if s.namespace == "" { // its objects are in none
			require.Zero(t, code, stderr.String())
			return
		}
		if usual := fleet.UsualNamespace(s.source); usual != "" {
			require.Zero(t, code, stderr.String())
			require.Equal(t, s.namespace, usual)
			require.Contains(t, stdout.String(), "# from "+s.described+"east")
			return
		}
		require.Equal(t, exitUsage, code)
		require.Contains(t, stderr.String(), "--source-namespace is required with --from "+s.source)
		require.Empty(t, stdout.String())
	})
}

// The default kubeconfig leads to the management cluster, by its current context or another one.
func TestInitFrom_DefaultKubeconfig_LeadsToTheManagementCluster(t *testing.T) {
	eachSource(t, func(t *testing.T, s story) {
		s.has("east", "west")
		t.Setenv("KUBECONFIG", s.path("hub"))
		for _, args := range [][]string{{}, {"--management-context", "x"}} {
			var stdout, stderr strings.Builder
			code := Main(append([]string{"init", "--from", s.source, "-f", "-"}, slices.Concat(s.where(), args)...), &stdout, &stderr)
			require.Zero(t, code, stderr.String())
			require.Contains(t, stdout.String(), "name: west")
		}
	})
}

func TestInitFrom_Selector_AndWhatIsNoClusterYet_AreInTheTable(t *testing.T) {
	eachSource(t, func(t *testing.T, s story) {
		s.has("east")
		s.Put(s.object("west", map[string]string{"env": "test"}))
		code, printed := s.init("--selector", "env in (prod, stage)")
		require.Zero(t, code, printed)
		require.NotContains(t, printed, "west")
		if s.unready == nil {
			return
		}
		s.Put(s.unready("new"))
		code, printed = s.init("--force")
		require.Zero(t, code, printed)
		require.Regexp(t, "(?m)^"+s.described+`new +- +- +- +left out: `+s.notYet+`$`, printed)
		data, err := os.ReadFile(s.path("fleet.yaml"))
		require.NoError(t, err)
		require.NotContains(t, string(data), "name: new")
	})
}

func TestInitFrom_AFileThatIsThere_IsKeptWithoutForce(t *testing.T) {
	eachSource(t, func(t *testing.T, s story) {
		s.has("east")
		require.NoError(t, os.WriteFile(s.path("fleet.yaml"), []byte("mine"), 0o600))
		code, printed := s.init()
		require.Equal(t, exitUsage, code)
		require.Contains(t, printed, "exists already; --force overwrites it")
		data, err := os.ReadFile(s.path("fleet.yaml"))
		require.NoError(t, err)
		require.Equal(t, "mine", string(data))
		code, _ = s.init("--force", "--schema")
		require.Zero(t, code)
		require.FileExists(t, s.path(schemaFile))
	})
}

// Each way in which it cannot be ends with a sentence that says what to do, and without a file.
func TestInitFrom_EachFailure_SaysWhatToDo_AndWritesNothing(t *testing.T) {
	refuse := func(s story, err error) {
		s.React("list", s.resource, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, err })
	}
	for name, c := range map[string]struct {
		happens func(s story)
		args    []string
		code    int
		want    string
	}{
		"denied": {func(s story) { s.server.Authorize = func(kubetest.Request) bool { return false } }, nil, exitFailed,
			"denies you to list RESOURCE in namespace NAMESPACE (403): ask its administrator for that right"},
		"no such kind": {func(s story) {
			refuse(s, apierrors.NewGenericServerResponse(404, "list", kinds.Secrets.GroupResource(), "", "", 0, true))
		}, nil, exitUsage, "which the source SOURCE lists: is it the management cluster? --management-context names another"},
		"not known there": {func(s story) { refuse(s, apierrors.NewUnauthorized("no")) }, nil, exitFailed, "does not accept the credentials of that context (401): log in again"},
		"an answer": {func(s story) {
			refuse(s, apierrors.NewInternalError(errors.New("etcd\n has no leader, Bearer "+strings.Repeat("abc1", 9))))
		}, nil, exitFailed,
			"did not list the objects of the source SOURCE in namespace NAMESPACE: Internal error occurred: etcd has no leader, (redacted); try again"},
		"unreachable":   {func(s story) { s.server.Close() }, nil, exitFailed, "connection refused; try again, or name another kubeconfig or context (--management-kubeconfig"},
		"too late":      {func(story) {}, []string{"--timeout", "1ns"}, exitFailed, "cannot be reached: context deadline exceeded; try again"},
		"nothing there": {func(story) {}, []string{"--selector", "env=none"}, exitUsage, "lists no cluster; look at --source-namespace and --selector"},
		"another name":  {func(s story) { s.has("a-to-b") }, nil, exitUsage, `OBJECTa-to-b: "a-to-b" cannot be the name of a cluster`},
		"one network":   {func(s story) { s.network("a", "n"); s.network("b", "n") }, nil, exitUsage, "cluster b (OBJECTb).network: the same network as cluster a (OBJECTa)"},
		"a strange object": {func(s story) { s.Put(s.object("x\x1b[2J\nkind: Pod", map[string]string{fleet.AnnotationName: "x"})) }, nil, exitUsage,
			"what the source lists does not make a fleet; change these objects"},
		"a wrong name":    {func(story) {}, []string{"--name", "Prod"}, exitUsage, `--name: "Prod"`},
		"a wrong choice":  {func(story) {}, []string{"--selector", "a b"}, exitUsage, `--selector: "a b" selects nothing`},
		"no namespace":    {func(story) {}, []string{"--source-namespace", "A/b"}, exitUsage, "--source-namespace: "},
		"no context":      {func(story) {}, []string{"--management-context", "y"}, exitUsage, `has no context "y": name that of the management cluster with --management-context; it has x`},
		"no kubeconfig":   {func(s story) { s.write("hub", "hush: [") }, nil, exitUsage, "hub is not a kubeconfig, or cannot be read"},
		"no contexts":     {func(s story) { s.write("hub", "kind: Config\napiVersion: v1\n") }, nil, exitUsage, "hub has no contexts"},
		"none is current": {func(s story) { s.write("hub", small) }, nil, exitUsage, "has no current context: name that of the management cluster with --management-context; it has c"},
		"a cluster lost": {func(s story) {
			s.write("hub", "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: gone}}]\n")
		}, nil, exitUsage, `cannot be used: the kubeconfig has no cluster "gone"`},
	} {
		t.Run(name, func(t *testing.T) {
			eachSource(t, func(t *testing.T, s story) {
				s.has("east")
				c.happens(s)
				code, printed := s.init(c.args...)
				require.Equal(t, c.code, code, printed)
				in := " in namespace " + s.namespace
				if s.namespace == "" {
					in = ""
				}
				want := strings.NewReplacer("RESOURCE", s.resource, " in namespace NAMESPACE", in, "SOURCE", s.source, "OBJECT", s.described).Replace(c.want)
				require.Contains(t, printed, want)
				require.NotContains(t, printed, "Temporal")
				require.NotContains(t, printed, "\x1b")
				require.NoFileExists(t, s.path("fleet.yaml"))
			})
		})
	}
}

func (s story) write(name, text string) {
	require.NoError(s.t, os.WriteFile(s.path(name), []byte(text), 0o600))
}

func (s story) network(name, network string) {
	s.Put(s.object(name, map[string]string{fleet.LabelNetwork: network}))
}

func TestInitFrom_AllThatIsThereIsNoClusterYet_IsTold(t *testing.T) {
	eachSource(t, func(t *testing.T, s story) {
		if s.unready == nil {
			t.Skip("each object of this source is a cluster")
		}
		s.Put(s.unready("new"))
		code, printed := s.init()
		require.Equal(t, exitUsage, code)
		require.Contains(t, printed, "new")
		require.Contains(t, printed, "lists no cluster; the table says why each object was left out")
		require.NoFileExists(t, s.path("fleet.yaml"))
	})
}

func TestInitFrom_FlagsThatDoNotGoTogether_AndUnknownSources_AreUsage(t *testing.T) {
	run := func(args ...string) string {
		var stdout, stderr strings.Builder
		file := filepath.Join(t.TempDir(), "fleet.yaml")
		require.Equal(t, exitUsage, Main(append([]string{"init", "--schema", "-f", file}, args...), &stdout, &stderr), args)
		require.Empty(t, stdout.String())
		require.NoFileExists(t, file)
		require.NoFileExists(t, filepath.Join(filepath.Dir(file), schemaFile))
		return stderr.String()
	}
	for _, flag := range withFrom {
		require.Contains(t, run("--"+flag, "x"), "--"+flag+" goes with --from SOURCE")
	}
	eachSource(t, func(t *testing.T, s story) {
		for _, flag := range notWithFrom {
			args := []string{"--from", s.source, "--" + flag}
			if flag != "existing" {
				args = append(args, "x")
			}
			require.Contains(t, run(args...), "--"+flag+" does not go with --from")
		}
	})
	for _, unknown := range []string{"rancher", ""} {
		require.Contains(t, run("--from", unknown), fmt.Sprintf("--from: want %s, got %q", alternatives(fleet.Sources), unknown))
	}
}

func TestInitFrom_AShellCompletesTheSources(t *testing.T) {
	for _, command := range []string{"init", "rbac"} {
		offered, _ := completed(t, "landbridge "+command, "--from", "")
		require.Equal(t, fleet.Sources, offered)
	}
}
