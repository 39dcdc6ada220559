package kube

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/kinds"
)

func configMap(uid string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	obj.SetName("cm")
	obj.SetNamespace("ns")
	obj.SetUID(types.UID(uid))
	return obj
}

// conflictingDeletes answers every deletion with a conflict, as an API server does where
// another object has the name by now, and also when somebody writes at the same time.
func conflictingDeletes(live ...runtime.Object) *Writer {
	client := fake.NewSimpleDynamicClient(runtime.NewScheme(), live...)
	client.PrependReactor("delete", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewConflict(kinds.ConfigMaps.GroupResource(), "cm", nil)
	})
	return &Writer{Cluster: &Cluster{Name: "west", Dynamic: client}}
}

func TestDelete_MeetsAConflict_OnlyWhatIsGoneCountsAsDone(t *testing.T) {
	ctx := context.Background()
	require.NoError(t, conflictingDeletes(configMap("another")).Delete(ctx, kinds.ConfigMaps, configMap("ours")), "another object has the name")
	require.NoError(t, conflictingDeletes().Delete(ctx, kinds.ConfigMaps, configMap("ours")), "nothing has it")
	err := conflictingDeletes(configMap("ours")).Delete(ctx, kinds.ConfigMaps, configMap("ours"))
	require.True(t, apierrors.IsConflict(err), "it is still there, and must be tried again: %v", err)
}

func TestFieldsOf_ASecretShowsFingerprints_AndNothingThatOnlyWeNeed(t *testing.T) {
	secret := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
		"metadata": map[string]any{"name": "s", "labels": map[string]any{"a": "b"}, "annotations": map[string]any{"landbridge.dev/applied": "x"}},
		"data":     map[string]any{"key": "dmVyeS1zZWNyZXQ="}, "type": "Opaque"}}
	got := fieldsOf(nil, secret)
	var paths []string
	for _, f := range got {
		paths = append(paths, f.Path)
		require.NotContains(t, f.To, "dmVyeS1zZWNyZXQ")
	}
	require.Equal(t, []string{"data.key", "metadata.labels.a", "type"}, paths)
	require.Regexp(t, "^sha256:[0-9a-f]{16}$", got[0].To)
}
