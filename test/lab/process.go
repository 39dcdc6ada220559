package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Process describes one that the lab started. Started tells it from another one that
// was given its number later.
type Process struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Started uint64 `json:"started"`
}

// stopGrace says how long a process may take to end by itself; the etcd and the API
// servers of a lab hold nothing worth waiting for, and end slowly without each other.
const stopGrace = time.Second

// oneProcessor keeps Go's scheduler from looking for work on every processor in each of a dozen
// processes that mostly wait: a rollout with its cleanup takes a tenth less of them.
const oneProcessor = "GOMAXPROCS=1"

// startProcess starts a process in a session of its own, so that a Ctrl-C for
// whoever runs the lab does not end it, and notes it before it goes on.
func (l *Lab) startProcess(name, path string, args ...string) error {
	return l.startProcessWith(name, inNamespaces(0), nil, path, args...)
}

// startProcessIn starts one of a cluster's: on real nodes inside its namespaces.
// A path that begins with a slash is of the lab's binaries.
func (l *Lab) startProcessIn(c Cluster, name, path string, args ...string) error {
	if path[0] == '/' {
		path = l.Bin + path
	}
	path, args = l.inside(c, path, args...)
	return l.startProcess(c.process(name), path, args...)
}

// inNamespaces says how every process of the lab starts: in a session of its own,
// and in new namespaces where some are asked for.
func inNamespaces(flags uintptr) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Cloneflags: flags}
}

func (l *Lab) startProcessWith(name string, how *syscall.SysProcAttr, files []*os.File, path string, args ...string) error {
	if err := os.MkdirAll(l.path("logs"), 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(l.path("logs", name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir, cmd.ExtraFiles = log, log, l.Dir, files
	cmd.Env = append(os.Environ(), oneProcessor)
	cmd.SysProcAttr = how
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	go func() { _ = cmd.Wait() }() // so that one that ends early is not a zombie while up still runs
	p := Process{Name: name, PID: cmd.Process.Pid}
	p.Started, _ = startTime(p.PID)
	l.Processes = append(l.Processes, p)
	return l.save()
}

// Alive says whether the process still runs.
func (p Process) Alive() bool {
	started, err := startTime(p.PID)
	return err == nil && started == p.Started
}

// pauses finds the processes that hold this lab's namespaces, found by what they
// were started with: a lab that was killed may not have noted its last one.
func (l *Lab) pauses() (found []Process) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte("\x00hold\x00--dir\x00"+l.Dir+"\x00")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			p := Process{Name: "pause", PID: pid}
			p.Started, _ = startTime(pid)
			found = append(found, p)
		}
	}
	return found
}

func (p Process) kill() {
	if p.Alive() {
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
	}
}

func (p Process) interrupt() {
	if p.Alive() {
		_ = syscall.Kill(p.PID, syscall.SIGTERM)
	}
}

// stop waits for the process to end, and kills it where it does not.
func (p Process) stop() error {
	for end := time.Now().Add(stopGrace); p.Alive(); {
		if time.Now().After(end) {
			if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("kill %s (process %d): %w", p.Name, p.PID, err)
			}
			end = end.Add(stopGrace)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// startTime says when a process began, in clock ticks since boot, which no two
// processes of one number share. A zombie counts as ended.
func startTime(pid int) (uint64, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	// The name, in brackets, may hold anything; fields count from behind it.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	const state, started = 0, 19
	if len(fields) <= started || string(fields[state]) == "Z" {
		return 0, os.ErrProcessDone
	}
	return strconv.ParseUint(string(fields[started]), 10, 64)
}
