package kube_test

import (
	"context"
	"errors"
	"testing"
	"time"

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

// writing returns a writer for the link east.west of the fleet prod.
func writing(c *kubetest.Cluster, run string) *kube.Writer {
	return &kube.Writer{Cluster: c.Cluster, Owner: kube.Owner{Fleet: "prod", Component: "egress-config", Link: "east.west", Run: run,
		Request: fleet.Request{Reason: "CHG-1", RequestedBy: "ann"}}}
}

// entry returns a ServiceEntry, which client-go has no type for.
func entry(host string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
		"metadata": map[string]any{"namespace": "istio-system", "name": "west"},
		"spec":     map[string]any{"hosts": []any{host}, "ports": []any{map[string]any{"number": int64(443), "name": "tls"}}}}}
}

// settings returns a ConfigMap, which client-go has a type for.
func settings(data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "settings"}, Data: data}
}

func live(t *testing.T, c *kubetest.Cluster, res kinds.Resource, name string) *unstructured.Unstructured {
	t.Helper()
	obj, err := c.Get(t.Context(), res, "istio-system", name)
	require.NoError(t, err)
	return obj
}

// somebodyElse changes the object with kubectl.
func somebodyElse(t *testing.T, c *kubetest.Cluster, res kinds.Resource, name string, change func(*unstructured.Unstructured)) {
	t.Helper()
	obj := live(t, c, res, name)
	change(obj)
	_, err := c.In(res, "istio-system").Update(t.Context(), obj, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
	require.NoError(t, err)
}

func setHost(host string) func(*unstructured.Unstructured) {
	return func(obj *unstructured.Unstructured) {
		_ = unstructured.SetNestedSlice(obj.Object, []any{host}, "spec", "hosts")
	}
}

func actions(w *kube.Writer) (out []fleet.Action) {
	for _, c := range w.Changes().All() {
		out = append(out, c.Action)
	}
	return out
}

func TestApply_NothingThere_MakesItWithOurLabels(t *testing.T) {
	c := kubetest.New("east")
	w := writing(c, "run-1")
	require.NoError(t, w.Apply(t.Context(), entry("west.test")))
	obj := live(t, c, kinds.ServiceEntries, "west")
	require.Equal(t, map[string]string{"landbridge.dev/fleet": "prod", "landbridge.dev/link": "east.west",
		"app.kubernetes.io/component": "egress-config", "app.kubernetes.io/managed-by": "landbridge"}, obj.GetLabels())
	require.Equal(t, "run-1", obj.GetAnnotations()[fleet.AnnotationRun])
	require.Equal(t, "CHG-1", obj.GetAnnotations()[fleet.AnnotationReason])
	require.Equal(t, "ann", obj.GetAnnotations()[fleet.AnnotationRequestedBy])
	require.Equal(t, kube.FieldManager, obj.GetManagedFields()[0].Manager)
	require.Equal(t, fleet.Changes{Changes: []fleet.Change{{Action: fleet.Create, Kind: "ServiceEntry", Namespace: "istio-system", Name: "west"}}}, w.Changes())
	require.True(t, w.Changes().Created())
}

func TestApply_Unchanged_WritesNothing(t *testing.T) {
	c := kubetest.New("east")
	require.NoError(t, writing(c, "run-1").Apply(t.Context(), entry("west.test")))
	require.NoError(t, writing(c, "run-1").Apply(t.Context(), settings(map[string]string{"a": "1"})))
	// What others add is theirs.
	somebodyElse(t, c, kinds.ServiceEntries, "west", func(obj *unstructured.Unstructured) {
		obj.SetLabels(map[string]string{"landbridge.dev/fleet": "prod", "landbridge.dev/link": "east.west", "app.kubernetes.io/component": "egress-config",
			"app.kubernetes.io/managed-by": "landbridge", "team": "network"})
	})
	somebodyElse(t, c, kinds.ConfigMaps, "settings", func(obj *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(obj.Object, "2", "data", "b")
	})
	was := len(c.Writes())
	w := writing(c, "run-2")
	require.NoError(t, w.Apply(t.Context(), entry("west.test")))
	require.NoError(t, w.Apply(t.Context(), settings(map[string]string{"a": "1"})))
	require.Equal(t, []fleet.Action{fleet.Keep, fleet.Keep}, actions(w))
	require.Len(t, c.Writes(), was)
}

func TestApply_TheFleetFileChanged_UpdatesAndKeepsWhoMadeIt(t *testing.T) {
	c := kubetest.New("east")
	require.NoError(t, writing(c, "run-1").Apply(t.Context(), settings(map[string]string{"a": "1", "b": "2"})))
	w := writing(c, "run-2")
	require.NoError(t, w.Apply(t.Context(), settings(map[string]string{"a": "3"})))
	require.Equal(t, []fleet.Change{{Action: fleet.Update, Kind: "ConfigMap", Namespace: "istio-system", Name: "settings", Note: "data.a differs"}}, w.Changes().All())
	require.False(t, w.Changes().Created())
	obj := live(t, c, kinds.ConfigMaps, "settings")
	data, _, _ := unstructured.NestedStringMap(obj.Object, "data")
	require.Equal(t, map[string]string{"a": "3"}, data, "what left the file leaves the object")
	require.Equal(t, "run-1", obj.GetAnnotations()[fleet.AnnotationRun], "run-2 must not undo it")

	// Only a field left: the objects look alike, the digest does not.
	w = writing(c, "run-3")
	require.NoError(t, w.Apply(t.Context(), settings(nil)))
	require.Equal(t, []fleet.Action{fleet.Update}, actions(w))
	_, found, _ := unstructured.NestedStringMap(live(t, c, kinds.ConfigMaps, "settings").Object, "data")
	require.False(t, found)
}

func TestApply_SomebodyElseChangedIt_IsDriftAndStays(t *testing.T) {
	c := kubetest.New("east")
	require.NoError(t, writing(c, "run-1").Apply(t.Context(), entry("west.test")))
	somebodyElse(t, c, kinds.ServiceEntries, "west", setHost("elsewhere.test"))
	was := len(c.Writes())

	var drift *kube.DriftError
	require.ErrorAs(t, writing(c, "run-2").Apply(t.Context(), entry("west.test")), &drift)
	require.Equal(t, "kubectl-edit", drift.By.With)
	require.WithinDuration(t, time.Now(), drift.By.At, time.Minute)
	drift.By.At = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	require.EqualError(t, drift, "ServiceEntry istio-system/west was changed by somebody else with kubectl-edit at 2026-11-30T12:00:00Z (spec.hosts[0]) and is left as it is; "+
		"`landbridge drift` shows it, `landbridge rollout --force-conflicts` puts it back")
	require.Len(t, c.Writes(), was)

	dry := writing(c, "run-2")
	dry.DryRun = true
	require.NoError(t, dry.Apply(t.Context(), entry("west.test")))
	require.True(t, dry.Changes().All()[0].Drift)
	require.Equal(t, "kubectl-edit", dry.Changes().All()[0].ChangedBy.With)
	require.Equal(t, []fleet.Field{{Path: "spec.hosts[0]", From: `"elsewhere.test"`, To: `"west.test"`}}, withoutAnnotations(dry.Changes().All()[0].Fields))
	require.Len(t, c.Writes(), was)

	forced := writing(c, "run-2")
	forced.ForceConflicts = true
	require.NoError(t, forced.Apply(t.Context(), entry("west.test")))
	require.True(t, forced.Changes().All()[0].Drift)
	hosts, _, _ := unstructured.NestedStringSlice(live(t, c, kinds.ServiceEntries, "west").Object, "spec", "hosts")
	require.Equal(t, []string{"west.test"}, hosts)
}

func withoutAnnotations(fields []fleet.Field) (out []fleet.Field) {
	for _, f := range fields {
		if len(f.Path) < 20 || f.Path[:20] != "metadata.annotations" {
			out = append(out, f)
		}
	}
	return out
}

// Where the file and somebody else changed the same field, Landbridge cannot tell by
// comparing; the API server can.
func TestApply_BothChangedIt_TheAPIServerNamesTheFieldAndWho(t *testing.T) {
	c := kubetest.New("east")
	require.NoError(t, writing(c, "run-1").Apply(t.Context(), settings(map[string]string{"a": "1"})))
	somebodyElse(t, c, kinds.ConfigMaps, "settings", func(obj *unstructured.Unstructured) {
		_ = unstructured.SetNestedField(obj.Object, "2", "data", "a")
	})
	var drift *kube.DriftError
	require.ErrorAs(t, writing(c, "run-2").Apply(t.Context(), settings(map[string]string{"a": "3"})), &drift)
	require.Regexp(t, `^data\.a: conflict with "kubectl-edit"`, drift.Fields)
	data, _, _ := unstructured.NestedStringMap(live(t, c, kinds.ConfigMaps, "settings").Object, "data")
	require.Equal(t, map[string]string{"a": "2"}, data)

	forced := writing(c, "run-2")
	forced.ForceConflicts = true
	require.NoError(t, forced.Apply(t.Context(), settings(map[string]string{"a": "3"})))
	data, _, _ = unstructured.NestedStringMap(live(t, c, kinds.ConfigMaps, "settings").Object, "data")
	require.Equal(t, map[string]string{"a": "3"}, data)
}

func TestApply_NotOurs_IsRefusedByWhoseItIs(t *testing.T) {
	for owner, want := range map[string]string{
		"":        "ConfigMap istio-system/settings exists already and was not made by Landbridge; rename or remove it, then try again",
		"staging": "ConfigMap istio-system/settings exists already and belongs to the fleet staging; rename or remove it, then try again",
	} {
		cm := settings(nil)
		cm.Labels = map[string]string{fleet.LabelFleet: owner}
		c := kubetest.New("east", cm)
		w := writing(c, "run-1")
		w.ForceConflicts = true // not even then
		err := w.Apply(t.Context(), settings(map[string]string{"a": "1"}))
		var notOurs *kube.NotOursError
		require.ErrorAs(t, err, &notOurs)
		require.Equal(t, owner, notOurs.Owner)
		require.EqualError(t, err, want)
		require.Empty(t, c.Writes())
		require.Empty(t, w.Changes().All())
	}
	clusterWide := &kube.NotOursError{Kind: "Namespace", Name: "istio-system"}
	require.ErrorContains(t, clusterWide, "Namespace istio-system exists already")
}

func TestApply_DryRun_ListsFieldsAndWritesNothing(t *testing.T) {
	c := kubetest.New("east")
	w := writing(c, "run-1")
	w.DryRun, w.Render = true, true
	w.Lock = func(context.Context) error { return errors.New("a dry run locks nothing") }
	require.NoError(t, w.Apply(t.Context(), settings(map[string]string{"a": "1"})))
	require.NoError(t, w.Apply(t.Context(), &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "token"}, Data: map[string][]byte{"token": []byte("very-secret")}}))
	require.Empty(t, c.Writes())
	plan := w.Changes().All()
	require.Equal(t, []fleet.Action{fleet.Create, fleet.Create}, actions(w))
	require.Contains(t, plan[0].Fields, fleet.Field{Path: "data.a", To: `"1"`})
	require.Equal(t, "east", plan[0].Cluster)
	require.Contains(t, plan[0].Manifest, "landbridge.dev/link: east.west")
	require.Empty(t, plan[1].Manifest, "what a Secret holds goes nowhere")
	require.Regexp(t, "^sha256:", plan[1].Fields[0].To)
}

