package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"encoding/binary"
	"encoding/pem"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

// program returns an ELF file as a linker writes its beginning.
func program(t *testing.T, machine elf.Machine, segment elf.ProgType) []byte {
	t.Helper()
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1}
	copy(h.Ident[:], []byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)})
	var buf bytes.Buffer
	require.NoError(t, binary.Write(&buf, binary.LittleEndian, h))
	require.NoError(t, binary.Write(&buf, binary.LittleEndian, elf.Prog64{Type: uint32(segment)}))
	return buf.Bytes()
}

// programs writes the programs of both platforms, and returns what packs them.
func programs(t *testing.T, mode fs.FileMode, at time.Time) pack {
	t.Helper()
	dir := t.TempDir()
	p := pack{programs: map[string]string{}, version: "v1.2.3", revision: "0123456789abcdef", created: time.Unix(1795000000, 0).UTC()}
	for arch, machine := range machines {
		p.programs["linux/"+arch] = filepath.Join(dir, arch)
		require.NoError(t, os.Mkdir(filepath.Join(dir, arch), 0o700))
		for _, name := range names {
			file := filepath.Join(dir, arch, name)
			require.NoError(t, os.WriteFile(file, append(program(t, machine, elf.PT_LOAD), name...), mode))
			require.NoError(t, os.Chtimes(file, at, at))
		}
	}
	return p
}

func packed(t *testing.T, p pack) (digest v1.Hash, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "dist", "image")
	digest, err := p.write(dir)
	require.NoError(t, err)
	return digest, dir
}

func TestImage_TheSamePrograms_GiveTheSameBytes_WhereverAndWheneverTheyArePacked(t *testing.T) {
	one, oneDir := packed(t, programs(t, 0o755, time.Now()))
	t.Setenv("TZ", "Asia/Tokyo")
	two, twoDir := packed(t, programs(t, 0o700, time.Now().Add(-48*time.Hour)))
	require.Equal(t, one, two)
	count := 0
	require.NoError(t, filepath.WalkDir(oneDir, func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(oneDir, name)
		require.NoError(t, err)
		want, err := os.ReadFile(name)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(twoDir, rel))
		require.NoError(t, err)
		require.Equal(t, want, got, rel)
		count++
		return nil
	}))
	require.Greater(t, count, 6)

	for what, change := range map[string]func(*pack){
		"version":  func(p *pack) { p.version = "v1.2.4" },
		"revision": func(p *pack) { p.revision = "fedcba9876543210" },
		"created":  func(p *pack) { p.created = p.created.Add(time.Hour) },
	} {
		p := programs(t, 0o755, time.Now())
		change(&p)
		other, _ := packed(t, p)
		require.NotEqual(t, one, other, what)
	}
}

func TestImage_HasTheProgramsOfItsPlatform_AndWhatTheyNeed(t *testing.T) {
	p := programs(t, 0o755, time.Now())
	digest, dir := packed(t, p)
	all, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	top, err := all.IndexManifest()
	require.NoError(t, err)
	require.Len(t, top.Manifests, 1) // so that crane pushes it without being told which
	require.Equal(t, digest, top.Manifests[0].Digest)
	require.Equal(t, "v1.2.3", top.Manifests[0].Annotations["org.opencontainers.image.ref.name"])
	index, err := all.ImageIndex(digest)
	require.NoError(t, err)
	require.NoError(t, validate.Index(index))
	m, err := index.IndexManifest()
	require.NoError(t, err)
	require.Equal(t, types.OCIImageIndex, m.MediaType)
	require.Equal(t, p.labels(), m.Annotations)
	require.Len(t, m.Manifests, len(machines))
	for _, d := range m.Manifests {
		img, err := index.Image(d.Digest)
		require.NoError(t, err)
		cfg, err := img.ConfigFile()
		require.NoError(t, err)
		require.Equal(t, d.Platform.String(), cfg.Platform().String())
		require.Equal(t, p.created, cfg.Created.Time)
		require.Equal(t, v1.Config{User: "65532:65532", WorkingDir: "/", Entrypoint: []string{"/usr/local/bin/landbridge-worker"},
			Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin", "XDG_STATE_HOME=/state"}, Labels: p.labels()}, cfg.Config)
		files := unpack(t, img, p.created)
		require.ElementsMatch(t, []string{"etc/", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt", "state/", "tmp/",
			"usr/", "usr/local/", "usr/local/bin/", "usr/local/bin/landbridge", "usr/local/bin/landbridge-worker"}, keys(files))
		for _, name := range names {
			want, err := os.ReadFile(filepath.Join(p.programs[d.Platform.String()], name))
			require.NoError(t, err)
			require.Equal(t, want, files["usr/local/bin/"+name])
		}
	}
}

// unpack reads the layers of an image, and checks what holds for each of their files.
func unpack(t *testing.T, img v1.Image, created time.Time) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	layers, err := img.Layers()
	require.NoError(t, err)
	for _, l := range layers {
		data, err := l.Uncompressed()
		require.NoError(t, err)
		defer data.Close()
		for r := tar.NewReader(data); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			owner, mode := 0, int64(0o755)
			switch h.Name {
			case "state/":
				owner, mode = 65532, 0o700
			case "tmp/":
				mode = 0o1777
			case "etc/ssl/certs/ca-certificates.crt":
				mode = 0o644
			}
			require.Equal(t, []int{owner, owner}, []int{h.Uid, h.Gid}, h.Name)
			require.Equal(t, mode, h.Mode, h.Name)
			require.True(t, h.ModTime.Equal(created), h.Name)
			if dir := path.Dir(path.Clean(h.Name)); dir != "." {
				require.Contains(t, files, dir+"/", "a directory comes before what is in it")
			}
			files[h.Name], err = io.ReadAll(r)
			require.NoError(t, err)
		}
	}
	return files
}

