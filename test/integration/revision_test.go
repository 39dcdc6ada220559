package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An existing mesh moves to the next revision, as canary upgrades do: the next istiod
// comes beside the old one, the fleet file follows, and the old one goes. What binds the
// reader to a revision's role cannot be changed in place: it is made anew, as the plan says.
func TestExistingMesh_MovesToTheNextRevision(t *testing.T) {
	w := stillWorld(t)
	names := []string{"east", "west"}
	all := w.merged(t, w.lab.Kubeconfig, names...)
	w.startWith("--kubeconfig-dir", filepath.Dir(all))
	clean := w.unchanged(names...)
	remove := w.meshes(t, names...)
	same := w.unchanged(names...)
	file := filepath.Join(t.TempDir(), "fleet.yaml")
	w.must("init", "--existing", "--kubeconfig", all, "-f", file, "--name", "test")
	w.lastFile = file
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	text := string(data) + "  rollout: {skipProof: true, stepTimeout: 2m}\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	w.must("rollout", "-f", file)

	const next = "1-31-4"
	for _, name := range names {
		require.NoError(t, w.apply(name, []byte(strings.NewReplacer("stable", next, "NAME", name).Replace(theirIstio))))
		require.Eventually(t, func() bool {
			d, err := w.connect(name).AppsV1().Deployments("istio-system").Get(ctx, "istiod-"+next, metav1.GetOptions{})
			return err == nil && d.Status.ReadyReplicas > 0
		}, patience, pause/2, name)
	}
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it", "another istiod is no drift")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(text, "revision: stable", "revision: "+next)), 0o600))
	plan := w.must("plan", "-f", file)
	require.Regexp(t, `ClusterRoleBinding landbridge-reader-(east|west) +\(made anew: roleRef cannot be changed in place\)`, plan)
	w.must("rollout", "-f", file)
	other := map[string]string{names[0]: names[1], names[1]: names[0]}
	for _, name := range names {
		c := w.connect(name)
		binding, err := c.RbacV1().ClusterRoleBindings().Get(ctx, "landbridge-reader-"+other[name], metav1.GetOptions{})
		require.NoError(t, err)
		require.Equal(t, "istio-reader-clusterrole-"+next+"-istio-system", binding.RoleRef.Name)
		gateways, err := c.AppsV1().Deployments("istio-system").List(ctx, metav1.ListOptions{LabelSelector: "landbridge.dev/fleet=test"})
		require.NoError(t, err)
		for _, d := range gateways.Items {
			require.Equal(t, next, d.Spec.Template.Labels["istio.io/rev"], d.Name)
		}
	}
	w.requireRemoteSecret("east", "west")
	require.Contains(t, w.must("plan", "-f", file, "--exit-code"), "nothing to do")
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	w.must("cleanup", "-f", file)
	for _, name := range names {
		w.removeIstio(t, name, next)
	}
	same()
	remove()
	clean()
}
