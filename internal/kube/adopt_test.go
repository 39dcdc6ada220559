package kube_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

const original = "original-configmap-settings"

// byHand returns what a person made, under the name of one of Landbridge's own.
func byHand() *corev1.ConfigMap {
	cm := settings(map[string]string{"a": "by hand", "b": "by hand"})
	cm.Labels, cm.Annotations = map[string]string{"team": "mesh", fleet.LabelManagedBy: "kustomize"}, map[string]string{"note": "of a person"}
	return cm
}

// adopting returns a writer that may adopt.
func adopting(c *kubetest.Cluster, run string) *kube.Writer {
	w := writing(c, run)
	w.Adopt = true
	return w
}

func is(t *testing.T, c *kubetest.Cluster) (data, labels, annotations map[string]string) {
	t.Helper()
	obj := live(t, c, kinds.ConfigMaps, "settings")
	data, _, _ = unstructured.NestedStringMap(obj.Object, "data")
	return data, obj.GetLabels(), obj.GetAnnotations()
}

func requireByHand(t *testing.T, c *kubetest.Cluster) {
	t.Helper()
	data, labels, annotations := is(t, c)
	require.Equal(t, byHand().Data, data)
	require.Equal(t, byHand().Labels, labels)
	require.Equal(t, byHand().Annotations, annotations)
	_, err := c.Client.CoreV1().Secrets(fleet.SystemNamespace).Get(t.Context(), original, metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "what it was is known no more: %v", err)
}

func TestAdopt_WhatAPersonMade_IsTheFleets_AndGivenBackAsItWas(t *testing.T) {
	for _, onlyRun := range []string{"run-1", ""} { // an undo, a cleanup
		c := kubetest.New("east", byHand())
		w := adopting(c, "run-1")
		require.NoError(t, w.Apply(t.Context(), settings(map[string]string{"a": "1"})))
		require.Equal(t, []fleet.Action{fleet.Adopt}, actions(w))
		data, labels, annotations := is(t, c)
		require.Equal(t, "1", data["a"])
		require.Equal(t, "prod", labels[fleet.LabelFleet])
		require.Equal(t, original, annotations[fleet.AnnotationOriginal])

		again := adopting(c, "run-2")
		require.NoError(t, again.Apply(t.Context(), settings(map[string]string{"a": "1"})))
		require.Equal(t, []fleet.Action{fleet.Keep}, actions(again), "it is adopted once")
		require.NoError(t, again.Apply(t.Context(), settings(map[string]string{"a": "2"})))
		_, _, annotations = is(t, c)
		require.Equal(t, original, annotations[fleet.AnnotationOriginal], "a change keeps what it was")

		require.NoError(t, writing(c, "run-9").Remove(t.Context(), kinds.ConfigMaps, "istio-system", "run-2"))
		data, _, _ = is(t, c)
		require.Equal(t, "2", data["a"], "another run's undo leaves it alone")
		removing := writing(c, "run-3")
		require.NoError(t, removing.Remove(t.Context(), kinds.ConfigMaps, "istio-system", onlyRun))
		require.Equal(t, []fleet.Change{{Action: fleet.Update, Kind: "ConfigMap", Namespace: "istio-system", Name: "settings", Note: kube.NoteGivenBack}}, removing.Changes().All())
		requireByHand(t, c)
	}
}

// A crash after each write of the way back leaves what the next try ends.
func TestGiveBack_CutOffAfterEachWrite_GoesOn(t *testing.T) {
	for at := 1; at <= 3; at++ {
		c := kubetest.New("east", byHand())
		require.NoError(t, adopting(c, "run-1").Apply(t.Context(), settings(map[string]string{"a": "1"})))
		writes, cut := 0, errors.New("the worker died")
		for _, on := range [][2]string{{"patch", "configmaps"}, {"delete", "secrets"}} {
			c.React(on[0], on[1], func(clienttesting.Action) (bool, runtime.Object, error) {
				writes++
				return writes == at, nil, cut
			})
		}
		require.ErrorIs(t, writing(c, "run-2").Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""), cut)
		require.NoError(t, writing(c, "run-2").Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""))
		data, labels, annotations := is(t, c)
		require.Equal(t, byHand().Data, data, "cut at write %d", at)
		require.Equal(t, "mesh", labels["team"])
		require.Empty(t, labels[fleet.LabelFleet])
		require.Equal(t, byHand().Annotations, annotations)
		if at < 3 {
			requireByHand(t, c)
		}
	}
}

func TestAdopt_DryRun_ShowsFieldsAndWritesNothing(t *testing.T) {
	c := kubetest.New("east", byHand())
	w := adopting(c, "run-1")
	w.DryRun = true
	require.NoError(t, w.Apply(t.Context(), settings(map[string]string{"a": "1"})))
	require.Empty(t, c.Writes())
	plan := w.Changes().All()
	require.Equal(t, fleet.Adopt, plan[0].Action)
	require.Contains(t, plan[0].Fields, fleet.Field{Path: "data.a", From: `"by hand"`, To: `"1"`})
}

func TestAdopt_OfAnotherFleet_IsRefused(t *testing.T) {
	cm := byHand()
	cm.Labels[fleet.LabelFleet] = "staging"
	c := kubetest.New("east", cm)
	var notOurs *kube.NotOursError
	require.ErrorAs(t, adopting(c, "run-1").Apply(t.Context(), settings(nil)), &notOurs)
	require.Empty(t, c.Writes())
}

// Whoever deleted the Secret with what it was must not lose the object too.
func TestGiveBack_NobodyKnowsWhatItWas_StaysAsItIsWithoutMarks(t *testing.T) {
	c := kubetest.New("east", byHand())
	require.NoError(t, adopting(c, "run-1").Apply(t.Context(), settings(map[string]string{"a": "1"})))
	require.NoError(t, c.Client.CoreV1().Secrets(fleet.SystemNamespace).Delete(t.Context(), original, metav1.DeleteOptions{}))
	require.NoError(t, writing(c, "run-2").Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""))
	data, labels, annotations := is(t, c)
	require.Equal(t, "1", data["a"])
	require.Equal(t, map[string]string{"team": "mesh"}, labels)
	require.Equal(t, byHand().Annotations, annotations)
}
