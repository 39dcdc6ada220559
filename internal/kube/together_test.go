package kube_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// lists returns where the objects of each kind were listed, "" for the whole cluster.
func lists(c *kubetest.Cluster) map[string][]string {
	where := map[string][]string{}
	c.React("list", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
		where[a.GetResource().Resource] = append(where[a.GetResource().Resource], a.GetNamespace())
		return false, nil, nil
	})
	return where
}

func TestLookTogether_TwoNamespaces_ReadsMostKindsOnceAndSecretsInEach(t *testing.T) {
	mine, theirs := named("mine"), named("theirs")
	theirs.Namespace = "istio-cni"
	c := namespace(mine, theirs)
	where := lists(c)
	w := writing(c, "run-1")
	w.LookTogether()
	for in, name := range map[string]string{"istio-system": "mine", "istio-cni": "theirs"} {
		got, err := w.Unmanaged(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, []string{"ConfigMap/" + name}, got.Objects)
	}
	require.Equal(t, []string{""}, where["pods"])
	require.Equal(t, []string{""}, where["serviceentries"])
	require.ElementsMatch(t, []string{"istio-system", "istio-cni"}, where["secrets"], "nobody else's")
}

func TestLookTogether_TheWholeClusterCannotBeRead_LooksIntoEachNamespace(t *testing.T) {
	forbidden := apierrors.NewForbidden(kinds.Pods.GroupResource(), "", errors.New("no"))
	for name, c := range map[string]struct {
		err   error
		tries int
	}{"it is forbidden": {forbidden, 1}, "one kind fails": {apierrors.NewInternalError(errors.New("conversion webhook failed")), 11}} {
		t.Run(name, func(t *testing.T) {
			in, tries := namespace(named("mine")), 0
			in.React("list", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
				if a.GetNamespace() != "" || a.GetResource().Resource == "namespaces" {
					return false, nil, nil
				}
				tries++
				return true, nil, c.err
			})
			w := writing(in, "run-1")
			w.LookTogether()
			for ns, want := range map[string][]string{"istio-system": {"ConfigMap/mine"}, "istio-cni": nil} {
				got, err := w.Unmanaged(t.Context(), ns)
				require.NoError(t, err)
				require.Equal(t, want, got.Objects)
			}
			require.Equal(t, c.tries, tries)
		})
	}
}

func TestLookTogether_TooManyForOneList_LooksIntoEachNamespace(t *testing.T) {
	c := namespace(named("mine"))
	c.React("list", "configmaps", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetNamespace() != "" {
			return false, nil, nil
		}
		first := &unstructured.UnstructuredList{}
		first.SetContinue("more")
		return true, first, nil
	})
	w := writing(c, "run-1")
	w.LookTogether()
	got, err := w.Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)
	require.Equal(t, []string{"ConfigMap/mine"}, got.Objects)
}
