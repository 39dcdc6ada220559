package docs_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/resource"
)

// crd is the definition of Fleets as an API server reads it.
type crd struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
}

// definition reads it with the API server's own code.
func definition(t *testing.T) crd {
	t.Helper()
	var def apiextensionsv1.CustomResourceDefinition
	require.NoError(t, yaml.UnmarshalStrict(resource.CRD, &def))
	var props apiextensions.JSONSchemaProps
	require.NoError(t, apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(def.Spec.Versions[0].Schema.OpenAPIV3Schema, &props, nil))
	s, err := schema.NewStructural(&props)
	require.NoError(t, err)
	require.Empty(t, schema.ValidateStructural(nil, s))
	v, _, err := validation.NewSchemaValidator(&props)
	require.NoError(t, err)
	return crd{s, v}
}

// takes fails where an API server would refuse a fleet file, or drop a field of it.
func (c crd) takes(t *testing.T, file string) {
	t.Helper()
	var obj map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(file), &obj))
	require.Empty(t, validation.ValidateCustomResource(nil, obj, c.validator), file)
	require.Empty(t, pruning.PruneWithOptions(obj, c.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}), file)
}
