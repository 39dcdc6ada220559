package integration

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/armon/go-socks5"
	"github.com/stretchr/testify/require"
	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/test/front"
)

// Temporal behind mutual TLS, an API key, and a profile of either: the command and the
// worker reach it, and an error tells why somebody is refused.
func TestTemporal_BehindMutualTLS_APIKeysAndProfiles(t *testing.T) {
	w := newWorld(t)
	address, dir := front.Start(t, fmt.Sprintf("127.0.0.1:%d", w.port))
	at := func(name string) string { return filepath.Join(dir, name) }
	profiles := at("temporal.toml")
	require.NoError(t, os.WriteFile(profiles, fmt.Appendf(nil, `[profile.mtls]
address = %q
[profile.mtls.tls]
client_cert_path = %q
client_key_path = %q
server_ca_cert_path = %q
[profile.key]
address = %q
api_key = %q
[profile.key.tls]
server_ca_cert_path = %q
server_name = %q
`, address, at("client.pem"), at("client.key"), at("ca.pem"), address, front.Key, at("ca.pem"), front.ServerName), 0o600))
	ca, config := "TEMPORAL_TLS_SERVER_CA_CERT_PATH="+at("ca.pem"), "TEMPORAL_CONFIG_FILE="+profiles
	const in, refused = "knows nothing of a fleet", "it refuses the API key or certificate"
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"mutual TLS":           {[]string{ca, "TEMPORAL_TLS_CLIENT_CERT_PATH=" + at("client.pem"), "TEMPORAL_TLS_CLIENT_KEY_PATH=" + at("client.key")}, in},
		"an API key":           {[]string{ca, "TEMPORAL_API_KEY=" + front.Key}, in},
		"a profile with mTLS":  {[]string{config, "TEMPORAL_PROFILE=mtls"}, in},
		"a profile with a key": {[]string{config, "TEMPORAL_PROFILE=key"}, in},
		"a wrong key":          {[]string{ca, "TEMPORAL_API_KEY=wrong"}, refused},
		"no certificate":       {[]string{ca, "TEMPORAL_TLS=true"}, refused},
		"an unknown CA":        {[]string{"TEMPORAL_TLS=true"}, "no TLS session"},
		"another server name":  {[]string{ca, "TEMPORAL_TLS_SERVER_NAME=other.test"}, "no TLS session"},
		"no TLS at all":        {nil, "set TEMPORAL_TLS=true"},
	} {
		cmd := w.command(ctx, "status", "nobody")
		cmd.Env = append(cmd.Env, append([]string{"TEMPORAL_ADDRESS=" + address}, c.env...)...)
		out, err := cmd.CombinedOutput()
		require.Error(t, err, name)
		require.Contains(t, string(out), c.want, name)
		require.NotContains(t, string(out), front.Key)
	}
	// A client with TLS on a Temporal without.
	cmd := w.command(ctx, "status", "nobody")
	cmd.Env = append(cmd.Env, "TEMPORAL_TLS=true")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "it speaks no TLS")

	// A worker that uses mutual TLS serves a task queue of its own.
	w.workerEnv = []string{"TEMPORAL_CONFIG_FILE=" + profiles, "TEMPORAL_PROFILE=mtls"}
	w.serveWith(t, "devel", "--address", address, "--task-queue", "inside")
	out2 := w.must("plan", "-f", w.file([]string{"east", "west"}, "spec:\n", "spec:\n  taskQueue: inside\n"))
	require.Contains(t, out2, "plan: ")
}

