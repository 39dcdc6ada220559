package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landbridge/landbridge/test/lab"
)

// clusters names the clusters of each lab. Some tests run at once, each with a lab of its
// own. Each cleans up after itself, and shows that nothing is left.
var clusters = []string{"east", "west", "north"}

// Labs are started for tests that wait for one. Two are there in any case, which keep two
// cores busy beside tests on real nodes; more are started while the machine has little to
// do, so that tests, which wait more than they compute, use all of it.
const (
	minLabs = 2
	maxLabs = 4
)

// labs holds the labs that no test uses now.
var labs = make(chan *lab.Lab, maxLabs)

// labsDir names the directory of the labs, of which so many were started.
var (
	labsDir string
	started int
	newest  time.Time
	labsMu  sync.Mutex
)

// takeLab returns a lab that is free, or a new one as long as there are few and there is
// room for one more.
func takeLab(t testing.TB) *lab.Lab {
	t.Helper()
	for free := 0.0; ; {
		if nr := nextLab(free); nr > 0 {
			l, err := bringUp(filepath.Join(labsDir, fmt.Sprintf("lab%d", nr)), len(clusters), lab.NodesKWOK)
			if err != nil {
				fmt.Fprintln(os.Stderr, "the lab did not come up; `make build` builds bin/lab:", err)
				os.Exit(1)
			}
			return l
		}
		idle, all := jiffies()
		select {
		case l := <-labs:
			return l
		case <-time.After(lookForRoom):
		}
		idleNow, allNow := jiffies()
		free = (idleNow - idle) / max(allNow-all, 1)
	}
}

// lookForRoom is for how long it is measured whether the cores have time for another lab, which
// begins to work twice as long after it was started.
const lookForRoom = 30 * time.Second

// roomForALab is the part of the cores' time that nobody used, for another lab to start.
const roomForALab = 0.2

// memoryForALab is how many KiB must be left for another lab to start: it takes half of that, and
// real nodes beside it want theirs.
const memoryForALab = 7 << 20

// nextLab returns the number of the lab to start now, and 0 where none is to be started. It
// takes the part of the cores' time that nobody used of late.
func nextLab(free float64) int {
	labsMu.Lock()
	defer labsMu.Unlock()
	switch {
	case len(labs) > 0 || started == maxLabs:
		return 0
	case started >= minLabs && (time.Since(newest) < 2*lookForRoom || free < roomForALab || available() < memoryForALab):
		return 0
	}
	started, newest = started+1, time.Now()
	return started
}

// available returns how many KiB of memory are left. Where that cannot be read, none are.
func available() (kib int) {
	text, _ := os.ReadFile("/proc/meminfo")
	_, rest, _ := strings.Cut(string(text), "\nMemAvailable:")
	if fields := strings.Fields(rest); len(fields) > 0 {
		kib, _ = strconv.Atoi(fields[0]) // digits
	}
	return kib
}

// jiffies returns how long the cores were idle, and all they had, since the machine started.
// Where that cannot be read, they were never idle.
func jiffies() (idle, all float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(first)[1:] {
		n, _ := strconv.ParseFloat(field, 64) // digits
		if i == 3 || i == 4 {                 // idle, and waiting for a disk
			idle += n
		}
		all += n
	}
	return idle, all
}

// giveLab returns a lab for the next test: a new one where the test failed, so that what it
// left fails no other.
func giveLab(t testing.TB, l *lab.Lab) {
	if t.Failed() {
		if out, err := exec.Command(bin("lab"), "down", "--dir", l.Dir).CombinedOutput(); err != nil {
			t.Logf("lab down: %s", out)
		}
		another, err := bringUp(l.Dir+"+", len(clusters), lab.NodesKWOK)
		if err == nil {
			l = another
		} else {
			t.Logf("no lab came up in the place of this one: %v", err)
		}
	}
	labs <- l
}

func bringUp(dir string, clusters int, nodes string, flags ...string) (*lab.Lab, error) {
	up := exec.Command(bin("lab"), slices.Concat([]string{"up", "--clusters", fmt.Sprint(clusters), "--nodes", nodes, "--dir", dir}, lab.Quick, flags)...)
	up.Stdout, up.Stderr = os.Stdout, os.Stderr
	if err := up.Run(); err != nil {
		return nil, err
	}
	return lab.Open(dir)
}
