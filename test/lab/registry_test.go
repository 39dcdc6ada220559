package lab

import (
	"archive/tar"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
)

// serveImages writes two images as the lab does and serves them on the loopback.
func serveImages(t *testing.T) (host, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "images")
	require.NoError(t, writeImages(context.Background(), dir, []image{
		{name: "pod", content: map[string]string{"etc/who": "pod"}, entrypoint: []string{"/pod"}},
		{name: "pilot", content: map[string]string{"etc/who": "pilot"}, entrypoint: []string{"/pilot"}, user: "1337:1337"},
	}))
	server := httptest.NewServer(registry{dir})
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), dir
}

func pull(reference string, options ...remote.Option) (v1.Image, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, err
	}
	return remote.Image(ref, options...)
}

// content reads one file of an image's layers, which come by requests of their own.
func content(t *testing.T, img v1.Image, file string) string {
	t.Helper()
	layers, err := img.Layers()
	require.NoError(t, err)
	for _, l := range layers {
		data, err := l.Uncompressed()
		require.NoError(t, err)
		defer data.Close()
		for r := tar.NewReader(data); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			if h.Name == file {
				text, err := io.ReadAll(r)
				require.NoError(t, err)
				return string(text)
			}
		}
	}
	t.Fatalf("no layer has %s", file)
	return ""
}

func TestRegistry_AnImageIsFoundUnderAnyRepositoryAndTag(t *testing.T) {
	host, _ := serveImages(t)
	for _, reference := range []string{"/pilot:" + imageTag, "/istio/pilot:1.30.2", "/docker.io/istio/pilot:latest", "/a/b/c/pilot:1.31-dev"} {
		img, err := pull(host + reference)
		require.NoError(t, err, reference)
		require.Equal(t, "pilot", content(t, img, "etc/who"), reference)
		cfg, err := img.ConfigFile()
		require.NoError(t, err)
		require.Equal(t, "1337:1337", cfg.Config.User)
		require.Equal(t, []string{"/pilot"}, cfg.Config.Entrypoint)

		digest, err := img.Digest()
		require.NoError(t, err)
		again, err := pull(host + "/elsewhere/pilot@" + digest.String())
		require.NoError(t, err)
		require.Equal(t, "pilot", content(t, again, "etc/who"))
	}
}

func TestRegistry_AnImageThatTheLabDoesNotHaveIsNotFound(t *testing.T) {
	host, _ := serveImages(t)
	_, err := pull(host + "/istio/ztunnel:" + imageTag)
	var refused *transport.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusNotFound, refused.StatusCode)
}

func TestRegistry_TakesNothingFromANode(t *testing.T) {
	host, _ := serveImages(t)
	img, err := pull(host + "/pod:" + imageTag)
	require.NoError(t, err)
	ref, err := name.ParseReference(host + "/mine:v1")
	require.NoError(t, err)
	var refused *transport.Error
	require.ErrorAs(t, remote.Write(ref, img), &refused)
	require.Equal(t, http.StatusMethodNotAllowed, refused.StatusCode)
}

// A loaded image may be for several platforms, and comes before the lab's own.
func TestLoad_AnImageIsFoundAtOnce_ForThePlatformThatIsAsked(t *testing.T) {
	l := &Lab{Dir: t.TempDir(), Nodes: NodesReal}
	server := httptest.NewServer(registry{l.path(loadedDir), t.TempDir()})
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	_, err := pull(host + "/landbridge-worker:v1")
	require.ErrorContains(t, err, "MANIFEST_UNKNOWN")

	for _, version := range []string{"v1", "v2"} { // the second takes the place of the first
		index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
		for _, arch := range []string{"amd64", "arm64"} {
			img, err := image{content: map[string]string{"etc/who": version + " for " + arch}}.build(t.Context())
			require.NoError(t, err)
			index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
		}
		dir := t.TempDir()
		path, err := layout.Write(dir, empty.Index)
		require.NoError(t, err)
		require.ErrorContains(t, l.Load(dir, "landbridge-worker"), "has 0 images: want one")
		require.NoError(t, path.AppendIndex(index))
		require.NoError(t, l.Load(dir, "landbridge-worker"))
		for _, arch := range []string{"amd64", "arm64"} {
			img, err := pull(host+"/registry.example.com/landbridge-worker:any", remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
			require.NoError(t, err)
			require.Equal(t, version+" for "+arch, content(t, img, "etc/who"))
		}
	}
	require.ErrorContains(t, l.Load(t.TempDir(), "landbridge-worker"), "is no OCI layout")
	require.ErrorContains(t, (&Lab{Nodes: NodesKWOK}).Load("", ""), "run no containers")
}

// A blob that is in memory would still be served after its file has gone.
func TestRegistry_KeepsBlobsOnDisk(t *testing.T) {
	host, dir := serveImages(t)
	img, err := pull(host + "/pod:" + imageTag)
	require.NoError(t, err)
	layers, err := img.Layers()
	require.NoError(t, err)
	digest, err := layers[0].Digest()
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "blobs", digest.Algorithm, digest.Hex)))
	_, err = layers[0].Compressed()
	require.ErrorContains(t, err, "BLOB_UNKNOWN")
}