// Kubeconfigs as people have them: an exec plugin, a token file, certificates in
// files, a Secret that Kubernetes mounts, a SOCKS proxy; and OpenShift, which names its
// API server in a resource.
func TestKubeconfigs_OfEveryKind(t *testing.T) {
	w := stillWorld(t)
	dir := t.TempDir()
	var socks atomic.Int32
	proxy := w.socks(t, &socks)
	tokens := map[string]string{}
	for _, name := range []string{"east", "west"} {
		tokens[name] = w.adminToken(t, name)
	}
	kinds := map[string]func(name string, c *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo){
		"exec": func(name string, _ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			cred := fmt.Sprintf(`{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":%q}}`, tokens[name])
			plugin := filepath.Join(t.TempDir(), "plugin")
			require.NoError(t, os.WriteFile(plugin, []byte("#!/bin/sh\necho '"+cred+"'\n"), 0o700))
			*u = clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{Command: plugin, APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode}}
		},
		"token-file": func(name string, _ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name+".token"), []byte(tokens[name]), 0o600))
			*u = clientcmdapi.AuthInfo{TokenFile: name + ".token"}
		},
		"cert-files": func(name string, _ *clientcmdapi.Cluster, u *clientcmdapi.AuthInfo) {
			for file, data := range map[string][]byte{"crt": orRead(t, u.ClientCertificateData, u.ClientCertificate), "key": orRead(t, u.ClientKeyData, u.ClientKey)} {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name+"."+file), data, 0o600))
			}
			*u = clientcmdapi.AuthInfo{ClientCertificate: name + ".crt", ClientKey: name + ".key"}
		},
		"socks": func(_ string, c *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) { c.ProxyURL = "socks5://" + proxy },
	}
	for kind, change := range kinds {
		for name := range tokens {
			cfg, err := clientcmd.LoadFromFile(w.lab.Kubeconfig(name))
			require.NoError(t, err)
			at := cfg.Contexts[cfg.CurrentContext]
			change(name, cfg.Clusters[at.Cluster], cfg.AuthInfos[at.AuthInfo])
			require.NoError(t, clientcmd.WriteToFile(*cfg, filepath.Join(dir, kind+"-"+name+".kubeconfig")))
		}
	}
	// As the kubelet mounts a Secret: names are links to links.
	version := filepath.Join(dir, "..2026_11_24")
	require.NoError(t, os.Mkdir(version, 0o700))
	require.NoError(t, os.Symlink("..2026_11_24", filepath.Join(dir, "..data")))
	for name := range tokens {
		data, err := os.ReadFile(w.lab.Kubeconfig(name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(version, "mounted-"+name+".kubeconfig"), data, 0o600))
		require.NoError(t, os.Symlink(filepath.Join("..data", "mounted-"+name+".kubeconfig"), filepath.Join(dir, "mounted-"+name+".kubeconfig")))
	}
	w.startWith("--kubeconfig-dir", dir)
	for _, kind := range []string{"exec", "token-file", "cert-files", "mounted", "socks"} {
		file := w.file([]string{"east", "west"}, "path: east", "path: "+kind+"-east", "path: west", "path: "+kind+"-west")
		require.Contains(t, w.must("plan", "-f", file, "--brief"), "plan: ", kind)
	}
	require.Positive(t, socks.Load())
	w.asOpenShift(t, dir)
}

func orRead(t *testing.T, data []byte, file string) []byte {
	t.Helper()
	if len(data) > 0 {
		return data
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return data
}

func (w *world) socks(t *testing.T, used *atomic.Int32) string {
	t.Helper()
	server, err := socks5.New(&socks5.Config{Logger: log.New(io.Discard, "", 0), Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		used.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}})
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() { _ = server.Serve(l) }()
	return l.Addr().String()
}

// adminToken returns a token of an account that may do everything.
func (w *world) adminToken(t *testing.T, cluster string) string {
	t.Helper()
	c := w.connect(cluster)
	_, err := c.CoreV1().ServiceAccounts("default").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "admin-of-the-test"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "admin-of-the-test"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: "admin-of-the-test"}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.RbacV1().ClusterRoleBindings().Delete(ctx, "admin-of-the-test", metav1.DeleteOptions{}))
		require.NoError(t, c.CoreV1().ServiceAccounts("default").Delete(ctx, "admin-of-the-test", metav1.DeleteOptions{}))
	})
	token, err := c.CoreV1().ServiceAccounts("default").CreateToken(ctx, "admin-of-the-test", &authv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(t, err)
	return token.Status.Token
}

