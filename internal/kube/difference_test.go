package kube

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
)

func TestCovers_NamesTheFirstFieldAndNoValue(t *testing.T) {
	live := map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": int64(443), "extra": "x"}}, "name": "n", "cpu": "2"}, "status": "s"}
	for _, c := range []struct {
		want any
		at   string
	}{
		{map[string]any{"spec": map[string]any{"name": "n"}}, ""},
		{map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": float64(443)}}}}, ""},
		{map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": int64(444)}}}}, "spec.ports[0].port"},
		{map[string]any{"spec": map[string]any{"ports": []any{}}}, "spec.ports"},
		{map[string]any{"spec": map[string]any{"name": "other"}}, "spec.name"},
		{map[string]any{"spec": map[string]any{"name": map[string]any{"a": "b"}}}, "spec.name"},
		{map[string]any{"spec": map[string]any{"cpu": "2000m"}}, ""},
		{map[string]any{"spec": map[string]any{"cpu": "3"}}, "spec.cpu"},
		{map[string]any{"data": map[string]any{"k": "v"}}, "data"},
		{map[string]any{"data": map[string]any{}, "list": []any{}, "none": nil}, ""},
		{"a string", "the object"},
		{func() {}, "the object"},
	} {
		at, same := Covers(live, c.want)
		require.Equal(t, c.at, at)
		require.Equal(t, c.at == "", same)
	}
}

func object(kind string, fields map[string]any) *unstructured.Unstructured {
	fields["apiVersion"], fields["kind"] = "v1", kind
	return &unstructured.Unstructured{Object: fields}
}

func TestFieldsOf_ASecretShowsFingerprints_AndNothingThatOnlyWeNeed(t *testing.T) {
	got := fieldsOf(nil, object("Secret", map[string]any{
		"metadata": map[string]any{"name": "s", "labels": map[string]any{"a": "b"}, "annotations": map[string]any{fleet.AnnotationApplied: "x"}},
		"data":     map[string]any{"key": "dmVyeS1zZWNyZXQ="}, "type": "Opaque"}))
	var paths []string
	for _, f := range got {
		paths = append(paths, f.Path)
		require.NotContains(t, f.To, "dmVyeS1zZWNyZXQ")
	}
	require.Equal(t, []string{"data.key", "metadata.labels.a", "type"}, paths)
	require.Regexp(t, "^sha256:[0-9a-f]{16}$", got[0].To)
}

func TestFieldsOf_BothValues_ShortAndFew(t *testing.T) {
	live := object("ConfigMap", map[string]any{"data": map[string]any{"a": "1", "same": "x"}})
	want := object("ConfigMap", map[string]any{"data": map[string]any{"a": strings.Repeat("long ", 100), "same": "x", "new": "y"}})
	got := fieldsOf(live, want)
	require.Len(t, got, 2)
	require.Equal(t, fleet.Field{Path: "data.a", From: `"1"`, To: got[0].To}, got[0])
	require.LessOrEqual(t, len(got[0].To), maxValue)
	require.Equal(t, fleet.Field{Path: "data.new", To: `"y"`}, got[1])

	many := map[string]any{}
	for i := range 2 * maxFields {
		many[fmt.Sprintf("key-%03d", i)] = "v"
	}
	require.Len(t, fieldsOf(nil, object("ConfigMap", map[string]any{"data": many})), maxFields)
}
