package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\]\(([^)]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// deadLinks returns the relative links of a document that lead to no file, or to a
// heading that the file does not have.
func deadLinks(t *testing.T, dir, name string) (dead []string) {
	t.Helper()
	doc := read(t, dir, name)
	for _, m := range link.FindAllStringSubmatch(fence.ReplaceAllString(doc, ""), -1) {
		if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
			continue
		}
		path, anchor, _ := strings.Cut(m[1], "#")
		target := doc
		if path != "" {
			file := filepath.Join(dir, filepath.Dir(name), path)
			if _, err := os.Stat(file); err != nil {
				dead = append(dead, fmt.Sprintf("%s: %s does not exist", name, m[1]))
				continue
			}
			if anchor != "" {
				target = read(t, file)
			}
		}
		if anchor != "" && !hasHeading(target, anchor) {
			dead = append(dead, fmt.Sprintf("%s: no heading gives #%s (%s)", name, anchor, m[1]))
		}
	}
	return dead
}

// hasHeading says whether GitHub gives one of the document's headings that anchor.
func hasHeading(doc, anchor string) bool {
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(doc, ""), -1) {
		if strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}

func TestLinks_LeadSomewhere(t *testing.T) {
	for _, name := range files(t, root, ".md") {
		for _, dead := range deadLinks(t, root, name) {
			t.Error(dead)
		}
	}
}

func TestLinks_ThatLeadNowhere_AreFound(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "there.md"), []byte("# A `heading`, with signs\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "doc.md"), []byte("[a](there.md) [b](missing.md) [c](there.md#a-heading-with-signs) "+
		"[d](there.md#other) [e](#here)\n\n## Here\n\n[f](https://example.com/missing) ![g](missing.png)\n\n```\n[h](code.md)\n```\n"), 0o600))
	require.Equal(t, []string{"doc.md: missing.md does not exist", "doc.md: no heading gives #other (there.md#other)", "doc.md: missing.png does not exist"},
		deadLinks(t, dir, "doc.md"))
}
