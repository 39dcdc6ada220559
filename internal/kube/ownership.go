package kube

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// owners tells which fields of a live object Landbridge set last, and which others did. The API
// server notes that in managedFields for each request before admission changes it: a field
// that is still ours has the value that our own write got, whatever that is.
type owners struct{ ours, others *fieldpath.Set }

func ownersOf(live *unstructured.Unstructured) owners {
	o := owners{fieldpath.NewSet(), fieldpath.NewSet()}
	for _, m := range live.GetManagedFields() {
		set := fieldpath.NewSet()
		if m.Subresource != "" || m.FieldsV1 == nil || set.FromJSON(m.FieldsV1.GetRawReader()) != nil {
			continue
		}
		if m.Manager == FieldManager {
			o.ours = o.ours.Union(set)
		} else {
			o.others = o.others.Union(set)
		}
	}
	return o
}

// Strayed lists the fields in which an object that Landbridge wrote is no longer as it was
// written, since somebody else changed them later. What a webhook or a policy made of the
// write itself is no such field: every write would end so again.
func Strayed(live *unstructured.Unstructured, want map[string]any) []string {
	s := &straying{}
	o := ownersOf(live)
	s.fields(viaJSON(live.Object), viaJSON(want), o, "")
	return s.found
}

type straying struct{ found []string }

func (s *straying) note(at string) { s.found = append(s.found, orObject(at)) }

func (s *straying) fields(live, want any, o owners, at string) {
	if _, same := Covers(live, want); same && !isList(live) {
		return // quicker, and right whoever set it
	}
	switch w := want.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			s.note(at)
			return
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			got, there := l[k]
			if !there && isEmpty(w[k]) {
				continue
			}
			s.member(got, w[k], o, fieldpath.FieldNameElement(k), at+"."+k)
		}
	case []any:
		l, ok := live.([]any)
		if !ok {
			s.note(at)
			return
		}
		s.items(l, w, o, at)
	default:
		s.note(at)
	}
}

// byPlace notes the first field that differs, whoever set it.
func (s *straying) byPlace(live, want any, at string) {
	walk(live, want, at, func(at string, _, _ any) bool { s.found = append(s.found, at); return false })
}

// member looks at one field or item. What is ours as a whole, and nobody's by its parts, is
// as our write left it; but for what is there and empty, which somebody may have emptied.
func (s *straying) member(live, want any, o owners, pe fieldpath.PathElement, at string) {
	below := owners{o.ours.WithPrefix(pe), o.others.WithPrefix(pe)}
	whole := o.ours.Members.Has(pe) && below.ours.Empty() && below.others.Empty()
	if whole && (live == nil || !isEmpty(live)) || live == nil && !below.ours.Empty() {
		return
	}
	s.fields(live, want, below, at)
}

// items compares a list. The API server merges some by a key and notes who owns each
// item; of any other it notes who owns the whole.
func (s *straying) items(live, want []any, o owners, at string) {
	keys := keysOf(o.ours)
	if len(keys) == 0 {
		s.byPlace(live, want, at)
		return
	}
	for i, w := range want {
		at := fmt.Sprintf("%s[%d]", at, i)
		k := slices.IndexFunc(keys, func(pe fieldpath.PathElement) bool { return names(pe, w, true) })
		if k < 0 && len(live) == len(want) { // who changes a part of its key puts another item in its place
			s.byPlace(live[i], w, at)
			continue
		}
		if k < 0 {
			s.note(at)
			continue
		}
		var item any
		if l := slices.IndexFunc(live, func(l any) bool { return names(keys[k], l, false) }); l >= 0 {
			item = live[l]
		}
		s.member(item, w, o, keys[k], at)
	}
	for _, pe := range keysOf(o.others) {
		l := slices.IndexFunc(live, func(l any) bool { return names(pe, l, false) })
		if l >= 0 && !slices.ContainsFunc(want, func(w any) bool { return names(pe, w, true) }) {
			s.note(fmt.Sprintf("%s[%d]", at, l))
		}
	}
}

// keysOf returns the keys and values by which a set names items of a list.
func keysOf(set *fieldpath.Set) (out []fieldpath.PathElement) {
	seen := fieldpath.PathElementSet{}
	for _, all := range []func(func(fieldpath.PathElement)){set.Members.Iterate, set.Children.Iterate} {
		all(func(pe fieldpath.PathElement) {
			if (pe.Key != nil || pe.Value != nil) && !seen.Has(pe) {
				seen.Insert(pe)
				out = append(out, pe)
			}
		})
	}
	return out
}

// names returns whether an item is the one that a key or value names. What is wanted may
// lack a part of the key that has a default, such as a port's protocol.
func names(pe fieldpath.PathElement, item any, defaulted bool) bool {
	if pe.Value != nil {
		return same((*pe.Value).Unstructured(), item)
	}
	fields, ok := item.(map[string]any)
	if !ok {
		return false
	}
	for _, f := range *pe.Key {
		got, there := fields[f.Name]
		if there && !same(f.Value.Unstructured(), got) || !there && !defaulted {
			return false
		}
	}
	return true
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) || sameNumber(a, b) }

func isList(v any) bool {
	_, ok := v.([]any)
	return ok
}
