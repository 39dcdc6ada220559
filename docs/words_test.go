package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// words are those that we do not use, each with the one to use. docs/concepts.md
// explains the ones that we do use.
var words = []struct {
	not *regexp.Regexp
	use string
	// example has the word in a sentence.
	example string
}{
	{regexp.MustCompile(`(?i)\bmend(s|ed|ing)?\b`), "--force-conflicts, self-heal or repair", "rollout --mend puts it back"},
	{regexp.MustCompile(`(?i)\blegs?\b`), "hop", "it names the leg that is broken"},
	{regexp.MustCompile(`(?i)\bdoors?\b`), "east-west gateway", "the target's door opens"},
	{regexp.MustCompile(`(?i)\bledgers?\b`), "compensation", "the undo is in the ledger"},
	{regexp.MustCompile(`(?i)\bsettle[sd]?\b`), "compensation, undo", "the ledger is settled"},
	{regexp.MustCompile(`(?i)\brecords?\b`), "inventory, or history", "the record of cluster west"},
	{regexp.MustCompile(`(?i)\bholders?\b`), "lock", "the holder of the inventory"},
	{regexp.MustCompile(`(?i)\bstrangers?\b`), "unmanaged object", "a namespace with strangers in it"},
	{regexp.MustCompile(`(?i)\bfurniture\b`), "platform object", "the furniture of a namespace"},
	{regexp.MustCompile(`(?i)\bone's own\b`), "existing, or your own", "a gateway of one's own"},
	{regexp.MustCompile(`(?i)\bt(ake|akes|aken|aking|ook)\b[^.;:]{0,40}\baway\b`), "remove", "cleanup takes everything away again"},
	{regexp.MustCompile(`(?i)\b(is|are|was|were|be|been) away\b`), "unreachable, does not answer", "while the cluster is away"},
	{regexp.MustCompile(`(?i)\bclusters? (\w+ )?(is|are|was|were) gone\b`), "unreachable, or removed", "the cluster west is gone"},
	{regexp.MustCompile(`(?i)\b(is|are|was|were) what\b`), "a verb: what the thing does", "a report is what an auditor reads"},
	{regexp.MustCompile("(?i)\\bsay(s|ing)? `"), "set, or print", "on OpenShift say `platform: openshift`"},
	{regexp.MustCompile("(^|[\\s\"'`(])landbridge/[a-z]"), "landbridge.dev/…", "the label landbridge/fleet"},
	{regexp.MustCompile(`\blandbridge-fleet\b`), "landbridge-inventory", "ConfigMap landbridge-fleet"},
}

// allowed are uses of these words that mean something else: a flag, or a key of
// Prometheus, among them.
var allowed = regexp.MustCompile(`(?i)\bon record\b|\bfirst record does not look like a TLS handshake\b|-run TestRecord \./integration\b|-record\b|^record$`)

// past tells files that talk about how things were.
var past = regexp.MustCompile(`^CHANGELOG\.md$|^docs/adr/|^internal/fleet/renamed\.go$`)

// misused returns the words of a text that we do not use.
func misused(text string) (found []string) {
	text = allowed.ReplaceAllString(strings.Join(strings.Fields(text), " "), "")
	for _, w := range words {
		for _, at := range w.not.FindAllStringIndex(text, -1) {
			found = append(found, fmt.Sprintf("%q: use %s (…%s…)", text[at[0]:at[1]], w.use, text[max(0, at[0]-30):min(len(text), at[1]+30)]))
		}
	}
	return found
}

// said are the comments and the strings of a Go file.
func said(t *testing.T, path string) (texts []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	require.NoError(t, err)
	for _, c := range f.Comments {
		texts = append(texts, c.Text())
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				texts = append(texts, s)
			}
		}
		return true
	})
	return texts
}

func TestWords_AreThoseOfTheTable(t *testing.T) {
	for _, name := range files(t, root, ".md", ".go", ".yaml", ".json", ".service", "Makefile", ".sh", ".txtar", ".tmpl") {
		if past.MatchString(name) || strings.Contains(name, "testdata/") || strings.HasPrefix(name, "docs/words_test") {
			continue
		}
		texts := []string{read(t, root, name)}
		if strings.HasSuffix(name, ".go") {
			texts = said(t, filepath.Join(root, name))
		}
		for _, text := range texts {
			for _, m := range misused(text) {
				t.Errorf("%s: %s", name, m)
			}
		}
	}
}

func TestWords_ThatWeDoNotUse_AreFound(t *testing.T) {
	for _, w := range words {
		require.Regexp(t, w.not, w.example)
		require.NotEmpty(t, misused(w.example), w.example)
	}
	for _, fine := range []string{"who decided is on record", "a legal recommendation", "github.com/landbridge/landbridge/internal", "removes everything", "the message says why"} {
		require.Empty(t, misused(fine))
	}
	path := filepath.Join(t.TempDir(), "x.go")
	require.NoError(t, os.WriteFile(path, []byte("package x\n\n// A door opens.\nvar x = \"the \\\"leg\\\"\"\n"), 0o600))
	require.Equal(t, []string{"A door opens.\n", `the "leg"`}, said(t, path))
}
