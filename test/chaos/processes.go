package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

var discard = log.New(io.Discard, "", 0)

// service runs a process, and starts it again when it ends, until stop is called.
type service struct {
	name, log string
	command   func() *exec.Cmd

	mu    sync.Mutex
	cmd   *exec.Cmd
	ends  []time.Time
	done  chan struct{}
	ended bool
}

// startService starts a process, and keeps it running.
func startService(name, dir string, command func() *exec.Cmd) *service {
	s := &service{name: name, log: filepath.Join(dir, name+".log"), command: command, done: make(chan struct{})}
	go s.keep()
	return s
}

func (s *service) keep() {
	defer close(s.done)
	runtime.LockOSThread() // the child ends with the thread that started it
	for {
		out, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err) // the directory is ours
		}
		s.mu.Lock()
		if s.ended {
			s.mu.Unlock()
			_ = out.Close()
			return
		}
		s.cmd = s.command()
		s.cmd.Stdout, s.cmd.Stderr = out, out
		// It ends with this process, however this one ends.
		if s.cmd.SysProcAttr == nil {
			s.cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		s.cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
		err = s.cmd.Start()
		s.mu.Unlock()
		if err == nil {
			_ = s.cmd.Wait()
		} else {
			fmt.Fprintln(out, "not started:", err)
		}
		_ = out.Close()
		s.mu.Lock()
		s.ends = append(s.ends, time.Now())
		s.mu.Unlock()
		time.Sleep(200 * time.Millisecond)
	}
}

// kill ends the process as a crash does; it is started again at once.
func (s *service) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
	}
}

// signal sends a signal to the process.
func (s *service) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(sig)
	}
}

// stop ends the process for good.
func (s *service) stop() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.kill()
	<-s.done
}

// killed returns the moments at which the process was killed.
func (s *service) killed() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended && len(s.ends) > 0 {
		return s.ends[:len(s.ends)-1] // the last is the stop
	}
	return append([]time.Time(nil), s.ends...)
}

// until calls look every 100 ms until it succeeds, and returns its last error at the
// limit.
func until(ctx context.Context, limit time.Duration, look func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := look()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %s: %w", limit, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
