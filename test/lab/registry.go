package lab

import (
	"fmt"
	"net/http"
	"path"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// registryAddress is where a node's containerd finds images: on the loopback of
// the node's own network.
const registryAddress = "127.0.0.1:5000"

// registry serves the lab's images for reading, whatever host and tag they are
// asked for under, so that a fleet file needs no word about where images are.
func registry(bin string) (http.Handler, error) {
	index, err := layout.ImageIndexFromPath(filepath.Join(bin, "images"))
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	byName := map[string]v1.Hash{}
	for _, m := range manifest.Manifests {
		byName[m.Annotations[refName]] = m.Digest
	}
	blobs := layout.Path(filepath.Join(bin, "images"))
	serve := func(w http.ResponseWriter, r *http.Request, h v1.Hash, typ string) {
		blob, err := blobs.Bytes(h)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", typ)
		w.Header().Set("Docker-Content-Digest", h.String())
		w.Header().Set("Content-Length", fmt.Sprint(len(blob)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(blob)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/v2/{rest...}", func(w http.ResponseWriter, r *http.Request) {
		dir, ref := path.Split(r.PathValue("rest"))
		repository, what := path.Split(path.Clean("/" + dir))
		h, err := v1.NewHash(ref)
		switch {
		case r.PathValue("rest") == "":
			w.WriteHeader(http.StatusOK)
		case what == "manifests" && err == nil:
			serve(w, r, h, string(types.OCIManifestSchema1))
		case what == "manifests":
			if h, ok := byName[path.Base(repository)]; ok {
				serve(w, r, h, string(types.OCIManifestSchema1))
				return
			}
			http.NotFound(w, r)
		case what == "blobs" && err == nil:
			serve(w, r, h, "application/octet-stream")
		default:
			http.NotFound(w, r)
		}
	})
	return mux, nil
}
