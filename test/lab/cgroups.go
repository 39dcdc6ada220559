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
			dir := filepath.Join(h, l.cgroup(c))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			if err := inherit(dir); err != nil {
				return err
			}
		}
		if err := l.weigh(filepath.Join(h, l.labCgroup())); err != nil {
			return err
		}
	}
	return nil
}

// nodeProcesses is about how many processes of a node's pods want to run at once.
const nodeProcesses = 8

// weigh gives the pods of all nodes together as much of the processors as that many processes
// would get. A cgroup counts as a single one by default, and where others are busy, such as
// compilers, no gateway would answer in time.
func (l *Lab) weigh(dir string) error {
	for file, single := range map[string]int{"cpu.shares": 1024, "cpu.weight": 100} { // v1, v2
		if path := filepath.Join(dir, file); isFile(path) {
			weight := min(single*nodeProcesses*len(l.nodes()), single*100)
			if err := os.WriteFile(path, []byte(strconv.Itoa(weight)), 0); err != nil {
				return fmt.Errorf("weight of the lab's pods: %w", err)
			}
		}
	}
	return nil
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
