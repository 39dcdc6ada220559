package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Process finds one of the lab's by its name, such as etcd or east-kube-apiserver.
func (l *Lab) Process(name string) (Process, error) {
	i := slices.IndexFunc(l.Processes, func(p Process) bool { return p.Name == name })
	if i < 0 {
		return Process{}, fmt.Errorf("the lab in %s has no process %s", l.Dir, name)
	}
	return l.Processes[i], nil
}

// Args reads what a process was started with, its path first.
func (p Process) Args() ([]string, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
	if err != nil || !p.Alive() {
		return nil, fmt.Errorf("the lab's %s does not run", p.Name)
	}
	return strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"), nil
}

// Restart kills a process of a lab with KWOK nodes as a crash would (SIGKILL),
// and starts it as it was after the pause.
func (l *Lab) Restart(ctx context.Context, name string, pause time.Duration) error {
	args, err := l.kill(name)
	if err != nil {
		return err
	}
	select { // started again all the same: a lab without it is of no use
	case <-ctx.Done():
	case <-time.After(pause):
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	return l.startProcess(name, path, args[1:]...)
}
