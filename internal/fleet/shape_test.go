package fleet

import (
	"encoding/json"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// Values are handed on to Istio: each kind of value that YAML and JSON share
// arrives as the YAML library reads it.
func TestRead_ValuesOfAnyKind_ArriveAsTheyAre(t *testing.T) {
	const values = `
a: 1
b: -2.5
c: true
d: ~
e: "quoted: \"text\""
f: |
  two
  lines

g: >-
  folded
  text
h: [1, two, [3], {four: 4}]
i: {}
"j k": 'it''s'
5: five
l: 0x1F
"true": "false"
no: yes
m: "1"
`
	var want any
	data, err := yaml.YAMLToJSON([]byte(values))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &want))
	text := small + "  istio:\n    values:" + indent(values)
	got, err := json.Marshal(parse(t, text).Spec.Istio.Values)
	require.NoError(t, err)
	data, err = json.Marshal(want)
	require.NoError(t, err)
	require.JSONEq(t, string(data), string(got))
}

func indent(text string) string {
	out := ""
	for _, r := range text {
		if out += string(r); r == '\n' {
			out += "      "
		}
	}
	return out + "\n"
}

func TestRead_WhatHasTheRightShape_IsKeptBesideWhatHasNot(t *testing.T) {
	ps := newProblems(nil)
	var f Fleet
	ps.decode(ps.document("apiVersion: 1\nkind: Fleet\nspec: {istio: {version: v1, platform: [x]}, clusters: [7, {name: b, network: ~}]}\n"), &f)
	require.Len(t, ps.list, 3)
	require.Equal(t, Fleet{Kind: "Fleet", Spec: Spec{Istio: Istio{Version: "v1"}, Clusters: []Cluster{{}, {Name: "b"}}}}, f)
}
