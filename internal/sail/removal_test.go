package sail_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
	"github.com/landbridge/landbridge/internal/sail"
)

func revisionOf(owner string, namespace string) *unstructured.Unstructured {
	rev := resource(kinds.IstioRevisions, "prod", 2, "Healthy", good...)
	yes := true
	rev.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "sailoperator.io/v1", Kind: "Istio", Name: "prod", UID: types.UID(owner), Controller: &yes}})
	rev.SetFinalizers([]string{"sailoperator.io/sail-operator"})
	_ = unstructured.SetNestedField(rev.Object, namespace, "spec", "namespace")
	return rev
}

// Whoever deleted Istio, and in whatever order its objects go: as long as a revision is
// there, the operator has not uninstalled istiod.
func TestWaitUninstalled_WaitsForTheRevision(t *testing.T) {
	istio := func(going bool) *unstructured.Unstructured {
		o := resource(kinds.Istios, "prod", 2, "Healthy", good...)
		o.SetUID("istio")
		if going {
			now := metav1.Now()
			o.SetDeletionTimestamp(&now)
			o.SetFinalizers([]string{metav1.FinalizerDeleteDependents})
		}
		return o
	}
	for name, c := range map[string]struct {
		objects []*unstructured.Unstructured
		waits   bool
	}{
		"nothing is there":             {nil, false},
		"Istio goes in the foreground": {[]*unstructured.Unstructured{istio(true), revisionOf("istio", "istio-system")}, true},
		"Istio is gone":                {[]*unstructured.Unstructured{revisionOf("istio", "istio-system")}, true},
		"another one has its name":     {[]*unstructured.Unstructured{istio(false), revisionOf("before", "istio-system")}, true},
		"Istio stays":                  {[]*unstructured.Unstructured{istio(false), revisionOf("istio", "istio-system")}, false},
		"of another namespace":         {[]*unstructured.Unstructured{revisionOf("istio", "other")}, false},
		"Istio alone":                  {[]*unstructured.Unstructured{istio(true)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := kubetest.New("west")
			for _, o := range c.objects {
				w.Put(o)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			err := sail.WaitUninstalled(ctx, w.Cluster, "istio-system")
			if !c.waits {
				require.NoError(t, err)
				return
			}
			var notReady *kube.NotReadyError
			require.ErrorAs(t, err, &notReady)
			require.EqualError(t, err, "IstioRevision prod is still being deleted, held by the finalizer sailoperator.io/sail-operator")
		})
	}
}
