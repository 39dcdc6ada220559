package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
)

// registryAddress tells a node's containerd where images are: on the loopback of
// the node's own network.
const registryAddress = "127.0.0.1:5000"

// registry serves the images of OCI layouts for reading, to whoever asks for them
// under whatever host, repository and tag, so that a fleet file needs no word
// about where images are. It reads a layout at each request: an image that is
// loaded later is found, and none is kept in memory.
type registry []string

// askedManifest finds the last part of an image's name, and its digest if one is given.
var (
	askedManifest = regexp.MustCompile(`^/v2/(?:.*/)?([^/]+)/manifests/(?:sha256:([0-9a-f]{64})|[^/]+)$`)
	askedBlob     = regexp.MustCompile(`^/v2/.+/blobs/sha256:([0-9a-f]{64})$`)
)

func (r registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "the lab's images can only be read")
		return
	}
	if m := askedManifest.FindStringSubmatch(req.URL.Path); m != nil {
		r.manifest(w, req, m[1], m[2])
		return
	}
	if m := askedBlob.FindStringSubmatch(req.URL.Path); m != nil {
		r.blob(w, req, m[1])
		return
	}
	if req.URL.Path != "/v2/" {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "nothing is at "+req.URL.Path)
	}
}

// manifest serves a manifest by its digest, or by the name of its image.
func (r registry) manifest(w http.ResponseWriter, req *http.Request, name, digest string) {
	if digest == "" {
		digest = r.find(name)
	}
	data, err := os.ReadFile(r.file(digest))
	var m struct {
		MediaType string `json:"mediaType"`
	}
	if err != nil || json.Unmarshal(data, &m) != nil || m.MediaType == "" {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "the lab has no image "+name)
		return
	}
	w.Header().Set("Content-Type", m.MediaType)
	w.Header().Set("Docker-Content-Digest", "sha256:"+digest)
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(data))
}

// find returns the digest of the image with that name, in the first layout that has one.
func (r registry) find(name string) string {
	for _, dir := range r {
		index, err := layout.ImageIndexFromPath(dir)
		if err != nil { // no image was loaded yet
			continue
		}
		m, err := index.IndexManifest()
		if err != nil {
			continue
		}
		for _, d := range m.Manifests {
			if d.Annotations[refName] == name {
				return d.Digest.Hex
			}
		}
	}
	return ""
}

func (r registry) blob(w http.ResponseWriter, req *http.Request, digest string) {
	file := r.file(digest)
	if file == "" {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "the lab has no blob "+digest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", "sha256:"+digest)
	http.ServeFile(w, req, file)
}

// file names the file of a blob, or nothing.
func (r registry) file(digest string) string {
	for _, dir := range r {
		if f := filepath.Join(dir, "blobs", "sha256", digest); isFile(f) {
			return f
		}
	}
	return ""
}

// refuse answers with an error in the registries' form.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}

// loadedDir names the OCI layout of the images that were loaded into a running lab.
const loadedDir = "images"

// Load gives a running lab the image of an OCI layout under a name, for the real
// nodes of all its clusters to pull, as kind and k3d do.
func (l *Lab) Load(dir, name string) error {
	if l.Nodes != NodesReal {
		return fmt.Errorf("the nodes of this lab run no containers: `lab up --nodes real` makes some that do")
	}
	from, err := layout.FromPath(dir)
	if err != nil {
		return fmt.Errorf("%s is no OCI layout: %w", dir, err)
	}
	images, err := from.ImageIndex()
	if err != nil {
		return err
	}
	m, err := images.IndexManifest()
	if err != nil {
		return err
	}
	if len(m.Manifests) != 1 {
		return fmt.Errorf("%s has %d images: want one", dir, len(m.Manifests))
	}
	to, err := layout.FromPath(l.path(loadedDir))
	if err != nil {
		if to, err = layout.Write(l.path(loadedDir), empty.Index); err != nil {
			return err
		}
	}
	return appendAs(to, images, m.Manifests[0], name)
}

// appendAs copies an image or an index of images to a layout, in the place of one
// that had its name.
func appendAs(to layout.Path, from v1.ImageIndex, what v1.Descriptor, name string) error {
	named := layout.WithAnnotations(map[string]string{refName: name})
	if what.MediaType.IsIndex() {
		index, err := from.ImageIndex(what.Digest)
		if err != nil {
			return err
		}
		return to.ReplaceIndex(index, match.Annotation(refName, name), named)
	}
	img, err := from.Image(what.Digest)
	if err != nil {
		return err
	}
	return to.ReplaceImage(img, match.Annotation(refName, name), named)
}
