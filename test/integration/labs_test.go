package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/landbridge/landbridge/test/lab"
)

// clusters names the clusters of each lab. Some tests run at once, each with a lab of its
// own. Each cleans up after itself, and shows that nothing is left.
var clusters = []string{"east", "west", "north"}

// maxLabs limits how many labs there are at once: beside tests on real nodes, more than two
// make two cores too busy.
const maxLabs = 2

// labs holds the labs that no test uses now. The first tests start them.
var labs = make(chan *lab.Lab, maxLabs)

// labsDir names the directory of the labs, of which so many were started.
var (
	labsDir string
	started atomic.Int32
)

// takeLab returns a lab that is free, or a new one as long as there are few.
func takeLab(t testing.TB) *lab.Lab {
	t.Helper()
	select {
	case l := <-labs:
		return l
	default:
	}
	nr := started.Add(1)
	if nr > maxLabs {
		return <-labs
	}
	l, err := bringUp(filepath.Join(labsDir, fmt.Sprintf("lab%d", nr)), len(clusters), lab.NodesKWOK)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the lab did not come up; `make build` builds bin/lab:", err)
		os.Exit(1)
	}
	return l
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
	up := exec.Command(bin("lab"), append([]string{"up", "--clusters", fmt.Sprint(clusters), "--nodes", nodes, "--dir", dir, "--cloud-delay", "200ms", "--sail-delay", "200ms", "--sail-lag", "250ms"}, flags...)...)
	up.Stdout, up.Stderr = os.Stdout, os.Stderr
	if err := up.Run(); err != nil {
		return nil, err
	}
	return lab.Open(dir)
}
