package integration

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// asTheRoleSays has the worker be, on every cluster, an account with exactly the
// role that `landbridge rbac` prints with those flags.
func (w *world) asTheRoleSays(t *testing.T, flags []string, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	parts := strings.Split(w.must(append([]string{"rbac"}, flags...)...), "---\n")
	require.Len(t, parts, 3)
	for _, name := range names {
		c := w.connect(name)
		var (
			account corev1.ServiceAccount
			role    rbacv1.ClusterRole
			binding rbacv1.ClusterRoleBinding
		)
		require.NoError(t, yaml.UnmarshalStrict([]byte(parts[0]), &account))
		require.NoError(t, yaml.UnmarshalStrict([]byte(parts[1]), &role))
		require.NoError(t, yaml.UnmarshalStrict([]byte(parts[2]), &binding))
		_, err := c.CoreV1().ServiceAccounts(account.Namespace).Create(ctx, &account, metav1.CreateOptions{})
		require.NoError(t, err)
		_, err = c.RbacV1().ClusterRoles().Create(ctx, &role, metav1.CreateOptions{})
		require.NoError(t, err)
		_, err = c.RbacV1().ClusterRoleBindings().Create(ctx, &binding, metav1.CreateOptions{})
		require.NoError(t, err)
		t.Cleanup(func() {
			require.NoError(t, c.RbacV1().ClusterRoleBindings().Delete(ctx, binding.Name, metav1.DeleteOptions{}))
			require.NoError(t, c.RbacV1().ClusterRoles().Delete(ctx, role.Name, metav1.DeleteOptions{}))
			require.NoError(t, c.CoreV1().ServiceAccounts(account.Namespace).Delete(ctx, account.Name, metav1.DeleteOptions{}))
		})
		token, err := c.CoreV1().ServiceAccounts(account.Namespace).CreateToken(ctx, account.Name, &authv1.TokenRequest{}, metav1.CreateOptions{})
		require.NoError(t, err)
		cfg, err := clientcmd.LoadFromFile(w.lab.Kubeconfig(name))
		require.NoError(t, err)
		for _, u := range cfg.AuthInfos {
			u.ClientCertificateData, u.ClientKeyData, u.Token = nil, nil, token.Status.Token
			u.ClientCertificate, u.ClientKey = "", ""
		}
		require.NoError(t, clientcmd.WriteToFile(*cfg, filepath.Join(dir, name+".kubeconfig")))
	}
	return dir
}

func TestRBAC_TheRoleIsEnough_AndWithoutAnyOneVerbTheSentenceNamesIt(t *testing.T) {
	w := newWorld(t)
	w.stop()
	names := []string{"east", "west"}
	w.startWith("--kubeconfig-dir", w.asTheRoleSays(t, nil, names...))
	same := w.unchanged(names...)
	file := w.file(names)
	w.must("rollout", "-f", file)
	w.must("drift", "-f", file)
	w.must("cleanup", "-f", file)
	same()

	// On one cluster, every verb of every rule in turn.
	one := w.file([]string{"east"})
	roles := w.connect("east").RbacV1().ClusterRoles()
	role, err := roles.Get(ctx, "landbridge-worker", metav1.GetOptions{})
	require.NoError(t, err)
	for i, rule := range role.Rules {
		for _, verb := range rule.Verbs {
			if verb == "bind" {
				continue // only Istio before 1.26 needs it
			}
			less := role.DeepCopy()
			less.ResourceVersion = ""
			less.Rules[i].Verbs = slices.DeleteFunc(slices.Clone(rule.Verbs), func(v string) bool { return v == verb })
			if len(less.Rules[i].Verbs) == 0 {
				less.Rules = slices.Delete(less.Rules, i, i+1)
			}
			_, err := roles.Update(ctx, less, metav1.UpdateOptions{})
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				out, code := w.try("plan", "-f", one, "--brief")
				resource, _, _ := strings.Cut(rule.Resources[0], "/")
				return code == 2 && strings.Contains(out, "may not "+verb+" "+resource)
			}, commandTimeout, commandTimeout/300, "without %s %s", verb, rule.Resources[0])
		}
	}
	role.ResourceVersion = ""
	_, err = roles.Update(ctx, role, metav1.UpdateOptions{})
	require.NoError(t, err)
}
