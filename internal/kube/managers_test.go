package kube_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// has puts an object of YAML into the management cluster.
func (h *hub) has(text string, values ...any) {
	h.t.Helper()
	var o unstructured.Unstructured
	require.NoError(h.t, yaml.Unmarshal(fmt.Appendf(nil, text, values...), &o.Object))
	h.cluster.Put(&o)
}

// plugin writes an exec plugin that gives the token only where it was called as the member wants.
func (h *hub) plugin() string {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "credential")
	const script = "#!/bin/sh\n" + `[ "$1 $2 $REGION" = "token west eu" ] || { echo "called with $* in $REGION" >&2; exit 1; }` + "\n" +
		`echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"kubetest"}}'` + "\n"
	require.NoError(h.t, os.WriteFile(file, []byte(script), 0o700))
	return file
}

// provides tells the worker of an access provider, as its file does.
func (h *hub) provides(more map[string]any) {
	h.t.Helper()
	p := map[string]any{"name": "acme", "execConfig": map[string]any{"apiVersion": "client.authentication.k8s.io/v1", "command": h.plugin(), "args": []string{"token"},
		"env": []map[string]string{{"name": "REGION", "value": "us"}}}}
	for k, v := range more {
		p[k] = v
	}
	data, err := json.Marshal(map[string]any{"providers": []any{p}})
	require.NoError(h.t, err)
	h.access.Providers, err = kube.ParseAccessProviders(data)
	require.NoError(h.t, err)
}

// profiled writes the member's ClusterProfile.
func (h *hub) profiled(field, cluster string) {
	h.has(`{apiVersion: multicluster.x-k8s.io/v1alpha2, kind: ClusterProfile, metadata: {namespace: clusters, name: west}, spec: {clusterManager: {name: x}}, status: {%s: [{name: acme, cluster: %s}]}}`, field, cluster)
}

func (h *hub) openProfile() (*kube.Cluster, error) {
	return h.access.Open(h.t.Context(), "west", fleet.Kubeconfig{ClusterProfile: fleet.ClusterProfile{Namespace: "clusters", Name: "west"}})
}

// of describes the member as a ClusterProfile does, with what it tells the exec plugin.
func (h *hub) of(more string) string {
	return fmt.Sprintf(`{server: %q, certificate-authority-data: %s, extensions: [{name: clusterprofiles.multicluster.x-k8s.io/exec/additional-args, extension: [west]}, {name: clusterprofiles.multicluster.x-k8s.io/exec/additional-envs, extension: {REGION: eu}}]%s}`,
		h.west.URL, base64.StdEncoding.EncodeToString(h.west.CA()), more)
}

func TestClusterProfile_AnExecProvider_GivesTheCredential(t *testing.T) {
	for _, field := range []string{"accessProviders", "credentialProviders"} {
		h := newHub(t)
		h.provides(map[string]any{"profileSourcedCLIArgsPolicy": "Append", "profileSourcedEnvVarsPolicy": "Replace"})
		h.profiled(field, h.of(""))
		c, err := h.openProfile()
		require.NoError(t, err)
		require.NoError(t, h.reads(c), field)
	}
}

// A profile tells a plugin nothing unless the worker's own file says so.
func TestClusterProfile_WithoutAPolicy_TellsThePluginNothing(t *testing.T) {
	h := newHub(t)
	h.provides(nil)
	h.profiled("accessProviders", h.of(""))
	c, err := h.openProfile()
	require.NoError(t, err)
	require.Error(t, h.reads(c), "the plugin was called without what the profile has for it")
}

