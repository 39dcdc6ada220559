package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// image describes one that the lab makes of binaries at hand: a single layer with
// them, the libraries that they load, and what else they look for.
type image struct {
	name string
	// files maps a path in the image to one on this machine.
	files map[string]string
	// content maps a path in the image to text.
	content    map[string]string
	entrypoint []string
	user       string
}

// bootstrapTemplate says where pilot-agent looks for Envoy's configuration.
const bootstrapTemplate = "tools/packaging/common/envoy_bootstrap.json"

// passwd has the user that Istio's proxies run as.
const passwd = "root:x:0:0:root:/root:/sbin/nologin\nistio-proxy:x:1337:1337::/home/istio-proxy:/sbin/nologin\n"

func images(bin string) ([]image, error) {
	bootstrap, err := moduleFile("istio", "istio.io/istio", bootstrapTemplate)
	if err != nil {
		return nil, err
	}
	nft, err := exec.LookPath("nft")
	if err != nil {
		return nil, err
	}
	local := func(names ...string) map[string]string {
		files := map[string]string{}
		for _, n := range names {
			files["usr/local/bin/"+n] = filepath.Join(bin, n)
		}
		return files
	}
	proxy := local("pilot-agent", "envoy")
	proxy["usr/sbin/nft"] = nft
	cni := map[string]string{"opt/cni/bin/istio-cni": filepath.Join(bin, "istio-cni"), "usr/local/bin/install-cni": filepath.Join(bin, "install-cni"), "usr/sbin/nft": nft}
	return []image{
		{"pod", local("pod"), nil, []string{"/usr/local/bin/pod", "pause"}, ""},
		{"coredns", local("coredns"), nil, []string{"/usr/local/bin/coredns"}, ""},
		{"pilot", local("pilot-discovery"), nil, []string{"/usr/local/bin/pilot-discovery"}, "1337:1337"},
		{"proxyv2", proxy, map[string]string{"var/lib/istio/envoy/envoy_bootstrap_tmpl.json": string(bootstrap)}, []string{"/usr/local/bin/pilot-agent"}, ""},
		{"install-cni", cni, nil, []string{"/usr/local/bin/install-cni"}, ""},
	}, nil
}

// imageTag marks every image of the lab.
const imageTag = istioVersion

// imagesDir names the directory, beside the binaries, of the OCI layout that has
// every image.
func imagesDir(bin string) string { return filepath.Join(bin, "images") }

// makeImages writes that layout where it is not there yet.
func makeImages(ctx context.Context, bin string, progress func(string, ...any)) error {
	done := imagesDir(bin)
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	progress("making images of Istio, Envoy and CoreDNS")
	list, err := images(bin)
	if err != nil {
		return err
	}
	tmp := done + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := writeImages(ctx, tmp, list); err != nil {
		return err
	}
	return os.Rename(tmp, done)
}

// writeImages writes an OCI layout of images, each under its name.
func writeImages(ctx context.Context, dir string, list []image) error {
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	for _, i := range list {
		img, err := i.build(ctx)
		if err != nil {
			return fmt.Errorf("image %s: %w", i.name, err)
		}
		if err := path.AppendImage(img, layout.WithAnnotations(map[string]string{refName: i.name})); err != nil {
			return fmt.Errorf("image %s: %w", i.name, err)
		}
	}
	return nil
}

// refName names OCI's annotation for an image's name in a layout.
const refName = "org.opencontainers.image.ref.name"

func (i image) build(ctx context.Context) (v1.Image, error) {
	data, err := i.layer(ctx)
	if err != nil {
		return nil, err
	}
	// Not compressed: it never leaves this machine, and every node unpacks it.
	img, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer(data, types.OCIUncompressedLayer))
	if err != nil {
		return nil, err
	}
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	return mutate.Config(img, v1.Config{Entrypoint: i.entrypoint, User: i.user, WorkingDir: "/",
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/cni/bin"}})
}

func (i image) layer(ctx context.Context) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, d := range []string{"tmp/", "etc/istio/proxy/", "var/lib/istio/data/", "var/run/secrets/", "run/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: d, Mode: 0o1777}); err != nil {
			return nil, err
		}
	}
	files := map[string]string{}
	for to, from := range i.files {
		files[to] = from
		libs, err := libraries(ctx, from)
		if err != nil {
			return nil, err
		}
		for _, lib := range libs {
			files[strings.TrimPrefix(lib, "/")] = lib
		}
	}
	for to, from := range files {
		if err := addFile(w, to, from); err != nil {
			return nil, err
		}
	}
	content := map[string]string{"etc/passwd": passwd, "etc/nsswitch.conf": "hosts: files dns\n"}
	for to, text := range i.content {
		content[to] = text
	}
	for to, text := range content {
		if err := w.WriteHeader(&tar.Header{Name: to, Mode: 0o644, Size: int64(len(text))}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return nil, err
		}
	}
	return buf.Bytes(), w.Close()
}

// addFile copies what a path leads to, so that links among libraries need no
// targets.
func addFile(w *tar.Writer, to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: to, Mode: 0o755, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// libraries finds the files that the dynamic linker would load; a static binary
// has none.
func libraries(ctx context.Context, binary string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "ldd", binary).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && bytes.Contains(out, []byte("not a dynamic executable")) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ldd %s: %w: %s", binary, err, out)
	}
	var libs []string
	for field := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(field, "/") {
			libs = append(libs, strings.TrimSuffix(field, ":"))
		}
	}
	return libs, nil
}

// moduleFile reads a file of a module that the lab builds from.
func moduleFile(pins, module, name string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "landbridge-lab-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := writeModule(pins, dir); err != nil {
		return nil, err
	}
	source, err := moduleDir(dir, module)
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(os.DirFS(source), name)
}

// moduleDir returns where Go keeps the source of a module that the one in dir needs.
func moduleDir(dir, module string) (string, error) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("find module %s: %w", module, err)
	}
	return strings.TrimSpace(string(out)), nil
}
