package resource

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
)

//go:generate go test . -run TestCRD_FileIsFresh -update

// CRD holds the CustomResourceDefinition of Fleets, as kubectl applies it.
//
//go:embed crd.yaml
var CRD []byte

// Plural names the resource in paths and roles.
const Plural = "fleets"

// comment begins the file of CRD.
const comment = "# Made from the types of the fleet file (go generate ./internal/resource): edit those instead.\n"

// generateCRD makes CRD from the schema of the fleet file and, when it runs in the source tree, from
// the comments of Status.
func generateCRD() ([]byte, error) {
	var file map[string]any
	if err := json.Unmarshal(fleet.Schema, &file); err != nil {
		return nil, err
	}
	spec, err := structural{file["$defs"].(map[string]any)}.of(ref("Spec"))
	if err != nil {
		return nil, err
	}
	spec["description"] = "Spec is that of a fleet file."
	status, err := statusSchema()
	if err != nil {
		return nil, err
	}
	column := func(name, typ, path, about string) map[string]any {
		return map[string]any{"name": name, "type": typ, "jsonPath": path, "description": about}
	}
	data, err := yaml.Marshal(map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": Plural + "." + fleet.Domain},
		"spec": map[string]any{
			"group": fleet.Domain, "scope": "Namespaced",
			"names": map[string]any{"kind": fleet.Kind, "listKind": fleet.Kind + "List", "plural": Plural, "singular": "fleet"},
			"versions": []any{map[string]any{
				"name": "v1alpha1", "served": true, "storage": true,
				"subresources": map[string]any{"status": map[string]any{}},
				"additionalPrinterColumns": []any{
					column("Phase", "string", ".status.phase", "What the fleet is at."),
					column("Clusters", "integer", ".status.clusters", "Clusters that are rolled out."),
					column("Links", "integer", ".status.links", "Links that are rolled out."),
					column("Proven", "integer", ".status.proven", "Links that the last rollout proved."),
					column("Waits for", "string", ".status.approval", "Value of the annotation landbridge.dev/approve that the wave which waits needs."),
					column("Age", "date", ".metadata.creationTimestamp", "Since the resource was made."),
				},
				"schema": map[string]any{"openAPIV3Schema": map[string]any{
					"type": "object", "required": []any{"spec"},
					"description": "Fleet describes the clusters and links of one fleet, and how they are rolled out. A worker with --watch-fleets reconciles it.",
					"properties": map[string]any{
						"apiVersion": map[string]any{"type": "string"}, "kind": map[string]any{"type": "string"},
						"metadata": map[string]any{"type": "object"}, "spec": spec, "status": status},
				}},
			}},
		},
	})
	return append([]byte(comment), data...), err
}

// statusSchema describes Status.
func statusSchema() (map[string]any, error) {
	r := &jsonschema.Reflector{ExpandedStruct: true, FieldNameTag: "json"}
	if err := r.AddGoComments("github.com/landbridge/landbridge/internal/resource", "."); err != nil {
		return nil, err
	}
	r.Mapper = func(t reflect.Type) *jsonschema.Schema {
		if t == reflect.TypeFor[metav1.Time]() {
			return &jsonschema.Schema{Type: "string", Format: "date-time"}
		}
		return nil
	}
	data, err := json.Marshal(r.Reflect(&Status{}))
	if err != nil {
		return nil, err
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		return nil, err
	}
	defs, _ := root["$defs"].(map[string]any)
	out, err := structural{defs}.of(root)
	if err != nil {
		return nil, err
	}
	conditions := out["properties"].(map[string]any)["conditions"].(map[string]any)
	conditions["x-kubernetes-list-type"], conditions["x-kubernetes-list-map-keys"] = "map", []any{"type"}
	return out, nil
}

func ref(name string) map[string]any { return map[string]any{"$ref": refPrefix + name} }

const refPrefix = "#/$defs/"

// structural turns a JSON schema into what a CustomResourceDefinition may have: a structural schema,
// without references and without alternatives. defs are the definitions that it refers to.
type structural struct{ defs map[string]any }

// kept are the words that both kinds of schemas have, with one meaning.
var kept = []string{"type", "description", "enum", "minimum", "maximum", "pattern", "format", "minProperties", "maxProperties", "required"}

func (s structural) of(node map[string]any) (map[string]any, error) {
	if to, ok := node["$ref"].(string); ok {
		def, ok := s.defs[to[len(refPrefix):]].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is not in the schema", to)
		}
		out, err := s.of(def)
		if text, ok := node["description"]; ok && err == nil {
			out["description"] = text
		}
		return out, err
	}
	out := map[string]any{}
	for _, k := range kept {
		if v, ok := node[k]; ok {
			out[k] = v
		}
	}
	if options, ok := node["oneOf"].([]any); ok {
		out[alternative(options)] = true
		return out, nil
	}
	return out, s.below(node, out)
}

// below fills in what a schema says of fields, of the values of a map, and of items.
func (s structural) below(node, out map[string]any) error {
	properties := map[string]any{}
	fields, _ := node["properties"].(map[string]any)
	for name, field := range fields {
		described, err := s.of(field.(map[string]any))
		if err != nil {
			return err
		}
		properties[name] = described
	}
	if len(properties) > 0 {
		out["properties"] = properties
	}
	values, isMap := node["additionalProperties"].(map[string]any)
	for key, below := range map[string]any{"items": node["items"], "additionalProperties": values} {
		if b, ok := below.(map[string]any); ok && len(b) > 0 {
			described, err := s.of(b)
			if err != nil {
				return err
			}
			out[key] = described
		}
	}
	if out["type"] == "object" && len(properties) == 0 && (!isMap || len(values) == 0) {
		out["x-kubernetes-preserve-unknown-fields"] = true // Helm values
	}
	return nil
}

// alternative returns the extension that allows these alternatives: a number or a text, or
// what the worker alone checks.
func alternative(options []any) string {
	types := map[any]bool{}
	for _, o := range options {
		types[o.(map[string]any)["type"]] = true
	}
	if len(types) == 2 && types["integer"] && types["string"] {
		return "x-kubernetes-int-or-string"
	}
	return "x-kubernetes-preserve-unknown-fields"
}
