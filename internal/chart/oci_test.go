package chart

import (
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/landbridge/landbridge/internal/fleet"
)

// A registry of our own, with TLS, that serves one chart. What it serves is
// checked against the digest in the reference.
func TestLoad_OCI_IsPinnedByItsDigest(t *testing.T) {
	want, err := load(os.DirFS(chartDir(t)), ".")
	require.NoError(t, err)
	archive := saved(t, want)
	config, err := json.Marshal(want.Metadata)
	require.NoError(t, err)
	blobs := map[string][]byte{digestOf(archive): archive, digestOf(config): config}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": descriptor("application/vnd.cncf.helm.config.v1+json", config),
		"layers": []any{descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive)},
	})
	require.NoError(t, err)
	served := manifest
	registry := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		switch data, ok := blobs[name]; {
		case strings.Contains(r.URL.Path, "/manifests/"):
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			w.Header().Set("Docker-Content-Digest", name)
			w.Header().Set("Content-Length", fmt.Sprint(len(served)))
			_, _ = w.Write(served)
		case ok:
			_, _ = w.Write(data)
		default:
			w.WriteHeader(http.StatusOK)
		}
	}))
	defer registry.Close()
	trust(t, registry)
	ref := "oci://" + strings.TrimPrefix(registry.URL, "https://") + "/charts/gateway@"

	got, err := Load(fleet.Chart{OCI: ref + digestOf(manifest)}, "", "v1.31.0")
	require.NoError(t, err)
	require.Equal(t, "gateway", got.Name())
	require.Equal(t, "1.31.0", got.Metadata.Version)

	served = append([]byte(" "), manifest...) // somebody changed it
	_, err = Load(fleet.Chart{OCI: ref + digestOf(manifest)}, "", "v1.31.0")
	require.Error(t, err)
}

func chartDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: gateway\nversion: 1.0.0\n", "values.yaml": "{}\n",
		"templates/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func saved(t *testing.T, c *chart.Chart) []byte {
	t.Helper()
	path, err := chartutil.Save(c, t.TempDir())
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

func digestOf(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func descriptor(mediaType string, data []byte) map[string]any {
	return map[string]any{"mediaType": mediaType, "digest": digestOf(data), "size": len(data)}
}

// trust makes the test's registry one that this process trusts.
func trust(t *testing.T, s *httptest.Server) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	t.Setenv("SSL_CERT_FILE", file)
}
