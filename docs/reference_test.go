package docs_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/rights"
)

var update = flag.Bool("update", false, "write docs/generated/reference.md")

// TestReference_IsFresh compares docs/generated/reference.md with the code that it
// is made from.
func TestReference_IsFresh(t *testing.T) {
	path := filepath.Join("generated", "reference.md")
	want := reference(t)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o600))
	}
	got, wanted := strings.Split(read(t, path), "\n"), strings.Split(want, "\n")
	for i, line := range wanted {
		if i >= len(got) || got[i] != line {
			t.Fatalf("docs/%s is old, at line %d: the code has %q; run: go test ./docs -update", path, i+1, line)
		}
	}
	require.Len(t, got, len(wanted))
}

func reference(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("<!-- made by go test ./docs -update; do not edit -->\n# Reference\n\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n| 0 | done |\n")
	for _, c := range constants(t, "exit", "starter") {
		fmt.Fprintf(&b, "| %s | %s |\n", c.value, c.comment)
	}
	b.WriteString("\n## Types of errors\n\nSteps end with these. A step that is tried again is tried until its time limit.\n\n| type | tried again | when |\n| --- | --- | --- |\n")
	steps := map[string]bool{}
	for _, e := range api.ErrorTypes() {
		steps[e.Name] = true
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", e.Name, e.Retried, e.Meaning)
	}
	b.WriteString("\nWorkflows end with these.\n\n| type | when |\n| --- | --- |\n")
	for _, c := range constants(t, "Type", "internal/api") {
		if !steps[c.value] {
			require.NotEmpty(t, c.comment, "%s needs a comment", c.value)
			fmt.Fprintf(&b, "| `%s` | %s |\n", c.value, c.comment)
		}
	}
	b.WriteString("\n## Hops\n\nIn the order in which a request passes them.\n\n| broken hop | hint |\n| --- | --- |\n")
	for _, c := range constants(t, "Hop", "internal/api") {
		hint := api.HopHint(c.value)
		require.NotEmpty(t, hint, c.value)
		fmt.Fprintf(&b, "| %s | %s |\n", c.value, hint)
	}
	b.WriteString("\n## Rights of a worker\n\nPer cluster, with Istio in the namespace `istio-system`.\n\n| where | resources | verbs |\n| --- | --- | --- |\n")
	needs := rights.Needs{Namespace: "istio-system"}
	only := func(note string, change func(*rights.Needs)) {
		n := needs
		change(&n)
		b.WriteString(rightsTable(note, missing(rights.For(n), rights.For(needs))))
	}
	needs.SkipProof = true
	b.WriteString(rightsTable("", rights.For(needs)))
	only(" (not with `rollout.skipProof: true`)", func(n *rights.Needs) { n.SkipProof = false })
	only(" (only where a source [reads no Secrets](../security.md#what-a-reader-may-read))", func(n *rights.Needs) { n.OwnReaders = true })
	only(" (only on OpenShift; not insisted on)", func(n *rights.Needs) { n.OpenShift = true })
	b.WriteString(rightsTable(" (not insisted on; without it, what is waited for is looked at once a second)", rights.Watches(needs)))
	b.WriteString("| the whole cluster (not insisted on; without it, a namespace stays in which something cannot be looked into) | every kind | list |\n")
	b.WriteString("\nWith `istio.manage: false` no rights on Sail's kinds, daemonsets and the pods of the whole cluster are needed. [Where an administrator makes the namespaces](../security.md#where-an-administrator-makes-the-namespaces), " +
		"these are the rights in the whole cluster:\n\n| where | resources | verbs |\n| --- | --- | --- |\n")
	needs.IstioName, needs.Made = "default", rights.Made{Namespaces: true, Readers: true}
	b.WriteString(rightsTable("", slices.DeleteFunc(slices.Concat(rights.For(needs), rights.Watches(needs)), func(r rights.Right) bool { return r.In != "" })))
	return b.String()
}

// rightsTable has a row for each place and set of verbs.
func rightsTable(note string, list []rights.Right) string {
	var keys []string
	rows := map[string][]string{}
	for _, r := range list {
		where := "the whole cluster"
		if r.In != "" {
			where = "`" + r.In + "`"
		}
		key := "| " + where + note + " | %s | " + strings.Join(r.Verbs, " ") + " |\n"
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		rows[key] = append(rows[key], strings.TrimSpace(r.GroupResource().String()+" "+r.Name))
	}
	slices.SortStableFunc(keys, strings.Compare)
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, k, strings.Join(rows[k], ", "))
	}
	return b.String()
}

// missing are the rights of a that b does not have.
func missing(a, b []rights.Right) (out []rights.Right) {
	for _, r := range a {
		r.Verbs = slices.DeleteFunc(slices.Clone(r.Verbs), func(verb string) bool {
			return slices.ContainsFunc(b, func(o rights.Right) bool {
				return o.Resource == r.Resource && o.In == r.In && slices.Contains(o.Verbs, verb)
			})
		})
		if len(r.Verbs) > 0 {
			out = append(out, r)
		}
	}
	return out
}

type constant struct{ value, comment string }

// constants returns the constants of a package whose names begin with a prefix, with
// the comment after or above each.
func constants(t *testing.T, prefix, dir string) (out []constant) {
	t.Helper()
	for _, name := range files(t, filepath.Join(root, dir), ".go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, dir, name), nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
				out = append(out, specs(t, prefix, g)...)
			}
		}
	}
	require.NotEmpty(t, out, "%s has no constant %s…", dir, prefix)
	return out
}

func specs(t *testing.T, prefix string, g *ast.GenDecl) (out []constant) {
	t.Helper()
	for _, s := range g.Specs {
		v := s.(*ast.ValueSpec)
		name := v.Names[0].Name
		if !strings.HasPrefix(name, prefix) || name == prefix || name[len(prefix)] < 'A' || name[len(prefix)] > 'Z' || len(v.Values) != 1 {
			continue
		}
		lit, ok := v.Values[0].(*ast.BasicLit)
		if !ok {
			continue
		}
		value := lit.Value
		if lit.Kind == token.STRING {
			value, _ = strconv.Unquote(value)
		}
		text := strings.Join(strings.Fields(v.Doc.Text()+v.Comment.Text()), " ")
		text = strings.TrimSuffix(strings.TrimPrefix(text, name+" means that "), ".")
		require.True(t, text != "" || prefix != "exit", "%s needs a comment: docs/generated/reference.md shows it", name)
		out = append(out, constant{value, text})
	}
	return out
}
