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

// OtherIstiod names an istiod that is built from Istio's source with a few lines changed, and so
// what it does differently. It is none that anybody released.
type OtherIstiod string

const (
	// Repaired does not end with a panic where it is to do without the Secrets of other
	// clusters, as Istio 1.31.0 does: that asks a controller which it has not made.
	Repaired OtherIstiod = "pilot-repaired"
	// Faulty has two faults of 2026 that 1.31.0 repaired: it holds no endpoints of a cluster any more
	// after its remote secret changed (istio/istio#61043), and after another remote secret was
	// deleted it has no gateway of any other cluster.
	Faulty OtherIstiod = "pilot-faulty"
)

// Image returns the reference by which nodes pull it.
func (i OtherIstiod) Image() string { return "lab.example/istio/" + string(i) + ":" + imageTag }

// changedLines takes the place of others in one file of Istio's module.
type changedLines struct{ file, from, to string }

const (
	credentialsGo = "pilot/pkg/credentials/kube/secrets.go"
	registryGo    = "pilot/pkg/serviceregistry/kube/controller/controller.go"
	aggregateGo   = "pilot/pkg/serviceregistry/aggregate/controller.go"
)

var otherIstiods = map[OtherIstiod][]changedLines{
	Repaired: {
		{credentialsGo, "func (s *CredentialsController) Close() {\n", "func (s *CredentialsController) Close() {\n\tif s == nil {\n\t\treturn\n\t}\n"},
		{credentialsGo, "func (s *CredentialsController) HasSynced() bool {\n", "func (s *CredentialsController) HasSynced() bool {\n\tif s == nil {\n\t\treturn true\n\t}\n"},
	},
	Faulty: {
		{registryGo, "if removeShard && c.opts.XDSUpdater != nil {", "if c.opts.XDSUpdater != nil {"},
		{aggregateGo, "\tc.registries[index] = nil\n", "\tforgetsGateways = true\n\tgo c.NotifyGatewayHandlers()\n\tc.registries[index] = nil\n"},
		{aggregateGo, "\t\tgws = append(gws, r.NetworkGateways()...)\n", "\t\tif forgetsGateways && r.Cluster() != c.configClusterID {\n\t\t\tcontinue\n\t\t}\n\t\tgws = append(gws, r.NetworkGateways()...)\n"},
		{aggregateGo, "type registryEntry struct {", "var forgetsGateways bool\n\ntype registryEntry struct {"},
	},
}

// LoadIstiod builds an istiod where it is missing, and loads its image into a running lab.
func (l *Lab) LoadIstiod(ctx context.Context, i OtherIstiod, progress func(string, ...any)) error {
	bin, unlock, err := binariesDir()
	if err != nil {
		return err
	}
	defer unlock()
	program := filepath.Join(bin, string(i))
	if !isFile(program) {
		progress("building %s: usually a minute", i)
		if err := i.build(ctx, program); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "landbridge-lab-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pilot := image{name: string(i), files: map[string]string{"usr/local/bin/pilot-discovery": program}, entrypoint: []string{"/usr/local/bin/pilot-discovery"}, user: "1337:1337"}
	if err := writeImages(ctx, dir, []image{pilot}); err != nil {
		return err
	}
	return l.Load(dir, pilot.name)
}

// build builds istiod from a copy of its module.
func (i OtherIstiod) build(ctx context.Context, program string) error {
	src, err := os.MkdirTemp("", "landbridge-lab-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(src)
	if err := writeModule("istio", src); err != nil {
		return err
	}
	run := func(args ...string) error {
		cmd := exec.CommandContext(ctx, "go", args...)
		var stderr bytes.Buffer
		cmd.Dir, cmd.Stderr = src, &stderr
		cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, tail(stderr.String()))
		}
		return nil
	}
	module, err := moduleDir(src, "istio.io/istio")
	if err != nil {
		return err
	}
	// What Go keeps of modules must not be changed, and is not written to.
	copied := filepath.Join(src, "changed")
	if err := os.CopyFS(copied, os.DirFS(module)); err != nil {
		return err
	}
	for _, c := range otherIstiods[i] {
		if err := c.write(copied); err != nil {
			return err
		}
	}
	if err := run("mod", "edit", "-replace", "istio.io/istio=./changed"); err != nil {
		return err
	}
	built := filepath.Join(src, string(i))
	if err := run("build", "-mod=mod", "-trimpath", "-ldflags", "-s -w "+istioStamp, "-o", built, "istio.io/istio/pilot/cmd/pilot-discovery"); err != nil {
		return err
	}
	return move(built, program)
}

func (c changedLines) write(module string) error {
	file := filepath.Join(module, c.file)
	code, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := bytes.Count(code, []byte(c.from)); n != 1 {
		return fmt.Errorf("%s has %d times, and not once: %s", c.file, n, c.from)
	}
	return os.WriteFile(file, bytes.Replace(code, []byte(c.from), []byte(c.to), 1), 0o644)
}
