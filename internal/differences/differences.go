// Package differences compares what two ways of doing a thing left behind, field by field.
// It serves tests: those of the steps compare what the guide has people write with what the
// steps make, and one on a lab compares clusters that were set up in both ways.
package differences

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Between returns the paths of the fields in which two values differ, with a word on
// both. What only one of them has is one difference, however much there is below it.
func Between(guide, ours any) map[string]string {
	out := map[string]string{}
	collect("", guide, ours, out)
	return out
}

func collect(at string, guide, ours any, out map[string]string) {
	if g, ok := guide.(map[string]any); ok {
		if o, ok := ours.(map[string]any); ok {
			for _, k := range slices.Sorted(maps.Keys(merged(g, o))) {
				collect(strings.TrimPrefix(at+"."+k, "."), g[k], o[k], out)
			}
			return
		}
	}
	if g, ok := guide.([]any); ok {
		if o, ok := ours.([]any); ok {
			inG, inO := elements(g), elements(o)
			for _, k := range slices.Sorted(maps.Keys(merged(inG, inO))) {
				collect(at+"["+k+"]", inG[k], inO[k], out)
			}
			return
		}
	}
	if !reflect.DeepEqual(guide, ours) {
		out[at] = fmt.Sprintf("the guide has %s, we have %s", inJSON(guide), inJSON(ours))
	}
}

func merged(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// elements names those of a list: by their name, else by their place.
func elements(list []any) map[string]any {
	out := map[string]any{}
	for i, e := range list {
		key := fmt.Sprint(i)
		if m, ok := e.(map[string]any); ok && m["name"] != nil {
			key = fmt.Sprint(m["name"])
		}
		out[key] = e
	}
	return out
}

func inJSON(v any) string {
	if v == nil {
		return "nothing"
	}
	data, _ := json.Marshal(v)
	return string(data)
}
