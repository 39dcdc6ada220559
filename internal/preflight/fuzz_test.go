package preflight

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kinds"
)

func FuzzKnownVersions(f *testing.F) {
	good, err := json.Marshal(crd(kinds.Istios, "v1.30-latest", "v1.31.0").Object)
	require.NoError(f, err)
	for _, s := range []string{string(good), `{"spec":{"versions":[null,7,{"name":["v1"]}]}}`, `{"spec":{"versions":{"name":"v1"}}}`,
		strings.Replace(string(good), `["v1.30-latest","v1.31.0"]`, `["v1.31.0",7]`, 1), strings.Replace(string(good), `"properties"`, `"items"`, 1)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		obj := &unstructured.Unstructured{}
		if json.Unmarshal(data, &obj.Object) != nil || obj.Object == nil {
			return
		}
		there := texts(obj.Object)
		for _, v := range knownVersions(obj) {
			require.Contains(t, there, v, "no version is made up")
		}
	})
}

// texts returns every text in an object.
func texts(in any) (out []string) {
	switch v := in.(type) {
	case string:
		return []string{v}
	case map[string]any:
		for _, x := range v {
			out = append(out, texts(x)...)
		}
	case []any:
		for _, x := range v {
			out = append(out, texts(x)...)
		}
	}
	return out
}

func FuzzMeshSettings(f *testing.F) {
	for _, s := range []string{"trustDomain: corp.example\ndefaultConfig:\n  meshId: corp\n", "", "trustDomain: [a", "defaultConfig: 7", "trustDomain: \"\"", "a: &a [*a]", "trustDomain: 7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		i := api.Istiod{TrustDomain: defaultTrustDomain}
		if readSettings(&i, text) != nil {
			require.Equal(t, api.Istiod{TrustDomain: defaultTrustDomain}, i, "nothing is taken over in part")
			return
		}
		require.NotEmpty(t, i.TrustDomain)
	})
}

func FuzzHostNames(f *testing.F) {
	for _, s := range []string{"https://api.example.com:6443", "https://127.0.0.1", "https://[fe80::1%25eth0]:1", "127.0.0.1:6443", "://", "https://a b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, at string) {
		for _, name := range hostNames(at) {
			require.NotEmpty(t, name)
			_, err := netip.ParseAddr(name)
			if err == nil {
				t.Fatalf("%q is an address, by which no server is asked for", name)
			}
		}
	})
}