func TestApply_LocksOnceBeforeTheFirstWrite(t *testing.T) {
	c := kubetest.New("east")
	w := writing(c, "run-1")
	locks, refuse := 0, errors.New("another run changes the cluster")
	w.Lock = func(context.Context) error { locks++; return refuse }
	require.ErrorIs(t, w.Apply(t.Context(), settings(map[string]string{"a": "1"})), refuse)
	require.Empty(t, c.Writes())
	require.Empty(t, w.Changes().All())

	refuse = nil
	require.NoError(t, w.Apply(t.Context(), settings(map[string]string{"a": "1"})))
	require.NoError(t, w.Apply(t.Context(), settings(map[string]string{"a": "2"})))
	require.NoError(t, w.Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""))
	require.Equal(t, 2, locks, "once in vain, and once")
}

func TestApply_WhatTheAPIServerRefuses_SaysWhatWasApplied(t *testing.T) {
	c := kubetest.New("east")
	c.React("patch", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(kinds.ConfigMaps.GroupResource(), "settings", errors.New("no"))
	})
	err := writing(c, "run-1").Apply(t.Context(), settings(nil))
	require.True(t, apierrors.IsForbidden(err))
	require.ErrorContains(t, err, "apply ConfigMap istio-system/settings: ")

	c.React("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewServiceUnavailable("busy")
	})
	require.True(t, apierrors.IsServiceUnavailable(writing(c, "run-1").Apply(t.Context(), settings(nil))))
}

func TestApply_AKindThatNobodyListed_IsAnError(t *testing.T) {
	w := writing(kubetest.New("east"), "run-1")
	require.ErrorContains(t, w.Apply(t.Context(), map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": "n"}}), "kind /v1, Kind=Node is not in internal/kinds")
	require.Error(t, w.Apply(t.Context(), func() {}), "it has no JSON")
	require.Error(t, w.Apply(t.Context(), "no object"))
}
