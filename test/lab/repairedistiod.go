package lab

import (
	"bytes"
	"context"
	"encoding/json"
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

// buildRepaired builds istiod with one file of its module in another form.
func buildRepaired(ctx context.Context, program string) error {
	src, err := os.MkdirTemp("", "landbridge-lab-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(src)
	if err := writeModule("istio", src); err != nil {
		return err
	}
	env := append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio")
	list.Dir, list.Env = src, append(env, "GOFLAGS=-mod=mod")
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("find Istio's module: %w", err)
	}
	faulty := filepath.Join(strings.TrimSpace(string(out)), credentialsFile)
	code, err := os.ReadFile(faulty)
	if err != nil {
		return err
	}
	for _, w := range withoutPanic {
		if bytes.Count(code, []byte(w.method)) != 1 {
			return fmt.Errorf("%s has no %q: is the fault repaired in it?", credentialsFile, w.method)
		}
		code = bytes.Replace(code, []byte(w.method), []byte(w.method+w.guard), 1)
	}
	repaired := filepath.Join(src, "repaired.go.txt")
	if err := os.WriteFile(repaired, code, 0o644); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {faulty: repaired}})
	if err != nil {
		return err
	}
	overlayFile := filepath.Join(src, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o644); err != nil {
		return err
	}
	built := filepath.Join(src, "pilot-repaired")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-overlay", overlayFile, "-ldflags", "-s -w "+istioStamp, "-o", built, "istio.io/istio/pilot/cmd/pilot-discovery")
	var stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = src, env, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the repaired istiod: %w\n%s", err, tail(stderr.String()))
	}
	return move(built, program)
}