func TestClusterProfile_ThatLeadsNowhere_SaysWhy(t *testing.T) {
	for want, does := range map[string]func(h *hub){
		"ClusterProfile clusters/west is not in the management cluster": func(*hub) {},
		"names no access provider that this worker knows (--access-providers-file); it names acme": func(h *hub) {
			h.access.Providers = nil
			h.profiled("accessProviders", h.of(""))
		},
		"certificate unchecked (insecure)": func(h *hub) { h.profiled("accessProviders", h.of(", insecure-skip-tls-verify: true")) },
		"no https:// address":              func(h *hub) { h.profiled("accessProviders", `{server: "http://west"}`) },
		"has arguments for the exec plugin that are no list": func(h *hub) {
			h.profiled("accessProviders", `{server: "https://west", extensions: [{name: clusterprofiles.multicluster.x-k8s.io/exec/additional-args, extension: {a: b}}]}`)
		},
	} {
		h := newHub(t)
		h.provides(map[string]any{"profileSourcedCLIArgsPolicy": "Append"})
		does(h)
		_, err := h.openProfile()
		var wrong *kube.KubeconfigError
		require.ErrorAs(t, err, &wrong, want)
		require.ErrorContains(t, err, want)
	}
}

func TestAccessProviders_AFileThatIsNone_SaysWhatIsWanted(t *testing.T) {
	for text, want := range map[string]string{
		"token: very-secret":             `want {"providers"`,
		`{"providers": []}`:              `want {"providers"`,
		`{"providers": [{"name": "a"}]}`: "each provider needs a name and an execConfig with a command",
		`{"providers": [{"name": "a", "execConfig": {"command": "x"}, "profileSourcedCLIArgsPolicy": "Always"}]}`: `profileSourcedCLIArgsPolicy is Ignore or Append, not "Always"`,
		`{"providers": [{"name": "a", "execConfig": {"command": "x"}, "profileSourcedEnvVarsPolicy": "Always"}]}`: "profileSourcedEnvVarsPolicy is Ignore, AppendIfNotExists or Replace",
	} {
		_, err := kube.ParseAccessProviders([]byte(text))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "very-secret")
	}
}

func (h *hub) openOCM() (*kube.Cluster, error) {
	return h.access.Open(h.t.Context(), "west", fleet.Kubeconfig{Secret: fleet.KubeconfigSecret{Namespace: "clusters", Name: "token", Format: fleet.FormatOCM}})
}

// managed writes the ManagedCluster to which the namespace of the token belongs.
func (h *hub) managed(config string) {
	h.has("{apiVersion: cluster.open-cluster-management.io/v1, kind: ManagedCluster, metadata: {name: clusters}, spec: {hubAcceptsClient: true, managedClusterClientConfigs: [%s]}}", config)
}

func TestOCM_TheTokenOfAManagedServiceAccount_LeadsToTheCluster(t *testing.T) {
	bundle := func(h *hub) string { return ", caBundle: " + base64.StdEncoding.EncodeToString(h.west.CA()) }
	for name, c := range map[string]struct {
		secret func(h *hub) map[string]string
		config func(h *hub) string
	}{
		"with the CA of its own": {func(h *hub) map[string]string {
			return map[string]string{"token": "kubetest", "ca.crt": string(h.west.CA())}
		}, func(*hub) string { return "" }},
		"with the CA that the hub knows": {func(*hub) map[string]string { return map[string]string{"token": "kubetest"} }, bundle},
	} {
		h := newHub(t)
		h.keeps("token", c.secret(h))
		h.managed("{url: " + h.west.URL + c.config(h) + "}")
		opened, err := h.openOCM()
		require.NoError(t, err, name)
		require.NoError(t, h.reads(opened), name)
	}
}

func TestOCM_ThatLeadsNowhere_SaysWhy(t *testing.T) {
	for want, does := range map[string]func(h *hub){
		"Secret clusters/token is not in the management cluster":   func(*hub) {},
		"ManagedCluster clusters is not in the management cluster": func(h *hub) { h.keeps("token", map[string]string{"token": "very-secret"}) },
		`Secret clusters/token has no key "token"`:                 func(h *hub) { h.keeps("token", nil); h.managed("{url: https://x}") },
		"has a ManagedCluster without an address":                  func(h *hub) { h.keeps("token", map[string]string{"token": "very-secret"}); h.managed("") },
		"Secret clusters/token has a server that is no https://": func(h *hub) {
			h.keeps("token", map[string]string{"token": "very-secret"})
			h.managed("{url: http://x}")
		},
	} {
		h := newHub(t)
		does(h)
		_, err := h.openOCM()
		var wrong *kube.KubeconfigError
		require.ErrorAs(t, err, &wrong, want)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "very-secret")
	}
}
