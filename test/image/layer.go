package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"encoding/pem"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// file describes a file of a layer, or a directory where the path ends with a slash.
type file struct {
	path  string
	mode  int64
	owner int
	data  []byte
}

// tree collects the files of a layer. The times are those of the commit, and nothing else
// comes from the machine that packs.
type tree struct {
	created time.Time
	files   []file
}

// add adds a file after the directories that lead to it.
func (t *tree) add(f file) {
	for i, c := range strings.TrimSuffix(f.path, "/") {
		if c == '/' && !t.has(f.path[:i+1]) {
			t.files = append(t.files, file{path: f.path[:i+1], mode: 0o755})
		}
	}
	t.files = append(t.files, f)
}

func (t *tree) has(path string) bool {
	for _, f := range t.files {
		if f.path == path {
			return true
		}
	}
	return false
}

func (t *tree) layer() (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range t.files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: f.mode, Uid: f.owner, Gid: f.owner, Size: int64(len(f.data)), ModTime: t.created, Format: tar.FormatUSTAR}
		if strings.HasSuffix(f.path, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

// publicRoots returns the certificates of public authorities that Mozilla trusts without a
// condition, as a file: Temporal Cloud, a chart's registry and some API servers have
// certificates of theirs. In a file, and not in the program, a person can mount another one
// over it, and SSL_CERT_FILE can name one.
func publicRoots() ([]byte, error) {
	var buf bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil { // no file could say so
			continue
		}
		cert, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&buf, "# %s\n", cert.Subject)
		if err := pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}); err != nil {
			return nil, err
		}
	}
	return buf.Bytes(), nil
}

// machines tells how an ELF file names an architecture.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// checkStatic refuses a program that would not run: one for another platform, or one that
// needs libraries, of which the image has none.
func checkStatic(program, platform string) error {
	f, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("read program %s: %w", program, err)
	}
	defer f.Close()
	if want := machines[path.Base(platform)]; f.Machine != want || path.Dir(platform) != "linux" {
		return fmt.Errorf("%s is a program for %s, and the image is for %s: build it with GOOS=linux GOARCH=%s", program, f.Machine, platform, path.Base(platform))
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs libraries, and the image has none: build it with CGO_ENABLED=0", program)
		}
	}
	return nil
}
