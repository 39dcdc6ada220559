package integration

import (
	"math/rand"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	authv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/rights"
)

// asTheRoleSays gives the worker, on every cluster, an account with exactly the role that
// `landbridge rbac` prints with those flags.
func (w *world) asTheRoleSays(t *testing.T, flags []string, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		w.grants(t, dir, name, flags...)
	}
	return dir
}

// grants applies what `landbridge rbac` prints with those flags to a cluster, until the test
// ends, and leaves a kubeconfig of the worker's account.
func (w *world) grants(t *testing.T, dir, name string, flags ...string) {
	t.Helper()
	manifests := strings.Split(w.must(append([]string{"rbac"}, flags...)...), "---\n")
	for _, m := range manifests {
		require.NoError(t, w.apply(name, []byte(m)), m)
	}
	t.Cleanup(func() {
		for _, m := range slices.Backward(manifests) {
			require.NoError(t, w.remove(name, []byte(m)), m)
		}
		for _, m := range manifests {
			require.Eventually(t, func() bool {
				what, kind, err := w.find(name, []byte(m))
				require.NoError(t, err)
				_, err = kind.Get(ctx, what, metav1.GetOptions{})
				return apierrors.IsNotFound(err)
			}, patience, pause, m)
		}
	})
	token, err := w.connect(name).CoreV1().ServiceAccounts("default").CreateToken(ctx, "landbridge-worker", &authv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(t, err)
	cfg, err := clientcmd.LoadFromFile(w.lab.Kubeconfig(name))
	require.NoError(t, err)
	for _, u := range cfg.AuthInfos {
		u.ClientCertificateData, u.ClientKeyData, u.Token = nil, nil, token.Status.Token
		u.ClientCertificate, u.ClientKey = "", ""
	}
	require.NoError(t, clientcmd.WriteToFile(*cfg, filepath.Join(dir, name+".kubeconfig")))
}

// East's worker may do what the role for a whole cluster says. West has an administrator, who
// makes the namespaces and gives readers their roles: its worker has Roles in the namespaces, and
// reads little of the cluster.
func TestRBAC_TheRoleIsEnough_AndWithoutAnyOneVerbTheSentenceNamesIt(t *testing.T) {
	w := stillWorld(t)
	names := []string{"east", "west"}
	file := w.file(names, "  links: mesh", "  credentials: {tokens: {lifetime: 24h}}\n  links: mesh")
	dir := w.asTheRoleSays(t, []string{"--skip-proof"}, "east") // its fleet file leaves proofs out
	w.grants(t, dir, "west", "-f", file, "--cluster", "west", "--namespaced")
	w.startWith("--kubeconfig-dir", dir)
	same := w.unchanged(names...)
	w.must("rollout", "-f", file)
	w.must("drift", "-f", file)
	require.Regexp(t, `fleet test: 2 tokens of 2 links renewed in`, w.must("rotate", "test", "--tokens", "--reason", "CHG-7"))
	w.must("cleanup", "-f", file)
	same()

	// On one cluster, each verb of each rule is missing once, of a role with proofs.
	all := w.file(names, ", skipProof: true}", "}", "  links: mesh", "  "+withoutSecrets+"\n  links: mesh")
	roles := w.connect("east").RbacV1().ClusterRoles()
	role, err := roles.Get(ctx, "landbridge-worker", metav1.GetOptions{})
	require.NoError(t, err)
	role.Rules = nil // an element of a list that is there would keep what the new one leaves out
	require.NoError(t, yaml.Unmarshal([]byte(strings.Split(w.must("rbac"), "---\n")[1]), role))
	role.ResourceVersion = ""
	// The right to list every kind, which no preflight insists on, would cover others.
	role.Rules = slices.DeleteFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return r.Resources[0] == "*" })
	// Nor does it insist on what only lets waits end at once.
	asked := slices.DeleteFunc(verbsOf(role.Rules), func(g grant) bool {
		return slices.ContainsFunc(rights.Watches(rights.Needs{}), func(r rights.Right) bool {
			return g.String() == r.Verbs[0]+" "+r.Resource.Resource
		})
	})
	if !*wholeWay { // each verb takes its turn, drawn by the commit
		rand.New(rand.NewSource(*seed)).Shuffle(len(asked), func(i, j int) { asked[i], asked[j] = asked[j], asked[i] })
		asked = asked[:12]
	}
	for left := asked; len(left) > 0; {
		var missing []grant
		missing, left = oneOfEachRule(left, 6)
		_, err := roles.Update(ctx, without(role, missing), metav1.UpdateOptions{})
		require.NoError(t, err)
		var out string
		require.Eventually(t, func() bool {
			var code int
			out, code = w.try("plan", "-f", all, "--brief")
			return code == 2 && !slices.ContainsFunc(missing, func(g grant) bool { return !strings.Contains(out, "cluster east: the worker may not "+g.String()) })
		}, patience, pause/2, "without %v", missing)
	}
	_, err = roles.Update(ctx, role, metav1.UpdateOptions{})
	require.NoError(t, err)
}

// grant names one verb of one rule of a role.
type grant struct {
	rule           int
	verb, resource string
}

func (g grant) String() string { return g.verb + " " + g.resource }

func verbsOf(rules []rbacv1.PolicyRule) (all []grant) {
	for i, rule := range rules {
		resource, _, _ := strings.Cut(rule.Resources[0], "/")
		for _, verb := range rule.Verbs {
			if verb != "bind" { // only Istio before 1.26 needs it
				all = append(all, grant{i, verb, resource})
			}
		}
	}
	return all
}

// oneOfEachRule takes at most n grants of different resources: each then has a
// sentence of its own, and all of them fit into one message.
func oneOfEachRule(all []grant, n int) (taken, left []grant) {
	for _, g := range all {
		if len(taken) < n && !slices.ContainsFunc(taken, func(t grant) bool { return t.resource == g.resource }) {
			taken = append(taken, g)
		} else {
			left = append(left, g)
		}
	}
	return taken, left
}

func without(role *rbacv1.ClusterRole, missing []grant) *rbacv1.ClusterRole {
	less := role.DeepCopy()
	for _, g := range missing {
		rule := &less.Rules[g.rule]
		rule.Verbs = slices.DeleteFunc(rule.Verbs, func(v string) bool { return v == g.verb })
	}
	less.Rules = slices.DeleteFunc(less.Rules, func(r rbacv1.PolicyRule) bool { return len(r.Verbs) == 0 })
	return less
}
