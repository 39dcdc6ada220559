package lab

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// registryAddress tells a node's containerd where images are: on the loopback of
// the node's own network.
const registryAddress = "127.0.0.1:5000"

// newRegistry serves the images of an OCI layout for reading. Blobs stay on disk:
// only the manifests, a few hundred bytes each, are in memory.
func newRegistry(dir string) (http.Handler, error) {
	images := layout.Path(dir)
	index, err := images.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	server := registry.New(registry.Logger(log.New(io.Discard, "", 0)),
		registry.WithBlobHandler(registry.NewDiskBlobHandler(filepath.Join(dir, "blobs"))))
	for _, m := range manifest.Manifests {
		data, err := images.Bytes(m.Digest)
		if err != nil {
			return nil, err
		}
		put := httptest.NewRequest(http.MethodPut, manifestPath(m.Annotations[refName], imageTag), bytes.NewReader(data))
		put.Header.Set("Content-Type", string(m.MediaType))
		answer := httptest.NewRecorder()
		if server.ServeHTTP(answer, put); answer.Code != http.StatusCreated {
			return nil, fmt.Errorf("the registry does not take image %s: %s", m.Annotations[refName], answer.Body)
		}
	}
	return readOnly(underAnyName(server)), nil
}

func manifestPath(name, reference string) string {
	return fmt.Sprintf("/v2/%s/manifests/%s", name, reference)
}

// askedManifest finds the last part of an image's name, and its tag or digest.
var askedManifest = regexp.MustCompile(`^/v2/(?:.*/)?([^/]+)/manifests/(sha256:)?([^/]+)$`)

// underAnyName lets an image be asked for under whatever host, repository and
// tag, so that a fleet file needs no word about where images are.
func underAnyName(images http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m := askedManifest.FindStringSubmatch(r.URL.Path); m != nil {
			reference := imageTag
			if m[2] != "" {
				reference = m[2] + m[3]
			}
			r = r.Clone(r.Context())
			r.URL.Path = manifestPath(m[1], reference)
		}
		images.ServeHTTP(w, r)
	})
}

// readOnly refuses what would change the images.
func readOnly(images http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "the lab's images can only be read", http.StatusMethodNotAllowed)
			return
		}
		images.ServeHTTP(w, r)
	})
}
