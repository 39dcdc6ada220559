// Package docs runs the commands of README.md and of the pages in docs: the scripts in testdata do what
// the pages tell, command by command, on a lab with a real Temporal, and check what comes of it. It
// needs `make build`.
package docs

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/test/lab"
)

var (
	onLab = flag.Bool("lab", false, "run the scripts, on a lab of three clusters with KWOK's nodes")
	inLab = flag.String("lab-dir", "", "run the scripts on the lab in this directory, which stays")
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kubectl": runKubectl, "age-keygen": ageKeygen, "plugged-ca": pluggedCA})
}

// Each script in testdata tells a story with the commands of the pages.
func TestDocs(t *testing.T) {
	if !*onLab && *inLab == "" {
		t.Skip("it needs a lab: make docs-test")
	}
	bin, err := filepath.Abs(filepath.Join(root, "bin"))
	require.NoError(t, err)
	crds, err := filepath.Abs(filepath.Join(root, "internal", "sources", "testdata", "crds"))
	require.NoError(t, err)
	l := takeLab(t, bin)
	all := documented(t)
	testscript.RunT(oneByOne{t}, testscript.Params{
		Files:               scripts(t),
		RequireExplicitExec: true,
		WorkdirRoot:         t.TempDir(),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"doc":        func(ts *testscript.TestScript, neg bool, args []string) { runDocumented(ts, all, neg, args) },
			"await":      await,
			"standalone": standalone,
			"end":        end,
			"kubeconfig": func(ts *testscript.TestScript, neg bool, args []string) { kubeconfig(ts, l, args) },
		},
		Setup: func(e *testscript.Env) error {
			port, err := lab.FreePort()
			if err != nil {
				return err
			}
			e.Setenv("PATH", e.Getenv("PATH")+":"+bin)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("LAB", l.Dir)
			e.Setenv("CRDS", crds)
			e.Setenv("PORT", fmt.Sprint(port))
			e.Setenv("TEMPORAL_ADDRESS", fmt.Sprintf("127.0.0.1:%d", port))
			e.Setenv("KUBECONFIG", filepath.Join(e.WorkDir, "config"))
			e.Setenv("LANDBRIDGE_REQUESTED_BY", "anna@bastion")
			e.Defer(func() { afterwards(t, l, bin) })
			return os.Symlink(bin, filepath.Join(e.WorkDir, "bin"))
		},
	})
}

// takeLab brings a lab of three clusters up, whose cloud and Sail operator are quick, or opens that of -lab-dir.
func takeLab(t *testing.T, bin string) *lab.Lab {
	t.Helper()
	dir := *inLab
	if dir == "" {
		above, err := os.MkdirTemp("", "landbridge-docs-*")
		require.NoError(t, err)
		t.Cleanup(func() { _ = os.RemoveAll(above) })
		dir = filepath.Join(above, "lab")
		t.Cleanup(func() { labDo(t, bin, "down", "--dir", dir) })
		labDo(t, bin, append([]string{"up", "--clusters", "3", "--dir", dir}, lab.Quick...)...)
	}
	l, err := lab.Open(dir)
	require.NoError(t, err)
	return l
}

func labDo(t *testing.T, bin string, args ...string) {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "lab"), args...).CombinedOutput()
	require.NoError(t, err, "bin/lab, which `make build` makes: %s", out)
}

// afterwards gives the next script a lab in which nothing of a failed one is.
func afterwards(t *testing.T, l *lab.Lab, bin string) {
	labDo(t, bin, append([]string{"behave", "--dir", l.Dir}, lab.Quick...)...)
	if t.Failed() {
		for _, c := range l.Clusters {
			labDo(t, bin, "rebuild", c.Name, "--dir", l.Dir)
		}
	}
}

// oneByOne runs scripts one after the other: they share a lab.
type oneByOne struct{ *testing.T }

func (t oneByOne) Parallel()     {}
func (t oneByOne) Verbose() bool { return testing.Verbose() }

func (t oneByOne) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { f(oneByOne{t}) })
}
