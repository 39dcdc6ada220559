package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// guideVersion takes the place of the guide's own version of Istio, which the lab's Sail
// refuses: its life is over.
const guideVersion = "1.31.3"

// guideBlock holds one block of docs/guide.md: commands, or a file that people save first.
type guideBlock struct{ language, text, file string }

// readGuide returns the blocks of the guide in their order, with this lab's settings in
// place of the guide's examples.
func (w *world) readGuide(t *testing.T) (out []guideBlock) {
	t.Helper()
	data, err := os.ReadFile("../../docs/guide.md")
	require.NoError(t, err)
	text := string(data)
	for _, setting := range [][2]string{{"global: {platform: openshift}\n", ""}, {"ISTIO_VERSION=1.24.3", "ISTIO_VERSION=" + guideVersion}, {"api.west.example.com", "api.west.lab.example"},
		{"api.east.example.com", "api.east.lab.example"}} {
		require.Contains(t, text, setting[0])
		text = strings.ReplaceAll(text, setting[0], setting[1])
	}
	block := regexp.MustCompile("(?s)```(shell|yaml)\n(.*?)```")
	save := regexp.MustCompile("(?s)Save\\s+as\\s+`([^`]+)`")
	for _, at := range block.FindAllStringSubmatchIndex(text, -1) {
		b := guideBlock{language: text[at[2]:at[3]], text: text[at[4]:at[5]]}
		if b.language == "yaml" {
			names := save.FindAllStringSubmatch(text[:at[0]], -1)
			require.NotEmpty(t, names, "the guide says how to save\n%s", b.text)
			b.file = names[len(names)-1][1]
		}
		out = append(out, b)
	}
	return out
}

// followGuide sets two clusters up as docs/guide.md says, with the tools that it names. It
// does what a person does between two steps: wait until what is installed runs. It returns
// a function that removes all that was made.
func (w *world) followGuide(t *testing.T, names ...string) (undo func()) {
	t.Helper()
	undone := false
	undo = func() {
		undone = true
		w.undoGuide(t, names...)
	}
	t.Cleanup(func() {
		if t.Failed() && !undone { // the next test gets these clusters
			undo()
		}
	})
	dir := t.TempDir()
	env := append(os.Environ(), "PATH="+guideTools(t)+":"+os.Getenv("PATH"), "KUBECONFIG="+w.merged(t, w.lab.OwnKubeconfig, names...),
		guideChart+"=v"+guideVersion, "LC_ALL=C")
	ran := 0
	for _, b := range w.readGuide(t) {
		if b.file != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, b.file), []byte(b.text), 0o600))
			continue
		}
		cmd := exec.Command("bash", "-euc", "[ ! -e .env ] || . ./.env; set -o pipefail\n"+b.text+"\nexport -p >.env")
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", b.text, out)
		ran++
		w.waitReady(t, names...)
	}
	require.Equal(t, 11, ran, "every command of the guide was run")
	return undo
}

// waitReady waits until what was installed runs and has its addresses.
func (w *world) waitReady(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		c := w.connect(name)
		if !assert.Eventually(t, func() bool { return c.unready() == "" }, patience, pause/2) {
			require.Empty(t, c.unready(), name)
		}
	}
}

// unready names the first thing that is not ready yet, or returns "".
func (c connection) unready() string {
	sails, err := c.dyn.Resource(istios).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, i := range sails.Items {
		if state, _, _ := unstructured.NestedString(i.Object, "status", "state"); state != "Healthy" {
			return "Istio is " + state
		}
	}
	deployments, err := c.AppsV1().Deployments("istio-system").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, d := range deployments.Items {
		if d.Status.ReadyReplicas == 0 {
			return "Deployment " + d.Name
		}
	}
	services, err := c.CoreV1().Services("istio-system").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, s := range services.Items {
		if s.Spec.Type == corev1.ServiceTypeLoadBalancer && len(s.Status.LoadBalancer.Ingress) == 0 {
			return "Service " + s.Name
		}
	}
	return ""
}

// undoGuide removes what the guide made, and what istiod itself leaves behind.
func (w *world) undoGuide(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		c := w.connect(name)
		for _, kind := range []string{"istios", "istiocnis"} {
			resource := istios
			resource.Resource = kind
			if err := c.dyn.Resource(resource).Delete(ctx, "default", metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
				require.NoError(t, err)
			}
			require.Eventually(t, func() bool {
				list, err := c.dyn.Resource(resource).List(ctx, metav1.ListOptions{})
				return err == nil && len(list.Items) == 0
			}, patience, pause/2, "%s of %s", kind, name)
		}
		for _, ns := range []string{"istio-system", "istio-cni"} {
			if _, err := c.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				c.deleteNamespace(t, ns)
			}
		}
		for _, ns := range []string{"default", "kube-system"} {
			require.NoError(t, c.CoreV1().ConfigMaps(ns).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "istio.io/config=true"}))
		}
	}
}

// Landbridge's own rollout and the guide, one after the other on the same clusters, with the
// same settings: docs/guide-differences.md has every field in which they differ, and no
// other. Then the guide's mesh comes under Landbridge. The worker has the printed rights and
// no more.
func TestGuide_DiffersAsTheDocsSay_AndIsAdopted(t *testing.T) {
	w := stillWorld(t)
	names := []string{"east", "west"}
	dir := w.asTheRoleSays(t, []string{"--adopt"}, names...)
	all := w.merged(t, func(name string) string { return filepath.Join(dir, name+".kubeconfig") }, names...)
	w.startWith("--kubeconfig-dir", dir, "--kubeconfig-dir", filepath.Dir(all))
	same := w.unchanged(names...)
	w.behave("--cloud-address", "hostname")
	edits := []string{"ca: {keyAlgorithm: ECDSA-P256}", "ca: {organization: my-company.org}\n  istio: {version: v" + guideVersion + "}"}
	for _, name := range names {
		edits = append(edits, fmt.Sprintf("{path: %s.kubeconfig}", name), fmt.Sprintf("{path: %s.kubeconfig}, apiServer: {tlsServerName: api.%s.lab.example}", name, name))
	}
	file := w.file(names, edits...)
	w.must("rollout", "-f", file)
	ours := w.readable(t, names...)
	w.must("cleanup", "-f", file)
	same()

	undo := w.followGuide(t, names...)
	guide := w.readable(t, names...)
	requireDocumented(t, guide, ours)
	w.guideIsAdopted(t, all, guide, names...)
	undo()
	same()
}
