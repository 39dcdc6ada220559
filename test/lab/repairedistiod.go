package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// RepairedIstiod names the image of the istiod that LoadRepairedIstiod loads.
const RepairedIstiod = "lab.example/istio/pilot-repaired:" + imageTag

// Istio 1.31.0 ends with a panic where it is to do without the Secrets of other clusters: it
// asks a controller that it has not made, in two places of one file.
const credentialsFile = "pilot/pkg/credentials/kube/secrets.go"

var withoutPanic = []struct{ method, guard string }{
	{"func (s *CredentialsController) Close() {\n", "\tif s == nil {\n\t\treturn\n\t}\n"},
	{"func (s *CredentialsController) HasSynced() bool {\n", "\tif s == nil {\n\t\treturn true\n\t}\n"},
}

// LoadRepairedIstiod builds istiod with that fault repaired, where it is missing, and loads
// its image into a running lab. It shows what a release with the repair would do; it is none.
func (l *Lab) LoadRepairedIstiod(ctx context.Context, progress func(string, ...any)) error {
	bin, unlock, err := binariesDir()
	if err != nil {
		return err
	}
	defer unlock()
	program := filepath.Join(bin, "pilot-repaired")
	if !isFile(program) {
		progress("building istiod with its fault repaired: usually 2 minutes")
		if err := buildRepaired(ctx, program); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "landbridge-lab-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pilot := image{name: "pilot-repaired", files: map[string]string{"usr/local/bin/pilot-discovery": program}, entrypoint: []string{"/usr/local/bin/pilot-discovery"}, user: "1337:1337"}
	if err := writeImages(ctx, dir, []image{pilot}); err != nil {
		return err
	}
	return l.Load(dir, pilot.name)
}

// buildRepaired builds istiod from a copy of its module with the guards.
func buildRepaired(ctx context.Context, program string) error {
	src, err := os.MkdirTemp("", "landbridge-lab-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(src)
	if err := writeModule("istio", src); err != nil {
		return err
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "go", args...)
		var stderr bytes.Buffer
		cmd.Dir, cmd.Stderr = src, &stderr
		cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, tail(stderr.String()))
		}
		return strings.TrimSpace(string(out)), nil
	}
	module, err := run("list", "-m", "-f", "{{.Dir}}", "istio.io/istio")
	if err != nil {
		return err
	}
	// What Go keeps of modules must not be changed, and is not written to.
	if err := os.CopyFS(filepath.Join(src, "repaired"), os.DirFS(module)); err != nil {
		return err
	}
	if err := addGuards(filepath.Join(src, "repaired", credentialsFile)); err != nil {
		return err
	}
	if _, err := run("mod", "edit", "-replace", "istio.io/istio=./repaired"); err != nil {
		return err
	}
	built := filepath.Join(src, "pilot-repaired")
	if _, err := run("build", "-mod=mod", "-trimpath", "-ldflags", "-s -w "+istioStamp, "-o", built, "istio.io/istio/pilot/cmd/pilot-discovery"); err != nil {
		return err
	}
	return move(built, program)
}

func addGuards(file string) error {
	code, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, w := range withoutPanic {
		if bytes.Count(code, []byte(w.method)) != 1 {
			return fmt.Errorf("%s has no %q: is the fault repaired in it?", credentialsFile, w.method)
		}
		code = bytes.Replace(code, []byte(w.method), []byte(w.method+w.guard), 1)
	}
	return os.WriteFile(file, code, 0o644)
}
