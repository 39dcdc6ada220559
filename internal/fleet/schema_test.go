package fleet

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSchema_FileIsFresh(t *testing.T) {
	got, err := generateSchema()
	require.NoError(t, err)
	golden(t, "schema.json", string(got))
}

// An editor shows what each field is for, wherever it stands.
func TestSchema_EveryField_HasADescription(t *testing.T) {
	var root map[string]any
	require.NoError(t, json.Unmarshal(Schema, &root))
	fields := 0
	var walk func(at string, node any)
	walk = func(at string, node any) {
		switch node := node.(type) {
		case map[string]any:
			properties, _ := node["properties"].(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(properties)) {
				fields++
				text, _ := properties[name].(map[string]any)["description"].(string)
				require.NotEmpty(t, text, "%s/%s has no description", at, name)
				require.True(t, strings.HasSuffix(text, "."), "%s/%s: %q is no sentence", at, name, text)
			}
			for _, key := range slices.Sorted(maps.Keys(node)) {
				walk(at+"/"+key, node[key])
			}
		case []any:
			for _, item := range node {
				walk(at, item)
			}
		}
	}
	walk("", root)
	require.Greater(t, fields, 50)
}

func compiled(t *testing.T) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("fleet.json", doc))
	s, err := c.Compile("fleet.json")
	require.NoError(t, err)
	return s
}

func instance(t require.TestingT, text []byte) any {
	data, err := yaml.YAMLToJSON(text)
	require.NoError(t, err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	return v
}

// What a fleet file may be, an editor accepts.
func TestSchema_AnyFleet_IsAccepted(t *testing.T) {
	s := compiled(t)
	require.NoError(t, s.Validate(instance(t, []byte(small))))
	rapid.Check(t, func(t *rapid.T) {
		data, err := json.Marshal(drawFleet(t, "fleet"))
		require.NoError(t, err)
		require.NoError(t, s.Validate(instance(t, data)))
	})
}

// What has the wrong shape, an editor marks before anybody runs a command.
func TestSchema_WrongShape_IsRefused(t *testing.T) {
	s := compiled(t)
	for _, name := range []string{"unknown-fields", "wrong-types", "just-words", "shape-and-meaning", "long-line"} {
		data, err := os.ReadFile("testdata/bad/" + name + ".yaml")
		require.NoError(t, err)
		if name == "shape-and-meaning" {
			data = bytes.Replace(data, []byte("apiPort: 15443, "), nil, 1) // given twice: no JSON
		}
		require.Error(t, s.Validate(instance(t, data)), name)
	}
}
