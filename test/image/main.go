// Command image packs the released programs into the worker's image: an OCI layout of one
// image for each platform, from scratch, without a container engine. deploy/image.sh builds
// the programs and runs it.
//
// It is in the module of the tests, which already has go-containerregistry for the images of
// the lab: the product's own module must not grow by what none of its programs needs, and a
// fourth module would be more to keep than this is.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/spf13/pflag"
)

func main() {
	var p pack
	var created int64
	fs := pflag.NewFlagSet("image", pflag.ExitOnError)
	fs.StringToStringVar(&p.programs, "programs", nil, "directory with the programs of a platform (linux/amd64=DIR); may be repeated")
	fs.StringVar(&p.version, "version", "", "version of the programs, and tag of the image")
	fs.StringVar(&p.revision, "revision", "", "commit that the programs were built from")
	fs.Int64Var(&created, "created", 0, "time of that commit, in seconds since 1970")
	out := fs.String("out", "", "directory of the OCI layout; an older one is replaced")
	_ = fs.Parse(os.Args[1:])
	p.created = time.Unix(created, 0).UTC()
	digest, err := p.write(*out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %s:%s for %s\n%s\n", *out, imageName, p.version, strings.Join(p.platforms(), " and "), digest)
}

// pack says what the image is made of.
type pack struct {
	// programs names, for each platform, the directory that has them.
	programs          map[string]string
	version, revision string
	created           time.Time
}

// write writes the layout and returns the digest of its image. Nothing is left of it where
// that fails, and an older one stays.
func (p pack) write(out string) (v1.Hash, error) {
	if len(p.programs) == 0 || p.version == "" || p.revision == "" || out == "" {
		return v1.Hash{}, errors.New("give --programs, --version, --revision, --created and --out")
	}
	if _, err := os.Stat(out); err == nil {
		if _, err := layout.FromPath(out); err != nil {
			return v1.Hash{}, fmt.Errorf("%s is there and is no OCI layout: remove it, or choose another directory with --out", out)
		}
	}
	index, err := p.index()
	if err != nil {
		return v1.Hash{}, err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return v1.Hash{}, err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(out), ".image-*")
	if err != nil {
		return v1.Hash{}, err
	}
	defer os.RemoveAll(tmp)
	if err := writeLayout(tmp, index, p.version); err != nil {
		return v1.Hash{}, err
	}
	if err := os.RemoveAll(out); err != nil {
		return v1.Hash{}, err
	}
	if err := os.Rename(tmp, out); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}
