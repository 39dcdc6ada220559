package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	resourceapi "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
)

// difference names the first field in which a live value does not have what is
// wanted, or returns "". What the live value has beyond that (defaults, status,
// other people's labels) does not count.
func difference(live, want any) (first string) {
	walk(live, want, "", func(at string, _, _ any) bool {
		first = at
		return false
	})
	return first
}

// FieldsOf lists the fields in which values do not have what is wanted, with both.
func FieldsOf(live, want map[string]any) []fleet.Field {
	is, _ := viaJSON(live).(map[string]any)
	to, _ := viaJSON(want).(map[string]any)
	return fieldsOf(&unstructured.Unstructured{Object: is}, &unstructured.Unstructured{Object: to})
}

// fieldsOf lists the fields in which a live object does not have what is wanted, with
// both values. It shows a fingerprint of what a Secret holds.
func fieldsOf(live, want *unstructured.Unstructured) (out []fleet.Field) {
	is := map[string]any{}
	if live != nil {
		is = live.Object
	}
	var found func(at string, from, to any) bool
	found = func(at string, from, to any) bool {
		if m, ok := to.(map[string]any); ok && from == nil && len(m) > 0 { // all of it is new
			return walk(map[string]any{}, m, "."+at, found)
		}
		if slices.ContainsFunc(untold, func(p string) bool { return strings.HasPrefix(at, p) }) {
			return true
		}
		hide := want.GetKind() == "Secret" && (strings.HasPrefix(at, "data") || strings.HasPrefix(at, "stringData"))
		out = append(out, fleet.Field{Path: at, From: shown(from, hide), To: shown(to, hide)})
		return len(out) < maxFields
	}
	walk(is, want.Object, "", found)
	return out
}

// untold lists the fields that tell a person nothing: the object's name has them, or
// they are for Landbridge itself.
var untold = []string{"apiVersion", "kind", "metadata.name", "metadata.annotations.landbridge.dev/"}

const (
	// maxFields and maxValue, in bytes, keep a plan of many objects below what
	// Temporal carries.
	maxFields = 60
	maxValue  = 160
)

func shown(v any, hide bool) string {
	if v == nil {
		return ""
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	if hide {
		sum := sha256.Sum256(data)
		return "sha256:" + hex.EncodeToString(sum[:8])
	}
	return fleet.Brief(string(data), maxValue)
}

// walk calls found for each field in which live does not have what is wanted,
// until it returns false; walk then does too.
func walk(live, want any, at string, found func(at string, live, want any) bool) bool {
	switch w := want.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return found(orObject(at), live, want)
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			got, there := l[k]
			if !there && isEmpty(w[k]) {
				continue
			}
			if !walk(got, w[k], at+"."+k, found) {
				return false
			}
		}
		return true
	case []any:
		l, ok := live.([]any)
		if !ok || len(l) != len(w) {
			return found(orObject(at), live, want)
		}
		for i := range w {
			if !walk(l[i], w[i], fmt.Sprintf("%s[%d]", at, i), found) {
				return false
			}
		}
		return true
	}
	if reflect.DeepEqual(live, want) || sameNumber(live, want) || sameQuantity(live, want) {
		return true
	}
	return found(orObject(at), live, want)
}

// sameQuantity takes 2000m, as a chart has it, for the 2 of the API server.
func sameQuantity(a, b any) bool {
	x, okX := a.(string)
	y, okY := b.(string)
	if !okX || !okY {
		return false
	}
	p, errP := resourceapi.ParseQuantity(x)
	q, errQ := resourceapi.ParseQuantity(y)
	return errP == nil && errQ == nil && p.Cmp(q) == 0
}

// Covers returns whether live has everything that is wanted, and else names the first
// field in which it does not.
func Covers(live, want any) (string, bool) {
	// Both go through JSON, so that a whole number is the same type on each side.
	d := difference(viaJSON(live), viaJSON(want))
	return d, d == ""
}

func viaJSON(v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		return v
	}
	return out
}

func orObject(at string) string {
	if at == "" {
		return "the object"
	}
	return at[1:]
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

func sameNumber(a, b any) bool {
	x, okX := number(a)
	y, okY := number(b)
	return okX && okY && x == y
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
