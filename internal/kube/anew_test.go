package kube_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

func binding(role string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: "reader"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}}
}

func secretOf(typ corev1.SecretType) *corev1.Secret {
	return &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "s"}, Type: typ}
}

func TestApply_WhatCannotBeChangedInPlace_IsMadeAnew_AndAPlanSaysSo(t *testing.T) {
	sealed := true
	for field, c := range map[string]struct {
		res       kinds.Resource
		was, want any
		name      string
		immutable bool
	}{
		"roleRef": {kinds.ClusterRoleBindings, binding("of-1-24"), binding("of-1-26"), "reader", false},
		"type":    {kinds.Secrets, secretOf("Opaque"), secretOf("kubernetes.io/tls"), "s", false},
		"data":    {kinds.ConfigMaps, settings(map[string]string{"a": "1"}), settings(map[string]string{"a": "2"}), "settings", true},
	} {
		east, namespace := kubetest.New("east"), "istio-system"
		if c.res == kinds.ClusterRoleBindings {
			namespace = ""
		}
		require.NoError(t, writing(east, "run-1").Apply(t.Context(), c.was))
		before, err := east.Get(t.Context(), c.res, namespace, c.name)
		require.NoError(t, err)
		if c.immutable {
			before.Object["immutable"] = sealed
			east.Admit(before)
		}
		dry := writing(east, "run-2")
		dry.DryRun = true
		writes := len(east.Writes())
		require.NoError(t, dry.Apply(t.Context(), c.want))
		require.Equal(t, "made anew: "+field+" cannot be changed in place", dry.Changes().All()[0].Note)
		require.Len(t, east.Writes(), writes)

		w := writing(east, "run-2")
		require.NoError(t, w.Apply(t.Context(), c.want))
		require.Equal(t, []fleet.Action{fleet.Update}, actions(w))
		after, err := east.Get(t.Context(), c.res, namespace, c.name)
		require.NoError(t, err)
		require.NotEqual(t, before.GetUID(), after.GetUID(), field)
		require.Equal(t, "run-1", after.GetAnnotations()[fleet.AnnotationRun], "run-2 must not undo it")
		w = writing(east, "run-3")
		require.NoError(t, w.Apply(t.Context(), c.want))
		require.Equal(t, []fleet.Action{fleet.Keep}, actions(w))
	}
}

func TestFixed_OnlyWhatIsWantedInAnotherWay(t *testing.T) {
	deployment := func(app string) map[string]any {
		return map[string]any{"spec": map[string]any{"selector": map[string]any{"matchLabels": map[string]any{"app": app}}, "replicas": 1}}
	}
	require.Equal(t, "spec.selector", kube.Fixed("Deployment", deployment("a"), deployment("b")))
	require.Empty(t, kube.Fixed("Deployment", deployment("a"), deployment("a")))
	service := func(ip string) map[string]any { return map[string]any{"spec": map[string]any{"clusterIP": ip}} }
	require.Empty(t, kube.Fixed("Service", service("10.0.0.1"), map[string]any{"spec": map[string]any{}}), "the API server chose it")
	require.Equal(t, "spec.clusterIP", kube.Fixed("Service", service("10.0.0.1"), service("None")))
}
