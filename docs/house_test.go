package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The rules of the house that can be told by machine: a file is a thing that one reads
// without scrolling for long, and a function does not need a table to be called.
const (
	maxLines      = 300
	maxParameters = 5
)

// riddle is a doc comment that says what a thing is, where it could say what it does.
var riddle = regexp.MustCompile(`^\w+ (is|are|was|were) what\b`)

func TestHouse_FilesAreShort_FunctionsTakeFewParameters_CommentsHaveVerbs(t *testing.T) {
	for _, path := range files(t, root, ".go") {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, filepath.Join(root, path), nil, parser.ParseComments)
		require.NoError(t, err)
		if n := set.File(f.Pos()).LineCount(); n > maxLines && !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s has %d lines; a file has at most %d", path, n, maxLines)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := fn.Type.Params.NumFields(); n > maxParameters {
				t.Errorf("%s: %s takes %d parameters; a function takes at most %d", set.Position(fn.Pos()), fn.Name.Name, n, maxParameters)
			}
			if first, _, _ := strings.Cut(fn.Doc.Text(), "\n"); riddle.MatchString(first) {
				t.Errorf("%s: %q: begin with the name and a verb", set.Position(fn.Pos()), first)
			}
		}
	}
}
