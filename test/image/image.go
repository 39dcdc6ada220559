package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	imageName = "landbridge-worker"
	source    = "https://github.com/landbridge/landbridge"
	// user is no user of any machine, and the one that distroless images have, too.
	user = 65532
	// stateDir is where a worker keeps roots, unless --no-root is given; mount a volume there.
	stateDir = "state"
	binDir   = "usr/local/bin"
)

// names lists the programs of the image. landbridge-standalone is left out: it is for one
// person's machine, and its SQLite file has no place in a container.
var names = []string{"landbridge", "landbridge-worker"}

func (p pack) platforms() []string { return slices.Sorted(maps.Keys(p.programs)) }

// labels describe the image, as OCI's annotations do.
func (p pack) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":         imageName,
		"org.opencontainers.image.description":   "The worker of Landbridge, and its command",
		"org.opencontainers.image.version":       p.version,
		"org.opencontainers.image.revision":      p.revision,
		"org.opencontainers.image.created":       p.created.Format(time.RFC3339),
		"org.opencontainers.image.source":        source,
		"org.opencontainers.image.documentation": source + "/blob/main/deploy/README.md",
		"org.opencontainers.image.licenses":      "Apache-2.0",
	}
}

// index makes an image for each platform.
func (p pack) index() (v1.ImageIndex, error) {
	base, err := p.baseLayer()
	if err != nil {
		return nil, err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range p.platforms() {
		img, err := p.image(platform, base)
		if err != nil {
			return nil, err
		}
		at, err := v1.ParsePlatform(platform)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: at}})
	}
	return mutate.Annotations(index, p.labels()).(v1.ImageIndex), nil
}

func (p pack) image(platform string, base v1.Layer) (v1.Image, error) {
	programs, err := p.programsLayer(platform)
	if err != nil {
		return nil, err
	}
	at, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: p.created}
	if img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: at.OS, Architecture: at.Architecture, Created: created, Config: v1.Config{
		User:       fmt.Sprintf("%d:%d", user, user),
		Env:        []string{"PATH=/" + binDir + ":/usr/bin:/bin", "XDG_STATE_HOME=/" + stateDir},
		WorkingDir: "/",
		Entrypoint: []string{"/" + binDir + "/landbridge-worker"},
		Labels:     p.labels(),
	}, RootFS: v1.RootFS{Type: "layers"}}); err != nil {
		return nil, err
	}
	if img, err = mutate.Append(img,
		mutate.Addendum{Layer: base, History: v1.History{Created: created, CreatedBy: "certificates of public authorities, and directories"}},
		mutate.Addendum{Layer: programs, History: v1.History{Created: created, CreatedBy: strings.Join(names, ", ") + " " + p.version}},
	); err != nil {
		return nil, err
	}
	return mutate.Annotations(img, p.labels()).(v1.Image), nil
}

// programsLayer has the programs of a platform.
func (p pack) programsLayer(platform string) (v1.Layer, error) {
	t := tree{created: p.created}
	for _, name := range names {
		path := filepath.Join(p.programs[platform], name)
		if err := checkStatic(path, platform); err != nil {
			return nil, err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		t.add(file{path: binDir + "/" + name, mode: 0o755, data: data})
	}
	return t.layer()
}

// baseLayer has what every version needs, so that an upgrade does not fetch it again. There
// are no time zones: the worker tells every time in UTC.
func (p pack) baseLayer() (v1.Layer, error) {
	roots, err := publicRoots()
	if err != nil {
		return nil, err
	}
	t := tree{created: p.created}
	t.add(file{path: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, data: roots})
	t.add(file{path: stateDir + "/", mode: 0o700, owner: user})
	t.add(file{path: "tmp/", mode: 0o1777})
	return t.layer()
}

// writeLayout writes an index as the only image of an OCI layout, so that tools which push a
// layout need not be told which one.
func writeLayout(dir string, index v1.ImageIndex, tag string) error {
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag}))
}
