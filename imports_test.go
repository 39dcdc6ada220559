// Package landbridge has no code; its test states which package may import which.
package landbridge

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/landbridge/landbridge/"

// layers lists every package of this module from the ground up, with those of ours
// that it may import; each is above it in this list. So imports run one way. A new
// package goes below all that it needs.
var layers = []struct {
	name string
	// ground tells what the package is about, and imports what it builds upon.
	ground  string
	imports []string
}{
	{"certs", "the PKI on cfssl", nil},
	{"internal/build", "which build this is", nil},
	{"internal/differences", "in what two ways of doing a thing differ, for tests", nil},
	{"internal/fleet", "the fleet file", nil},
	{"internal/help", "how flags are shown", nil},
	{"internal/codec", "what encrypts histories", nil},
	{"internal/kinds", "the kinds that are read or written", nil},
	{"internal/listen", "where programs listen", nil},
	{"internal/redact", "what hides secrets", nil},

	{"internal/notify", "webhooks that hear of runs", []string{"internal/fleet", "internal/redact"}},
	{"internal/rights", "what a worker may do", []string{"internal/fleet", "internal/kinds"}},
	{"internal/kube", "one cluster", []string{"internal/fleet", "internal/kinds", "internal/redact"}},
	{"internal/sources", "clusters that are kept elsewhere", []string{"internal/fleet", "internal/kinds"}},
	{kubetest, "a cluster for tests", []string{"internal/kinds", "internal/kube"}},
	{"internal/inventory", "what a cluster remembers", []string{"internal/fleet", "internal/kube"}},
	{"internal/chart", "Helm", []string{"internal/fleet", "internal/kube"}},

	{"internal/sail", "what the Sail operator says", []string{"internal/fleet", "internal/kinds", "internal/kube"}},

	{"internal/api", "what crosses Temporal", []string{"internal/build", "internal/fleet"}},
	{"internal/proof", "the proof of a link", []string{"internal/api", "internal/fleet", "internal/kinds", "internal/kube", "internal/redact"}},
	{"internal/preflight", "what stands in the way", []string{"certs", "internal/api", "internal/fleet", "internal/inventory", "internal/kinds", "internal/kube", "internal/rights", "internal/sail"}},
	{"activities", "what is done to clusters", []string{"certs", "internal/api", "internal/chart", "internal/fleet", "internal/inventory", "internal/kinds",
		"internal/kube", "internal/notify", "internal/preflight", "internal/proof", "internal/redact", "internal/rights", "internal/sail", "internal/sources"}},
	{workflowtest, "every activity, for tests", []string{"activities", "internal/api", "internal/fleet"}},
	{"workflows", "what happens, in order", []string{"activities", "internal/api", "internal/fleet"}},

	{"internal/connect", "the way to Temporal", []string{"internal/api", "internal/codec", "internal/fleet"}},
	{"internal/runs", "what changes or looks at fleets", []string{"internal/api", "internal/connect", "internal/fleet"}},
	{"internal/resource", "the Fleet resource", []string{"internal/fleet"}},
	{"internal/reconcile", "what keeps fleets as their resources say", []string{"internal/api", "internal/fleet", "internal/resource", "internal/runs"}},
	{"internal/report", "what an auditor reads", []string{"internal/api", "internal/build", "internal/fleet"}},
	{"starter", "the command", []string{"internal/api", "internal/build", "internal/codec", "internal/connect", "internal/fleet", "internal/help", "internal/redact", "internal/report", "internal/resource", "internal/rights", "internal/runs", "internal/sources"}},
	{"worker/serve", "the composition root", []string{"activities", "certs", "internal/build", "internal/codec", "internal/connect", "internal/fleet", "internal/help", "internal/kube", "internal/listen", "internal/notify", "internal/reconcile", "workflows"}},
	{"worker", "the worker", []string{"worker/serve"}},
	{"docs", "tests of the documents", nil},
}

// What is for tests alone.
const (
	kubetest     = "internal/kube/kubetest"
	workflowtest = "workflows/workflowtest"
)

func layer(name string) int {
	for i, l := range layers {
		if l.name == name {
			return i
		}
	}
	return -1
}

func TestImports_RunOneWay(t *testing.T) {
	for i, l := range layers {
		require.NotEmpty(t, l.ground, l.name)
		for _, below := range l.imports {
			require.True(t, layer(below) >= 0 && layer(below) < i, "%s is to import %s, which is not above it in the list", l.name, below)
			require.NotContains(t, []string{kubetest, workflowtest}, below, "only tests may import it")
		}
	}
	found := map[string]bool{}
	for file, ours := range importsOfOurs(t) {
		name := path.Dir(file)
		at := layer(name)
		require.GreaterOrEqual(t, at, 0, "%s: the package is not in the list of imports_test.go", file)
		found[name] = true
		for _, imported := range ours {
			if strings.HasSuffix(file, "_test.go") {
				require.True(t, imported == kubetest || layer(imported) >= 0 && layer(imported) <= at, "%s imports %s, which is above it", file, imported)
				continue
			}
			require.Contains(t, layers[at].imports, imported, "%s imports %s", file, imported)
		}
	}
	for _, l := range layers {
		require.True(t, found[l.name], "%s is in the list and not in the module", l.name)
	}
}

// importsOfOurs reads the imports of each file of this module. It reads the files
// itself, so that go test knows when its answer is old.
func importsOfOurs(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	require.NoError(t, filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != "." {
			_, err := os.Stat(filepath.Join(file, "go.mod"))
			if err == nil || strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" {
				return fs.SkipDir
			}
		}
		if filepath.Ext(file) != ".go" || filepath.Dir(file) == "." {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		file = filepath.ToSlash(file)
		out[file] = nil
		for _, i := range f.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if ours, ok := strings.CutPrefix(imported, module); ok {
				out[file] = append(out[file], ours)
			}
		}
		return nil
	}))
	return out
}

// maxLinked limits the packages that the command is linked from. Helm and Istio's
// charts alone would be some 700 more.
const maxLinked = 650

func TestImports_TheCommandLinksNoChartsAndNoPKI(t *testing.T) {
	linked := deps(t, "./starter")
	require.Greater(t, len(linked), 100)
	require.LessOrEqual(t, len(linked), maxLinked)
	requireNone(t, linked, "helm.sh/", "sigs.k8s.io/kustomize", "oras.land/", "github.com/cloudflare/cfssl", "istio.io/", module+"activities", module+"workflows")
}

func TestImports_NothingLinksAServerOrTheLab(t *testing.T) {
	requireNone(t, deps(t, "./..."), "go.temporal.io/server", "github.com/temporalio/ui-server", "k8s.io/kubernetes", "sigs.k8s.io/kwok",
		module+"test/", module+"standalone")
}

// deps lists the packages that these are built from.
func deps(t *testing.T, packages string) []string {
	t.Helper()
	_, err := os.ReadFile("go.mod") // the answer is old when it changes
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", packages)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

func requireNone(t *testing.T, linked []string, prefixes ...string) {
	t.Helper()
	for _, prefix := range prefixes {
		if i := slices.IndexFunc(linked, func(p string) bool { return strings.HasPrefix(p, prefix) }); i >= 0 {
			t.Errorf("%s is linked", linked[i])
		}
	}
}
