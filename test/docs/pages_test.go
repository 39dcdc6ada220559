package docs

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the repository, as seen from this package.
const root = "../.."

// pages returns the names of the pages whose commands are run: README.md, and those of docs by their
// file names. The guide has a test of its own, which runs its commands by kubectl, helm and istioctl.
func pages(t testing.TB) (names []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	for _, f := range found {
		if name := filepath.Base(f); name != "README.md" && name != "guide.md" {
			names = append(names, name)
		}
	}
	require.NotEmpty(t, names)
	return append(names, "README.md")
}

// documented returns the commands of each page.
func documented(t testing.TB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, name := range pages(t) {
		path := filepath.Join(root, "docs", name)
		if name == "README.md" {
			path = filepath.Join(root, name)
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if found := commands(string(text)); len(found) > 0 {
			all[name] = found
		}
	}
	return all
}

var (
	// fence is a block of code with its language.
	fence = regexp.MustCompile("(?ms)^ *```([a-z]*)\n(.*?)^ *```$")
	// span is a piece of code within a sentence, which a line may break.
	span = regexp.MustCompile("`([^`]+)`")
	// whole is a piece of code that begins as a command with an argument, not a flag alone.
	whole = regexp.MustCompile(`^(landbridge|landbridge-worker|landbridge-standalone|bin/[a-z-]+|kubectl \S+) \S`)
	// drawing finds signs that only diagrams have.
	drawing = regexp.MustCompile(`[─│═├▶]|\+---`)
	// comment is a remark behind a command.
	comment = regexp.MustCompile(`\s+# .*$`)
)

// commands returns the commands of a page, each once, in the order of the page: each line of the blocks
// without a language that are no diagrams, and the pieces of code in sentences that are whole commands.
func commands(page string) (found []string) {
	add := func(command string) {
		if command != "" && !slices.Contains(found, command) {
			found = append(found, command)
		}
	}
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		if m[1] != "" || drawing.MatchString(m[2]) {
			continue
		}
		prompt := strings.HasPrefix(strings.TrimSpace(m[2]), "$ ") // other lines show what the commands print
		for _, line := range strings.Split(strings.ReplaceAll(m[2], "\\\n", " "), "\n") {
			line, typed := strings.CutPrefix(strings.TrimSpace(comment.ReplaceAllString(line, "")), "$ ")
			if typed || !prompt {
				add(strings.Join(strings.Fields(line), " "))
			}
		}
	}
	for _, m := range span.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		if command := strings.Join(strings.Fields(m[1]), " "); whole.MatchString(command) {
			add(command)
		}
	}
	return found
}

func TestCommands_OfAPage(t *testing.T) {
	require.Equal(t, []string{"landbridge plan -f fleet.yaml", "kubectl get pods | cat", "make demo", "landbridge drift prod", "kubectl get fleets"},
		commands("# Page\n```\n$ landbridge plan \\\n  -f fleet.yaml   # all of it\nprod   Ready\n$ kubectl get pods | cat\n```\n"+
			"```\nmake demo  # it waits\n```\n```yaml\nspec: {}\n```\n```\neast ──▶ west\nlandbridge rollout\n```\n"+
			"See `landbridge drift\nprod`, `landbridge`, `kubectl -l`, `make demo` and `kubectl get fleets`.\n```sh\nlandbridge skip\n```\n"))
}

func TestPages_HaveCommands(t *testing.T) {
	all := documented(t)
	require.Contains(t, slices.Collect(maps.Keys(all)), "operate.md")
	require.NotContains(t, all, "concepts.md", "it has a diagram and no command")
}
