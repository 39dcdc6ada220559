package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// onDemand pins what only single tests build. It stands apart, so that a change of it
// builds nothing else anew.
//
//go:embed ondemand/*/*.txt
var onDemand embed.FS

const (
	certManagerModule = "certmanager"
	certManagerPath   = "github.com/cert-manager/cert-manager"
)

// certManagerCRDs are the kinds that cert-manager's controllers for requests watch.
var certManagerCRDs = []string{"certificaterequests", "issuers", "clusterissuers"}

// CertManager builds cert-manager's controllers where they are missing, and returns the
// path of the program and the manifests of its kinds.
func CertManager(ctx context.Context, progress func(string, ...any)) (program string, crds [][]byte, err error) {
	bin, unlock, err := binariesDir()
	if err != nil {
		return "", nil, err
	}
	defer unlock()
	sum := sha256.New()
	if err := fs.WalkDir(onDemand, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := onDemand.ReadFile(p)
		sum.Write(data)
		return err
	}); err != nil {
		return "", nil, err
	}
	bin = filepath.Join(bin, certManagerModule+"-"+hex.EncodeToString(sum.Sum(nil)[:6]))
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", nil, err
	}
	program = filepath.Join(bin, certManagerModule)
	if !isFile(program) {
		if err := downloaded(ctx, certManagerModule); err != nil {
			return "", nil, err
		}
	}
	b := build{module: certManagerModule, packages: []string{"github.com/landbridge/landbridge/test/lab/ondemand/certmanager"}, usual: "4 minutes"}
	if err := b.run(ctx, bin, progress); err != nil {
		return "", nil, err
	}
	for _, kind := range certManagerCRDs {
		crd, err := moduleFile(certManagerModule, certManagerPath, "deploy/crds/cert-manager.io_"+kind+".yaml")
		if err != nil {
			return "", nil, err
		}
		crds = append(crds, crd)
	}
	return program, crds, nil
}

// ErrNoModule reports a module, or one that it needs, that Go cannot download here.
var ErrNoModule = errors.New("the module cannot be had here")

// downloaded has Go download all that a module is built from.
func downloaded(ctx context.Context, module string) error {
	src, err := os.MkdirTemp("", "landbridge-lab-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(src)
	if err := writeModule(module, src); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", ".")
	cmd.Dir, cmd.Env = src, append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s: %s", ErrNoModule, module, tail(stderr.String()))
	}
	return nil
}
