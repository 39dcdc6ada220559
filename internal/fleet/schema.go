package fleet

import (
	_ "embed"
	"encoding/json"
	"reflect"

	"github.com/invopop/jsonschema"
)

//go:generate go test . -run TestSchema_FileIsFresh -update

// Schema holds the JSON schema of the fleet file, for editors.
//
//go:embed schema.json
var Schema []byte

// generateSchema makes Schema from the types and, when it runs in the source
// tree, from their comments.
func generateSchema() ([]byte, error) {
	r := &jsonschema.Reflector{ExpandedStruct: true, FieldNameTag: "json"}
	if err := r.AddGoComments("github.com/landbridge/landbridge/internal/fleet", "."); err != nil {
		return nil, err
	}
	r.Mapper = func(t reflect.Type) *jsonschema.Schema {
		if t != reflect.TypeFor[Links]() {
			return nil
		}
		return linksSchema(r.CommentMap)
	}
	s := r.Reflect(&Fleet{})
	s.ID = "https://landbridge.dev/v1alpha1/fleet.json"
	s.Title = "Landbridge fleet"
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// linksSchema describes the forms of links. A mapping has one field.
func linksSchema(comments map[string]string) *jsonschema.Schema {
	r := &jsonschema.Reflector{DoNotReference: true, Anonymous: true, CommentMap: comments}
	one := uint64(1)
	mapping, link := r.Reflect(linksForm{}), r.Reflect(Link{})
	mapping.MinProperties, mapping.MaxProperties = &one, &one
	mapping.Version, link.Version = "", ""
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Const: meshWord}, mapping, {Type: "array", Items: link}}}
}