const infrastructures = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: infrastructures.config.openshift.io}
spec:
  group: config.openshift.io
  names: {kind: Infrastructure, plural: infrastructures}
  scope: Cluster
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`

// asOpenShift gives east the resource in which OpenShift names its API server; one of the
// names is in its certificate.
func (w *world) asOpenShift(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, w.apply("east", []byte(infrastructures)))
	defer func() {
		require.NoError(t, w.connect("east").dyn.Resource(crds).Delete(ctx, "infrastructures.config.openshift.io", metav1.DeleteOptions{}))
	}()
	require.Eventually(t, func() bool {
		return w.apply("east", []byte("{apiVersion: config.openshift.io/v1, kind: Infrastructure, metadata: {name: cluster}, status: {apiServerInternalURI: 'https://api-int.elsewhere.test:6443', apiServerURL: 'https://kubernetes.default:6443'}}")) == nil
	}, patience, pause/2)
	out, err := w.command(ctx, "plan", "-f", w.file([]string{"east", "west"}, "path: east", "path: mounted-east", "path: west", "path: mounted-west"), "-o", "json").Output()
	require.NoError(t, err)
	var r api.FleetResult
	require.NoError(t, json.Unmarshal(out, &r))
	require.Equal(t, "kubernetes.default", r.Clusters[0].TLSServerName)
	require.Equal(t, "kubernetes.default.svc", r.Clusters[1].TLSServerName)
}

// A support bundle has what somebody who helps wants to see, and no secret in any form.
func TestGather_HasEverythingButSecrets(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	out := filepath.Join(t.TempDir(), "bundle.tar.gz")
	require.Contains(t, w.must("gather", "-f", file, "--out", out), "look at it before you send it")
	files := unpack(t, out)
	for _, want := range []string{"fleet.yaml", "status.json", "report.html", "report.json", "version.txt", "clusters/east/objects.yaml", "clusters/west/pods.txt", "clusters/west/events.txt"} {
		require.NotEmpty(t, files[want], want)
	}
	objects := string(files["clusters/east/objects.yaml"])
	for _, want := range []string{"kind: ServiceEntry", "name: cacerts", "kind: Istio", "sha256:"} {
		require.Contains(t, objects, want)
	}
	var all bytes.Buffer
	for _, data := range files {
		all.Write(data)
	}
	for name, secret := range w.labSecrets() {
		for _, form := range forms(t, secret) {
			require.False(t, bytes.Contains(all.Bytes(), form), name)
		}
	}
	w.must("cleanup", "-f", file)
	same()

	// A cluster that cannot be read does not keep the others from being read.
	require.NoError(t, os.Mkdir(filepath.Join(w.lab.Dir, "broken"), 0o700))
	defer os.RemoveAll(filepath.Join(w.lab.Dir, "broken"))
	unreachable(t, filepath.Join(w.lab.Dir, "broken", "west.kubeconfig"))
	text := w.must("gather", "-f", w.file([]string{"east", "west"}, "path: west", "path: broken/west"), "--out", out)
	require.Contains(t, text, "cluster west could not be read")
	files = unpack(t, out)
	require.NotEmpty(t, files["clusters/east/version.txt"])
	require.Contains(t, string(files["clusters/west/error.txt"]), "cannot be reached")
}

func unpack(t *testing.T, path string) map[string][]byte {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	zip, err := gzip.NewReader(f)
	require.NoError(t, err)
	out := map[string][]byte{}
	for archive := tar.NewReader(zip); ; {
		h, err := archive.Next()
		if err == io.EOF {
			return out
		}
		require.NoError(t, err)
		data, err := io.ReadAll(archive)
		require.NoError(t, err)
		_, name, _ := bytes.Cut([]byte(h.Name), []byte("/"))
		out[string(name)] = data
	}
}
