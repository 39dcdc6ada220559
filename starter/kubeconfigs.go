package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfig holds one file, read by itself, or the default kubeconfig.
type kubeconfig struct {
	// Path that the fleet file gives, below Dir: none for the default kubeconfig.
	Path string
	// Dir that a worker has to be started with.
	Dir string
	// Why the file is left out, or nothing.
	Why string
	*clientcmdapi.Config
}

// readKubeconfigs returns the files that were named, and those in the directories. With
// neither it returns the default kubeconfig.
func readKubeconfigs(files, dirs []string) ([]kubeconfig, error) {
	if len(files)+len(dirs) == 0 {
		raw, err := clientcmd.NewDefaultClientConfigLoadingRules().Load()
		if err != nil {
			return nil, errors.New("the default kubeconfig cannot be read; name one with --kubeconfig")
		}
		return []kubeconfig{{Config: raw}}, nil
	}
	out, err := readFiles(files)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		found, err := readDir(dir)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	at, kept := map[string]string{}, []kubeconfig{}
	for _, k := range out {
		full, err := filepath.Abs(filepath.Join(k.Dir, filepath.FromSlash(k.Path)))
		if err != nil {
			return nil, err
		}
		switch other, known := at[k.Path]; {
		case !known:
			at[k.Path], kept = full, append(kept, k)
		case other != full:
			return nil, fmt.Errorf("%s and %s are both called %s, and a worker finds a kubeconfig by that name; rename one of them", other, full, k.Path)
		}
	}
	return kept, nil
}

// readFiles reads the files that were named. A fleet file names each by its own name,
// or where two have one name, by the path below the directory that holds them all.
func readFiles(files []string) ([]kubeconfig, error) {
	var full []string
	names := map[string]bool{}
	for _, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(full, abs) {
			full, names[filepath.Base(abs)] = append(full, abs), true
		}
	}
	var out []kubeconfig
	for _, f := range full {
		k := kubeconfig{Path: filepath.Base(f), Dir: filepath.Dir(f)}
		if len(names) < len(full) {
			k.Dir = above(full)
			rel, err := filepath.Rel(k.Dir, f)
			if err != nil {
				return nil, err
			}
			k.Path = filepath.ToSlash(rel)
		}
		raw, err := clientcmd.LoadFromFile(f)
		if err != nil { // the cause may quote the file
			return nil, fmt.Errorf("%s is not a kubeconfig, or cannot be read", f)
		}
		if len(raw.Contexts) == 0 {
			return nil, fmt.Errorf("%s has no contexts; name another file with --kubeconfig", f)
		}
		k.Config = raw
		out = append(out, k)
	}
	return out, nil
}

// above returns the innermost directory that holds all files.
func above(files []string) string {
	dir := filepath.Dir(files[0])
	for _, f := range files[1:] {
		for dir != filepath.Dir(dir) && !strings.HasPrefix(f, dir+string(filepath.Separator)) {
			dir = filepath.Dir(dir)
		}
	}
	return dir
}

// readDir reads the files of a directory as a worker does, each by itself. It leaves
// out, with the reason, what is no kubeconfig.
func readDir(dir string) ([]kubeconfig, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig-dir %s is not a directory, or cannot be read", dir)
	}
	defer root.Close()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig-dir %s cannot be read", dir)
	}
	var out []kubeconfig
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || e.IsDir() {
			continue
		}
		if info, err := root.Stat(e.Name()); err == nil && info.IsDir() { // a symbolic link
			continue
		}
		k := kubeconfig{Path: e.Name(), Dir: dir}
		k.Config, k.Why = readBelow(root, e.Name())
		out = append(out, k)
	}
	if !slices.ContainsFunc(out, func(k kubeconfig) bool { return k.Why == "" }) {
		return nil, fmt.Errorf("--kubeconfig-dir %s has no kubeconfig in it; name another directory, or a file with --kubeconfig", dir)
	}
	return out, nil
}

// largest kubeconfig in bytes that a worker reads.
const largest = 4 << 20

// readBelow returns a kubeconfig, or why a worker could not use it.
func readBelow(root *os.Root, name string) (*clientcmdapi.Config, string) {
	info, err := root.Stat(name)
	if err != nil {
		return nil, "cannot be read; a worker follows no link out of the directory"
	}
	if !info.Mode().IsRegular() || info.Size() > largest {
		return nil, "not a kubeconfig"
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, "cannot be read"
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, largest))
	if err != nil {
		return nil, "cannot be read"
	}
	raw, err := clientcmd.Load(data)
	if err != nil || len(raw.Contexts) == 0 {
		return nil, "not a kubeconfig with a context in it"
	}
	return raw, ""
}

// about returns the path of a file that is about one cluster: its names may be the
// cluster's. It returns none for others.
func (k kubeconfig) about() string {
	if len(k.Clusters) > 1 {
		return ""
	}
	return k.Path
}

// contexts returns the names of a kubeconfig's contexts, in order.
func (k kubeconfig) contexts() []string {
	if k.Config == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(k.Contexts))
}
