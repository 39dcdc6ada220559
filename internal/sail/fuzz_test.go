package sail

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func FuzzStatus(f *testing.F) {
	for _, s := range []string{
		`{"kind":"Istio","metadata":{"name":"default","generation":1},"status":{"observedGeneration":1,"state":"Healthy","conditions":[{"type":"Ready","status":"True"}]}}`,
		`{"status":{"state":"ReconcileError","conditions":[{"type":"Reconciled","status":"False","reason":"ReconcileError","message":"version is end-of-life"}]}}`,
		`{"status":{"observedGeneration":"1","state":7,"conditions":{"type":"Ready"}}}`,
		`{"status":[],"metadata":{"generation":1.5}}`,
		`{"status":{"conditions":[null,7,{"type":["Ready"],"status":{}}]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		obj := &unstructured.Unstructured{}
		if json.Unmarshal(data, &obj.Object) != nil || obj.Object == nil {
			return
		}
		if read(obj).waiting() == "" {
			observed, _, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
			require.Equal(t, obj.GetGeneration(), observed)
		}
	})
}
