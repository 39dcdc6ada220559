package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// hierarchies finds the places where cgroups must be made: one on a host with
// cgroup v2, on one with v1 one for each controller.
func hierarchies() ([]string, error) {
	if isFile(filepath.Join(cgroupRoot, "cgroup.controllers")) {
		return []string{cgroupRoot}, nil
	}
	dirs, err := filepath.Glob(filepath.Join(cgroupRoot, "*"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range dirs {
		// The controllers' combined mounts have links beside them; unified is v2's, unused here.
		info, err := os.Lstat(d)
		if err == nil && info.IsDir() && isFile(filepath.Join(d, "cgroup.procs")) && filepath.Base(d) != "unified" {
			out = append(out, d)
		}
	}
	if !slices.Contains(out, filepath.Join(cgroupRoot, "memory")) {
		return nil, errors.New("real nodes need cgroups below " + cgroupRoot + ", and there are none")
	}
	return out, nil
}

// labCgroup names this lab's own by its directory, so that down finds it without
// a note.
func (l *Lab) labCgroup() string {
	return "landbridge-lab-" + strings.Trim(strings.Map(func(r rune) rune {
		if r == '-' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, l.Dir), "-")
}

// cgroup names the root that kubelet is told.
func (l *Lab) cgroup(c Cluster) string { return "/" + l.labCgroup() + "/" + c.node() }

func (l *Lab) makeCgroups() error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		if h == cgroupRoot {
			// v2: a controller must be handed down at each level.
			for _, dir := range []string{h, filepath.Join(h, l.labCgroup())} {
				if err := handDown(dir); err != nil {
					return err
				}
			}
		}
		for _, c := range l.nodes() {
			for _, dir := range []string{filepath.Join(h, l.cgroup(c)), filepath.Join(h, l.system(c))} {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					return err
				}
				if err := inherit(dir); err != nil {
					return err
				}
			}
			if err := weigh(filepath.Join(h, l.system(c)), systemWeight); err != nil {
				return err
			}
		}
		if err := weigh(filepath.Join(h, l.labCgroup()), nodeWeight*len(l.nodes())); err != nil {
			return err
		}
	}
	return nil
}

// A cgroup counts as a single process by default. Where others are busy, such as compilers, no
// gateway would answer in time, and no API server beside the gateways: a machine of its own
// has processors of its own. The nodes of a lab together get as much as nodeWeight processes
// each; in each of them what the node itself runs gets as much as systemWeight, and kubelet gives
// the pods about 2.
const (
	nodeWeight   = 4
	systemWeight = 4
)

// weigh gives a cgroup as much of the processors as that many processes would get.
func weigh(dir string, processes int) error {
	for file, single := range map[string]int{"cpu.shares": 1024, "cpu.weight": 100} { // v1, v2
		if path := filepath.Join(dir, file); isFile(path) {
			if err := os.WriteFile(path, []byte(strconv.Itoa(single*min(processes, 100))), 0); err != nil {
				return fmt.Errorf("weight of %s: %w", dir, err)
			}
		}
	}
	return nil
}

// system names the cgroup of what a node runs beside its pods, from its API server to what
// enforces NetworkPolicies.
func (l *Lab) system(c Cluster) string { return l.cgroup(c) + "/system" }

// entering turns a command line into one that runs in a node's cgroup, as far as that shares out
// processors.
func (l *Lab) entering(c Cluster, name string, args ...string) (string, []string) {
	const script = `while [ "$1" != -- ]; do echo $$ >"$1" || exit; shift; done; shift; exec "$@"`
	out := []string{"-c", script, "sh"}
	for _, file := range []string{"cpu.shares", "cpu.weight"} {
		found, _ := filepath.Glob(filepath.Join(cgroupRoot, "*", l.system(c), file))
		if of := filepath.Join(cgroupRoot, l.system(c), file); isFile(of) {
			found = append(found, of)
		}
		for _, f := range found {
			out = append(out, filepath.Join(filepath.Dir(f), "cgroup.procs"))
		}
	}
	return "sh", append(append(out, "--", name), args...)
}

func handDown(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	have, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for c := range strings.FieldsSeq(string(have)) {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0); err != nil {
			return fmt.Errorf("hand controller %s down in %s: %w; a parent with processes of its own cannot", c, dir, err)
		}
	}
	return nil
}

// inherit fills what v1's cpuset leaves empty, which no process may then enter.
func inherit(dir string) error {
	for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
		for _, d := range []string{filepath.Dir(dir), dir} {
			have, err := os.ReadFile(filepath.Join(d, f))
			if errors.Is(err, fs.ErrNotExist) || strings.TrimSpace(string(have)) != "" {
				continue
			}
			above, err := os.ReadFile(filepath.Join(filepath.Dir(d), f))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(d, f), above, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeCgroups removes this lab's cgroups, from the leaves up. The kernel needs a moment
// after the last process.
func (l *Lab) removeCgroups() error {
	all, err := filepath.Glob(filepath.Join(cgroupRoot, "*"))
	if err != nil {
		return err
	}
	// Whatever runs containers makes cgroups in v2's tree too.
	for _, h := range append(all, cgroupRoot) {
		if err := removeTree(filepath.Join(h, l.labCgroup())); err != nil {
			return err
		}
	}
	return nil
}

func removeTree(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, p)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(dirs) {
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			err := os.Remove(d)
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				break
			}
			if time.Now().After(end) {
				return err
			}
		}
	}
	return nil
}
