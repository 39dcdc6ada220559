package integration

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
)

// helmVictim names the variable of the environment that makes this test binary a Helm
// which is killed, or refused, during the action that the variable names.
const helmVictim = "LANDBRIDGE_TEST_HELM_VICTIM"

// runHelmVictim runs a release's install, upgrade, rollback or uninstall, and dies with
// SIGKILL after its first write, so that Helm itself leaves what is found then. "failed"
// runs an upgrade whose every patch is refused.
func runHelmVictim(what, kubeconfig, name string) {
	dies := roundTripper{refuse: what == "failed"}
	cfg := &action.Configuration{}
	ns := "istio-system"
	flags := genericclioptions.NewConfigFlags(false)
	flags.Namespace, flags.KubeConfig = &ns, &kubeconfig
	flags.WrapConfigFn = func(c *rest.Config) *rest.Config {
		c = rest.CopyConfig(c)
		c.Wrap(func(next http.RoundTripper) http.RoundTripper { dies.next = next; return &dies })
		return c
	}
	err := cfg.Init(flags, ns, "secret", func(string, ...any) {})
	if err != nil {
		panic(err)
	}
	rel, err := cfg.Releases.Last(name)
	if err != nil {
		panic(err)
	}
	dies.armed.Store(what != "install")
	maps.DeleteFunc(rel.Labels, func(key, _ string) bool { return !strings.Contains(key, "/") }) // Helm's own
	switch what {
	case "install":
		if _, err := action.NewUninstall(cfg).Run(name); err != nil {
			panic(err)
		}
		dies.armed.Store(true)
		in := action.NewInstall(cfg)
		in.ReleaseName, in.Namespace, in.Labels = name, ns, rel.Labels
		_, err = in.Run(rel.Chart, rel.Config)
	case "upgrade", "failed":
		up := action.NewUpgrade(cfg)
		up.Namespace, up.Labels = ns, rel.Labels
		values := maps.Clone(rel.Config)
		values["podAnnotations"] = map[string]any{"changed": fmt.Sprint(rel.Version)}
		_, err = up.Run(name, rel.Chart, values)
	case "rollback":
		back := action.NewRollback(cfg)
		back.Version = rel.Version - 1
		err = back.Run(name)
	case "uninstall":
		_, err = action.NewUninstall(cfg).Run(name)
	}
	fmt.Println("not killed:", err)
}

// roundTripper kills its process after the first write, or refuses patches.
type roundTripper struct {
	next   http.RoundTripper
	armed  atomic.Bool
	refuse bool
}

func (t *roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.refuse && r.Method == http.MethodPatch {
		return nil, fmt.Errorf("refused by the test")
	}
	res, err := t.next.RoundTrip(r)
	if t.armed.Load() && !t.refuse && r.Method != http.MethodGet {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return res, err
}

// cutOff lets a Helm in a process of its own leave a release in that state.
func (w *world) cutOff(t *testing.T, cluster, what, name string, want release.Status) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helmVictim+"="+strings.Join([]string{what, w.lab.OwnKubeconfig(cluster), name}, "\n"))
	out, err := cmd.CombinedOutput()
	if want == release.StatusFailed {
		require.NoError(t, err, string(out))
	} else {
		require.Error(t, err, "it was to be killed: %s", out)
	}
	rel, err := w.connect(cluster).helm(t).Releases.Last(name)
	require.NoError(t, err)
	require.Equal(t, want, rel.Info.Status, string(out))
}
