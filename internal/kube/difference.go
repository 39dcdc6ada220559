package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// difference names the first field in which a live value does not have what is
// wanted, or is empty. What the live value has beyond that (defaults, status,
// other people's labels) does not count. Values are never quoted: they may be
// secret.
func difference(live, want any, at string) string {
	switch w := want.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return orObject(at)
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			v := w[k]
			got, there := l[k]
			if !there && isEmpty(v) {
				continue
			}
			if d := difference(got, v, at+"."+k); d != "" {
				return d
			}
		}
		return ""
	case []any:
		l, ok := live.([]any)
		if !ok || len(l) != len(w) {
			return orObject(at)
		}
		for i := range w {
			if d := difference(l[i], w[i], fmt.Sprintf("%s[%d]", at, i)); d != "" {
				return d
			}
		}
		return ""
	}
	if reflect.DeepEqual(live, want) || sameNumber(live, want) {
		return ""
	}
	return orObject(at)
}

// Covers says whether live has everything that is wanted, and else names the
// first field in which it does not.
func Covers(live, want any) (string, bool) {
	// Both go through JSON, so that a whole number is the same type on each side.
	d := difference(viaJSON(live), viaJSON(want), "")
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