func keys(m map[string][]byte) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestPublicRoots_AreCertificatesOfAuthorities(t *testing.T) {
	rest, err := publicRoots()
	require.NoError(t, err)
	names := map[string]bool{}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		require.True(t, cert.IsCA)
		names[cert.Subject.CommonName] = true
	}
	require.Greater(t, len(names), 100)
	for _, n := range []string{"Amazon Root CA 1", "GTS Root R1", "ISRG Root X1", "DigiCert Global Root G2"} { // clouds, and Let's Encrypt
		require.True(t, names[n], n)
	}
	require.False(t, names["Izenpe.com"], "a root that is trusted on a condition only")
}

func TestImage_WhatWouldNotRun_IsRefused_AndAnOlderImageStays(t *testing.T) {
	good := programs(t, 0o755, time.Now())
	_, out := packed(t, good)
	before, err := os.ReadFile(filepath.Join(out, "index.json"))
	require.NoError(t, err)
	worker := func(p pack) string { return filepath.Join(p.programs["linux/arm64"], "landbridge-worker") }
	for want, spoil := range map[string]func(p *pack) error{
		"landbridge-worker needs libraries, and the image has none: build it with CGO_ENABLED=0": func(p *pack) error {
			return os.WriteFile(worker(*p), program(t, elf.EM_AARCH64, elf.PT_INTERP), 0o755)
		},
		"landbridge-worker is a program for EM_X86_64, and the image is for linux/arm64: build it with GOOS=linux GOARCH=arm64": func(p *pack) error {
			return os.WriteFile(worker(*p), program(t, elf.EM_X86_64, elf.PT_LOAD), 0o755)
		},
		"landbridge-worker: no such file or directory":                func(p *pack) error { return os.Remove(worker(*p)) },
		"landbridge-worker: bad magic number":                         func(p *pack) error { return os.WriteFile(worker(*p), []byte("#!/bin/sh\nexec true\n"), 0o755) },
		"give --programs, --version, --revision, --created and --out": func(p *pack) error { p.version = ""; return nil },
	} {
		p := programs(t, 0o755, time.Now())
		require.NoError(t, spoil(&p))
		_, err := p.write(out)
		require.ErrorContains(t, err, want)
		after, err := os.ReadFile(filepath.Join(out, "index.json"))
		require.NoError(t, err)
		require.Equal(t, before, after)
		left, err := os.ReadDir(filepath.Dir(out))
		require.NoError(t, err)
		require.Len(t, left, 1)
	}

	theirs := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(theirs, "thesis.txt"), nil, 0o600))
	_, err = good.write(theirs)
	require.ErrorContains(t, err, "is there and is no OCI layout: remove it, or choose another directory with --out")
	require.FileExists(t, filepath.Join(theirs, "thesis.txt"))
	_, err = good.write(out) // an older image is replaced
	require.NoError(t, err)
}
