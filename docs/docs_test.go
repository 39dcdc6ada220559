// Package docs_test reads the documents as a machine can: links lead somewhere,
// words are those of docs/concepts.md, fleet files are valid, commands and flags
// exist, and what docs/generated has from the code is fresh.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the repository, as seen from this package.
const root = ".."

// notOurs are directories that no commit has: what builds, demos and labs leave.
var notOurs = map[string]bool{".git": true, "bin": true, "dist": true, ".demo": true, ".lab": true, "kubeconfigs": true}

// files returns the repository's files with one of the endings, by their path below dir.
func files(t *testing.T, dir string, endings ...string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() && notOurs[name] {
			return filepath.SkipDir
		}
		for _, e := range endings {
			if !d.IsDir() && strings.HasSuffix(name, e) {
				out = append(out, filepath.ToSlash(name))
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, out)
	return out
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(data)
}

// fence is a block of code with its language.
var fence = regexp.MustCompile("(?ms)^ *```([a-z]*)\n(.*?)^ *```$")

// blocks are the code blocks of a document in one of the languages.
func blocks(doc string, languages ...string) []string {
	var out []string
	for _, m := range fence.FindAllStringSubmatch(doc, -1) {
		for _, l := range languages {
			if m[1] == l {
				out = append(out, m[2])
			}
		}
	}
	return out
}

// span is a piece of code within a sentence.
var span = regexp.MustCompile("`([^`\n]+)`")

// spans are the pieces of code in a document's sentences and tables.
func spans(doc string) []string {
	var out []string
	for _, m := range span.FindAllStringSubmatch(fence.ReplaceAllString(doc, ""), -1) {
		out = append(out, m[1])
	}
	return out
}
