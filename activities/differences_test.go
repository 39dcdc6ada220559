package activities

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// differences returns the paths of the fields in which two values differ, with both.
func differences(guide, ours any) map[string]string {
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

func TestDifferences_OfEveryShape_AreFound(t *testing.T) {
	doc := func(s string) (v any) {
		require.NoError(t, yaml.Unmarshal([]byte(s), &v))
		return v
	}
	require.Equal(t, map[string]string{
		"a.b":    `the guide has 1, we have 2`,
		"a.c":    `the guide has {"d":"x"}, we have nothing`,
		"l[1]":   `the guide has "z", we have nothing`,
		"m[0].p": `the guide has nothing, we have true`,
		"q[tls]": `the guide has {"name":"tls"}, we have nothing`,
	}, differences(doc(`{a: {b: 1, c: {d: x}}, l: [x, z], m: [{o: 1}], q: [{name: tls}, {name: api}], same: [1]}`),
		doc(`{a: {b: 2}, l: [x], m: [{o: 1, p: true}], q: [{name: api}], same: [1]}`)))
	require.Empty(t, differences(doc(`{a: [1, {b: c}]}`), doc(`{a: [1, {b: c}]}`)))
}
