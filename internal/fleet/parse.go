package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFileSize in bytes keeps a mistaken path from filling the memory, and a
// fleet below Temporal's payload limit.
const maxFileSize = 1 << 20

// Load reads, defaults and validates the fleet file at path. The error is an
// *InvalidError where the file is there but cannot be used.
func Load(path string) (*Fleet, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the fleet file: %w", err)
	}
	if info.Size() > maxFileSize {
		return nil, &InvalidError{File: path, Problems: []Problem{{Message: "the file is larger than 1 MiB; is it a fleet file?"}}}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the fleet file: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a fleet file strictly, fills in the defaults and validates it.
// All problems are reported at once, with line and column, as an *InvalidError
// that calls the file by the given name.
func Parse(name string, data []byte) (*Fleet, error) {
	ps := &problems{at: map[string][2]int{}}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	var docs []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType {
			docs = append(docs, d.Body)
		}
	}
	if len(docs) != 1 {
		ps.add("", "want one document of kind %s, found %d; `landbridge init` writes one to start from", Kind, len(docs))
		return nil, ps.err(name)
	}
	check(ps, docs[0], reflect.TypeFor[Fleet](), "")
	if err := ps.err(name); err != nil {
		return nil, err
	}
	asJSON, err := yaml.YAMLToJSON([]byte(docs[0].String()))
	if err != nil {
		return nil, syntaxError(name, err)
	}
	var f Fleet
	if err := json.Unmarshal(asJSON, &f); err != nil {
		ps.add("", "%v", err)
		return nil, ps.err(name)
	}
	f.SetDefaults()
	validate(&f, ps)
	validateLabels(f.Spec.Gateways.EastWest, ps)
	if err := ps.err(name); err != nil {
		return nil, err
	}
	return &f, nil
}

// Known is a fleet whose file is lost, as far as a cleanup needs it: its name and
// some of its clusters. What the clusters remember says the rest. The error is
// an *InvalidError.
func Known(name, taskQueue string, clusters []Cluster) (*Fleet, error) {
	f := &Fleet{APIVersion: APIVersion, Kind: Kind, Metadata: Metadata{Name: name}, Spec: Spec{TaskQueue: taskQueue, Clusters: clusters}}
	for i := range f.Spec.Clusters {
		f.Spec.Clusters[i].Network = clusters[i].Name // nobody asks for it
	}
	f.SetDefaults()
	ps := &problems{}
	validate(f, ps)
	if err := ps.err("--fleet and --cluster"); err != nil {
		return nil, err
	}
	return f, nil
}

// Remembers has a fleet whose file is lost take its settings from what one of
// its clusters remembers. The clusters stay, and how fast the work goes.
func (f *Fleet) Remembers(record Fleet) {
	clusters, rollout := f.Spec.Clusters, f.Spec.Rollout
	f.Spec = record.Spec
	f.Spec.Clusters, f.Spec.Rollout = clusters, rollout
}

func syntaxError(name string, err error) error {
	p := Problem{Message: err.Error()}
	var ye yaml.Error
	if errors.As(err, &ye) {
		p.Message = ye.GetMessage()
		if t := ye.GetToken(); t != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	p.Message = "not YAML: " + p.Message
	return &InvalidError{File: name, Problems: []Problem{p}}
}

// check compares the shape of a node with the type that it will become, and
// notes where each field stands.
func check(ps *problems, n ast.Node, t reflect.Type, path string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if tok := n.GetToken(); tok != nil {
		if _, seen := ps.at[path]; !seen {
			ps.at[path] = [2]int{tok.Position.Line, tok.Position.Column}
		}
	}
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		ps.add(path, "anchors, aliases and tags are not supported in a fleet file; write the value out")
		return
	case *ast.NullNode:
		return
	case *ast.MappingNode:
		checkMapping(ps, n.Values, t, path)
		return
	case *ast.MappingValueNode:
		checkMapping(ps, []*ast.MappingValueNode{n}, t, path)
		return
	case *ast.SequenceNode:
		checkSequence(ps, n, t, path)
		return
	}
	if want, ok := scalarFits(n, t); !ok {
		ps.add(path, "want %s, got %s", want, n.String())
	}
}

func checkMapping(ps *problems, values []*ast.MappingValueNode, t reflect.Type, path string) {
	if t == reflect.TypeFor[Links]() {
		t = reflect.TypeFor[struct {
			Hub *Hub `json:"hub"`
		}]()
	}
	if t.Kind() != reflect.Struct && t.Kind() != reflect.Map && t.Kind() != reflect.Interface {
		ps.add(path, "want %s, got a mapping", describe(t))
		return
	}
	seen := map[string]bool{}
	for _, v := range values {
		key := strings.Trim(v.Key.String(), `"'`)
		sub := strings.TrimPrefix(path+"."+key, ".")
		if tok := v.Key.GetToken(); tok != nil {
			ps.at[sub] = [2]int{tok.Position.Line, tok.Position.Column}
		}
		if seen[key] {
			ps.add(sub, "is given twice")
		}
		seen[key] = true
		switch t.Kind() {
		case reflect.Struct:
			ft, ok := fields(t)[key]
			if !ok {
				ps.add(sub, "unknown field; %s knows %s", orFile(path), strings.Join(names(t), ", "))
				continue
			}
			check(ps, v.Value, ft, sub)
		case reflect.Map:
			check(ps, v.Value, t.Elem(), sub)
		default:
			check(ps, v.Value, t, sub)
		}
	}
}

func checkSequence(ps *problems, n *ast.SequenceNode, t reflect.Type, path string) {
	elem := t
	switch {
	case t == reflect.TypeFor[Links]():
		elem = reflect.TypeFor[Link]()
	case t.Kind() == reflect.Slice:
		elem = t.Elem()
	case t.Kind() != reflect.Interface:
		ps.add(path, "want %s, got a list", describe(t))
		return
	}
	for i, v := range n.Values {
		check(ps, v, elem, fmt.Sprintf("%s[%d]", path, i))
	}
}

// scalarFits says whether a scalar can become the type, and what the type wants.
func scalarFits(n ast.Node, t reflect.Type) (string, bool) {
	want := describe(t)
	isString := n.Type() == ast.StringType || n.Type() == ast.LiteralType
	switch {
	case t == reflect.TypeFor[Links]():
		return want, isString && n.String() == meshWord
	case t == reflect.TypeFor[Duration]():
		if !isString {
			return want, false
		}
		quoted, _ := json.Marshal(n.GetToken().Value)
		var d Duration
		return want, json.Unmarshal(quoted, &d) == nil
	case t.Kind() == reflect.String:
		return want, isString
	case t.Kind() == reflect.Int:
		return want, n.Type() == ast.IntegerType
	case t.Kind() == reflect.Bool:
		return want, n.Type() == ast.BoolType
	}
	return want, t.Kind() == reflect.Interface
}

func describe(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Links]():
		return "mesh, hub: {cluster: …} or a list of {from, to}"
	case t == reflect.TypeFor[Duration]():
		return "a duration such as 90s, 15m or 87600h"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string (in quotes where it looks like something else)"
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	}
	return "a mapping"
}

func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = f.Type
	}
	return out
}

func names(t reflect.Type) []string {
	var out []string
	for n := range fields(t) {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

func orFile(path string) string {
	if path == "" {
		return "a fleet file"
	}
	return path
}
