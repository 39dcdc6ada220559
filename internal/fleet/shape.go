package fleet

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxShown limits how much a message shows of a value that does not fit, in bytes.
const maxShown = 60

// read returns what a node holds, as encoding/json would, and notes where in the
// file each field stands. What cannot become a value of type t is reported and
// left out, so that the rest can still be validated.
func (ps *problems) read(n ast.Node, t reflect.Type, path string) any {
	withDefault := t.Kind() != reflect.Pointer // a pointer tells 0 from what is not given
	if !withDefault {
		t = t.Elem()
	}
	ps.place(path, n)
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		ps.wrong(path, noAnchors)
		return nil
	case *ast.NullNode:
		return nil
	case *ast.MappingNode:
		return ps.readMapping(n.Values, t, path)
	case *ast.MappingValueNode:
		return ps.readMapping([]*ast.MappingValueNode{n}, t, path)
	case *ast.SequenceNode:
		return ps.readSequence(n.Values, t, path)
	}
	v := ps.readScalar(n, t, path)
	if withDefault {
		ps.refuseZero(v, t, path)
	}
	return v
}

// refuseZero reports a number or a duration of 0, where that would count as not given: its
// default would take its place, and nobody would be told.
func (ps *problems) refuseZero(v any, t reflect.Type, path string) {
	if t.Kind() != reflect.Int && t != reflect.TypeFor[Duration]() || v == nil {
		return
	}
	data, err := json.Marshal(v)
	into := reflect.New(t)
	if err == nil && json.Unmarshal(data, into.Interface()) == nil && into.Elem().IsZero() {
		ps.wrong(path, "want more than %v; leave the field out for its default", v)
	}
}

const noAnchors = "anchors, aliases and tags are not supported in a fleet file; write the value out"

func (ps *problems) readMapping(values []*ast.MappingValueNode, t reflect.Type, path string) any {
	form := t
	if t == reflect.TypeFor[Links]() {
		form = reflect.TypeFor[linksForm]()
	}
	if form.Kind() != reflect.Struct && form.Kind() != reflect.Map && form.Kind() != reflect.Interface {
		ps.wrong(path, "want %s, got a mapping", describe(t))
		return nil
	}
	out := map[string]any{}
	for _, v := range values {
		key, ok := ps.readKey(v, path)
		if !ok {
			continue
		}
		sub := strings.TrimPrefix(path+"."+key, ".")
		if _, twice := out[key]; twice {
			delete(ps.at, sub) // the second one is the mistake
			ps.place(sub, v.Key)
			ps.wrong(sub, "is given twice")
		}
		ps.place(sub, v.Key)
		ft, ok := field(form, key)
		if !ok {
			ps.unknown(path, sub, form)
			continue
		}
		out[key] = ps.read(v.Value, ft, sub)
	}
	if t == reflect.TypeFor[Links]() && (out["hub"] == nil) == (out["groups"] == nil) {
		if ps.sound(path+".hub") && ps.sound(path+".groups") {
			ps.wrong(path, "want %s", describe(t))
		}
		return nil
	}
	return out
}

// readKey returns the name of a field.
func (ps *problems) readKey(v *ast.MappingValueNode, path string) (string, bool) {
	switch k := v.Key.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.String(), true
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		ps.wrongAt(v.Key, path, noAnchors)
	default:
		ps.wrongAt(v.Key, path, "want the plain name of a field, got %s", shown(v.Key))
	}
	return "", false
}

func (ps *problems) readSequence(values []ast.Node, t reflect.Type, path string) any {
	elem := t
	switch {
	case t == reflect.TypeFor[Links]():
		elem = reflect.TypeFor[Link]()
	case t.Kind() == reflect.Slice:
		elem = t.Elem()
	case t.Kind() != reflect.Interface:
		ps.wrong(path, "want %s, got a list", describe(t))
		return nil
	}
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = ps.read(v, elem, fmt.Sprintf("%s[%d]", path, i))
	}
	return out
}

// readScalar lets encoding/json decide whether a scalar can become the type.
func (ps *problems) readScalar(n ast.Node, t reflect.Type, path string) any {
	var v any
	switch n := n.(type) {
	case *ast.LiteralNode:
		v = n.Value.Value
	case ast.ScalarNode:
		v = n.GetValue()
	}
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, reflect.New(t).Interface())
	}
	if err != nil {
		ps.wrong(path, "want %s, got %s", describe(t), shown(n))
		return nil
	}
	return v
}

// shown writes a node for a message: one line, and short.
func shown(n ast.Node) string {
	return Brief(OneLine(n.String()), maxShown)
}

// linksForm describes links that are a mapping.
type linksForm struct {
	Hub    *Hub    `json:"hub,omitempty" jsonschema_description:"Hub links one cluster with all others."`
	Groups []Group `json:"groups,omitempty" jsonschema_description:"Groups link their clusters with each other, and their hubs."`
}

// field returns the type of a field of a mapping, and whether there is one.
func field(t reflect.Type, name string) (reflect.Type, bool) {
	switch t.Kind() {
	case reflect.Struct:
		for _, f := range fields(t) {
			if jsonName(f) == name {
				return f.Type, true
			}
		}
		return nil, false
	case reflect.Map:
		return t.Elem(), true
	}
	return t, true
}

// fields returns the fields of a mapping, those of embedded structs among them.
func fields(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return f.Anonymous })
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// describe says in words what a type wants.
func describe(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Links]():
		return linksWanted
	case reflect.TypeFor[Duration]():
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
	case reflect.Struct:
		return "a mapping with " + strings.Join(names(t), ", ")
	case reflect.Interface:
		return "a value that JSON has too"
	}
	return "a mapping"
}

// names returns the fields of a mapping.
func names(t reflect.Type) []string {
	var out []string
	if t.Kind() == reflect.Struct {
		for _, f := range fields(t) {
			out = append(out, jsonName(f))
		}
	}
	slices.Sort(out)
	return out
}
