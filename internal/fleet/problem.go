package fleet

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// How long the path and the message of one problem may be, in bytes.
const (
	maxPath    = 200
	maxProblem = 600
)

// Problem describes one thing that is wrong with a fleet file.
type Problem struct {
	// Line and Column in the file, from 1; 0 where the file has no such place.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Path of the field, such as spec.clusters[1].name.
	Path string `json:"path,omitempty"`
	// Message says what is wrong and what to do.
	Message string `json:"message"`
	// Snippet shows the line, with a caret below the column.
	Snippet string `json:"snippet,omitempty"`
}

// InvalidError says that a fleet file cannot be used, with all that is wrong
// with it.
type InvalidError struct {
	// File is the name that the caller gave, for the message.
	File     string    `json:"file"`
	Problems []Problem `json:"problems"`
}

// Error lists every problem in the order of the file: one line that editors
// parse (file:line:column: message), and below it the place in the file.
func (e *InvalidError) Error() string {
	var lines []string
	for _, p := range e.Problems {
		at := e.File
		if p.Line > 0 {
			at = fmt.Sprintf("%s:%d:%d", e.File, p.Line, p.Column)
		}
		if p.Path != "" {
			at += ": " + p.Path
		}
		lines = append(lines, at+": "+p.Message)
		if p.Snippet != "" {
			lines = append(lines, p.Snippet)
		}
	}
	return strings.Join(lines, "\n")
}

// problems gathers what is wrong with a fleet file, first with the shape of its
// fields and then with what they mean. It knows where in the file each path stands.
type problems struct {
	list []Problem
	text source
	at   map[string]place
	// broken are the paths whose value was left out since its shape is wrong.
	broken map[string]bool
	// misspelt are the mappings that have a field which nothing knows: one that is
	// missing there may be meant by it.
	misspelt map[string]bool
}

// place counts lines and columns from 1.
type place struct{ line, column int }

func newProblems(text source) *problems {
	return &problems{text: text, at: map[string]place{}, broken: map[string]bool{}, misspelt: map[string]bool{}}
}

// place notes where a path stands, the first time.
func (ps *problems) place(path string, n ast.Node) {
	if _, ok := ps.at[path]; ok {
		return
	}
	if at, ok := start(n); ok {
		ps.at[path] = at
	}
}

// start returns where a node begins.
func start(n ast.Node) (place, bool) {
	if m, ok := n.(*ast.MappingValueNode); ok {
		n = m.Key
	}
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	tok := n.GetToken()
	if tok == nil || tok.Position == nil {
		return place{}, false
	}
	return place{tok.Position.Line, tok.Position.Column}, true
}

// wrong reports a field whose value does not have the shape of its type.
func (ps *problems) wrong(path, format string, args ...any) {
	ps.broken[path] = true
	ps.report(ps.nearest(path), path, fmt.Sprintf(format, args...))
}

// wrongAt reports a part of a mapping that has no path of its own.
func (ps *problems) wrongAt(n ast.Node, path, format string, args ...any) {
	ps.misspelt[path] = true
	at, _ := start(n)
	ps.report(at, path, fmt.Sprintf(format, args...))
}

// unknown reports a field that the mapping at path does not have.
func (ps *problems) unknown(path, field string, mapping reflect.Type) {
	ps.misspelt[path] = true
	message := fmt.Sprintf("unknown field; %s has %s", cmp.Or(path, "a fleet file"), strings.Join(names(mapping), ", "))
	if now, ok := Renamed(field); ok {
		message = "is now called " + now
	}
	ps.report(ps.nearest(field), field, message)
}

// add reports what is wrong with the meaning of a field. What only follows from a
// shape that is reported already is not worth a line of its own.
func (ps *problems) add(path, format string, args ...any) {
	if ps.sound(path) {
		ps.report(ps.nearest(path), path, fmt.Sprintf(format, args...))
	}
}

// sound says whether the fields are as the file has them: nothing of them was
// left out. A rule that compares fields asks this first.
func (ps *problems) sound(paths ...string) bool {
	return !slices.ContainsFunc(paths, func(path string) bool {
		missing := true
		for at := path; ; at = parent(at) {
			_, there := ps.at[at]
			missing = missing && !there
			if ps.broken[at] || missing && ps.misspelt[parent(at)] {
				return true
			}
			if at == "" {
				return false
			}
		}
	})
}

// nearest returns where a path stands: a field that is missing is reported at the
// nearest parent that is there.
func (ps *problems) nearest(path string) place {
	for at := path; ; at = parent(at) {
		if found, ok := ps.at[at]; ok || at == "" {
			return found
		}
	}
}

// parent returns the path of the mapping or list that a path is in; that of the
// file is empty.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}

func (ps *problems) report(at place, path, message string) {
	ps.list = append(ps.list, Problem{Line: at.line, Column: at.column, Path: Brief(OneLine(path), maxPath),
		Message: Brief(OneLine(message), maxProblem), Snippet: ps.text.snippet(at)})
}

// err returns what was gathered, in the order of the file, or nil.
func (ps *problems) err(file string) error {
	if len(ps.list) == 0 {
		return nil
	}
	slices.SortStableFunc(ps.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &InvalidError{File: file, Problems: ps.list}
}
