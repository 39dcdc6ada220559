package lab

import (
	_ "embed"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	mesh "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/operator/pkg/apis"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// sailCRDs have the shape and the rules of Sail's own.
//
//go:embed crds/sail.yaml
var sailCRDs string

// sailKinds returns the CRDs of the Sail operator, with the versions that they list
// and the types of Istio's values.
func sailKinds() ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	docs := yaml.NewYAMLOrJSONDecoder(strings.NewReader(sailCRDs), 4096)
	for {
		crd := &unstructured.Unstructured{}
		if err := docs.Decode(&crd.Object); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		spec := []string{"schema", "openAPIV3Schema", "properties", "spec", "properties"}
		v1 := versions[0].(map[string]any)
		kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
		if err := unstructured.SetNestedMap(v1, valuesOf(kind), append(spec, "values")...); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		if err := unstructured.SetNestedSlice(v1, sailVersions(false), append(spec, "version", "enum")...); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		if err := unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		out = append(out, crd)
	}
}

// valuesOf returns the schema of a kind's spec.values. It follows Istio's own types,
// from which Sail's are made, too.
func valuesOf(kind string) map[string]any {
	all := (&apis.Values{}).ProtoReflect().Descriptor()
	values := schemaOf(all)
	properties := values["properties"].(map[string]any)
	if kind == "IstioCNI" {
		return object(map[string]any{"cni": properties["cni"], "global": properties["global"]})
	}
	// Istio leaves these untyped, Sail does not.
	properties["meshConfig"] = schemaOf((&mesh.MeshConfig{}).ProtoReflect().Descriptor())
	delete(properties, "cni")
	return values
}

func object(properties map[string]any) map[string]any {
	return map[string]any{"type": "object", "properties": properties}
}

func ofType(t string) map[string]any { return map[string]any{"type": t} }

func anything() map[string]any { return map[string]any{"x-kubernetes-preserve-unknown-fields": true} }

// schemaOf returns the schema of a message, with the names that JSON has.
func schemaOf(m protoreflect.MessageDescriptor) map[string]any {
	properties := map[string]any{}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		properties[f.JSONName()] = fieldSchema(f)
	}
	return object(properties)
}

func fieldSchema(f protoreflect.FieldDescriptor) map[string]any {
	switch {
	case f.IsMap():
		return map[string]any{"type": "object", "additionalProperties": valueSchema(f.MapValue())}
	case f.Name() == "env": // Sail's are strings, whatever Istio's charts would take
		return map[string]any{"type": "object", "additionalProperties": ofType("string")}
	case f.IsList():
		return map[string]any{"type": "array", "items": valueSchema(f)}
	}
	return valueSchema(f)
}

func valueSchema(f protoreflect.FieldDescriptor) map[string]any {
	switch f.Kind() {
	case protoreflect.MessageKind:
		return messageSchema(f.Message())
	case protoreflect.BoolKind:
		return ofType("boolean")
	case protoreflect.StringKind, protoreflect.EnumKind, protoreflect.BytesKind:
		return ofType("string")
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return ofType("number")
	}
	return ofType("integer")
}

// messageSchema knows the messages that JSON writes in a way of their own.
func messageSchema(m protoreflect.MessageDescriptor) map[string]any {
	switch m.FullName() {
	case "google.protobuf.Duration", "google.protobuf.Timestamp", "google.protobuf.StringValue":
		return ofType("string")
	case "google.protobuf.BoolValue":
		return ofType("boolean")
	case "google.protobuf.DoubleValue", "google.protobuf.FloatValue":
		return ofType("number")
	case "google.protobuf.Int32Value", "google.protobuf.Int64Value", "google.protobuf.UInt32Value", "google.protobuf.UInt64Value":
		return ofType("integer")
	case "google.protobuf.Value", "google.protobuf.ListValue", "google.protobuf.Any":
		return anything()
	case "google.protobuf.Struct":
		return map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	}
	if m.Name() == "IntOrString" {
		return map[string]any{"x-kubernetes-int-or-string": true}
	}
	if strings.HasPrefix(string(m.FullName()), "k8s.io.") {
		return anything()
	}
	return schemaOf(m)
}
