package differences

import (
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

func TestBetween_ValuesOfEveryShape_FindsWhatDiffers(t *testing.T) {
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
	}, Between(doc(`{a: {b: 1, c: {d: x}}, l: [x, z], m: [{o: 1}], q: [{name: tls}, {name: api}], same: [1]}`),
		doc(`{a: {b: 2}, l: [x], m: [{o: 1, p: true}], q: [{name: api}], same: [1]}`)))
	require.Empty(t, Between(doc(`{a: [1, {b: c}]}`), doc(`{a: [1, {b: c}]}`)))
}
