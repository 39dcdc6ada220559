package integration

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
)

// Each mistake that only a cluster can reveal gets one clear error before anything
// changes.
func TestPreflight_EachMistake_IsNamedAndNothingChanges(t *testing.T) {
	w := stillWorld(t)
	dir := t.TempDir()
	for _, c := range clusters {
		data, err := os.ReadFile(w.lab.Kubeconfig(c))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, c+".kubeconfig"), data, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken.kubeconfig"), []byte("clusters: ["), 0o600))
	unreachable(t, filepath.Join(dir, "away.kubeconfig"))
	w.startWith("--kubeconfig-dir", dir)
	same := w.unchanged("east", "west")
	west := "kubeconfig: {path: west.kubeconfig}"
	for name, c := range map[string]struct {
		edit []string
		want []string
	}{
		"kubeconfig that is not there": {[]string{west, "kubeconfig: {path: nothing.kubeconfig}"}, []string{"cluster west", "nothing.kubeconfig is in none of this worker's directories"}},
		"broken kubeconfig":            {[]string{west, "kubeconfig: {path: broken.kubeconfig}"}, []string{"cluster west", "broken.kubeconfig is not a kubeconfig"}},
		"context that is not there":    {[]string{west, "kubeconfig: {path: west.kubeconfig, context: nobody}"}, []string{"cluster west", `has no context "nobody"; it has west`}},
		"cluster that does not answer": {[]string{west, "kubeconfig: {path: away.kubeconfig}"}, []string{"cluster west", "cannot be reached"}},
		"the same API server twice":    {[]string{west, "kubeconfig: {path: east.kubeconfig, context: east}"}, []string{"cluster west", "the same API server as cluster east"}},
		"version that Sail has not":    {[]string{"spec:\n", "spec:\n  istio: {version: v9.9.9}\n"}, []string{"cluster east", "cluster west", "does not know Istio v9.9.9; the newest that it knows are v1.31.3, v1.30.7, v1.29.10"}},
		"name that the certificate has not": {[]string{west, west + ", apiServer: {tlsServerName: api.elsewhere.example}"},
			[]string{"cluster west", "certificate is not for api.elsewhere.example; it is for", "api.west.lab.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			out, code := w.try("rollout", "-f", w.file([]string{"east", "west"}, c.edit...))
			require.Equal(t, 2, code, out)
			for _, s := range c.want {
				require.Contains(t, out, s)
			}
			require.Contains(t, out, "nothing was changed")
		})
	}
	w.t = t
	same()
}

func unreachable(t *testing.T, path string) {
	t.Helper()
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["c"] = &clientcmdapi.Cluster{Server: fmt.Sprintf("https://127.0.0.1:%d", freePort(t)), InsecureSkipTLSVerify: true}
	cfg.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: "t"}
	cfg.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}
	cfg.CurrentContext = "x"
	require.NoError(t, clientcmd.WriteToFile(*cfg, path))
}

// A worker that may only read gets an error that lists each right which it lacks.
func TestPreflight_MissingRights_AreAllNamed(t *testing.T) {
	w := stillWorld(t)
	west := w.connect("west")
	_, err := west.CoreV1().ServiceAccounts("default").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "reader"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = west.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "reader-of-the-test"},
		RoleRef:  rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "view"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: "reader"}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	defer func() {
		require.NoError(t, west.RbacV1().ClusterRoleBindings().Delete(ctx, "reader-of-the-test", metav1.DeleteOptions{}))
		require.NoError(t, west.CoreV1().ServiceAccounts("default").Delete(ctx, "reader", metav1.DeleteOptions{}))
	}()
	token, err := west.CoreV1().ServiceAccounts("default").CreateToken(ctx, "reader", &authv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(t, err)
	dir := t.TempDir()
	cfg, err := clientcmd.LoadFromFile(w.lab.Kubeconfig("west"))
	require.NoError(t, err)
	for _, u := range cfg.AuthInfos {
		u.ClientCertificateData, u.ClientKeyData, u.Token = nil, nil, token.Status.Token
	}
	require.NoError(t, clientcmd.WriteToFile(*cfg, filepath.Join(dir, "west.kubeconfig")))
	data, err := os.ReadFile(w.lab.Kubeconfig("east"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "east.kubeconfig"), data, 0o600))
	w.startWith("--kubeconfig-dir", dir)
	same := w.unchanged("east", "west")
	out, code := w.try("rollout", "-f", w.file([]string{"east", "west"}))
	require.Equal(t, 2, code, out)
	for _, want := range []string{"cluster west", "create, delete, get, patch istios.sailoperator.io default in the whole cluster",
		"create, delete, get, list, patch secrets in namespace landbridge-system", "gateways.networking.istio.io in namespace istio-system"} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "cluster east")
	require.NotContains(t, out, token.Status.Token)
	same()
}

// An API server behind a bastion: the kubeconfig's proxy-url is the only way.
func TestProxyURL_IsHonoured(t *testing.T) {
	w := stillWorld(t)
	var through atomic.Int32
	proxy := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", freePort(t)), Handler: connectProxy(func() { through.Add(1) })}
	go func() { _ = proxy.ListenAndServe() }()
	defer proxy.Close()
	dir := t.TempDir()
	for _, c := range []string{"east", "west"} {
		cfg, err := clientcmd.LoadFromFile(w.lab.Kubeconfig(c))
		require.NoError(t, err)
		for _, cl := range cfg.Clusters {
			cl.ProxyURL = "http://" + proxy.Addr
		}
		require.NoError(t, clientcmd.WriteToFile(*cfg, filepath.Join(dir, c+".kubeconfig")))
	}
	w.startWith("--kubeconfig-dir", dir)
	w.must("plan", "-f", w.file([]string{"east", "west"}))
	require.Positive(t, through.Load())
}

// connectProxy starts an HTTP proxy for TLS: CONNECT, and bytes both ways.
func connectProxy(used func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		target, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		used()
		w.WriteHeader(http.StatusOK)
		conn, early, err := http.NewResponseController(w).Hijack()
		if err != nil {
			target.Close()
			return
		}
		// The client may have begun before the hijack: what the server read by then is
		// in its buffer alone.
		go func() { _, _ = io.Copy(target, early); target.Close() }()
		_, _ = io.Copy(conn, target)
		conn.Close()
	})
}
