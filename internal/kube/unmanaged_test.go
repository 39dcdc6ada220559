package kube_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// namespace returns a cluster that serves a few kinds, with objects in istio-system.
func namespace(objects ...runtime.Object) *kubetest.Cluster {
	c := kubetest.New("east", objects...)
	all := metav1.Verbs{"get", "list"}
	c.Serve(&metav1.APIResourceList{GroupVersion: "v1", APIResources: []metav1.APIResource{
		{Name: "configmaps", Kind: "ConfigMap", Namespaced: true, Verbs: all},
		{Name: "pods", Kind: "Pod", Namespaced: true, Verbs: all},
		{Name: "services", Kind: "Service", Namespaced: true, Verbs: all},
		{Name: "bindings", Kind: "Binding", Namespaced: true, Verbs: metav1.Verbs{"create"}},
	}}, &metav1.APIResourceList{GroupVersion: "networking.istio.io/v1", APIResources: []metav1.APIResource{
		{Name: "serviceentries", Kind: "ServiceEntry", Namespaced: true, Verbs: all},
	}})
	return c
}

func named(name string) *corev1.ConfigMap {
	cm := settings(nil)
	cm.Name = name
	return cm
}

func TestUnmanaged_OnlyWhatAPersonMade(t *testing.T) {
	now := metav1.Now()
	going, child := named("going"), named("child")
	going.DeletionTimestamp, going.Finalizers = &now, []string{"x"}
	child.OwnerReferences = []metav1.OwnerReference{{Kind: "ConfigMap", Name: "theirs"}}
	elsewhere := named("elsewhere")
	elsewhere.Namespace = "default"
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "istio-system", Name: name} }
	c := namespace(named("kube-root-ca.crt"), named("istio-gateway-deployment-default"), named("istio-leader"), going, child, elsewhere,
		owned("ours", "east.west", "run-1"), &corev1.Pod{ObjectMeta: meta("a-pod")})
	w := writing(c, "run-1")
	got, err := w.Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)
	require.Empty(t, got)

	for _, obj := range []runtime.Object{named("theirs"), &corev1.Service{ObjectMeta: meta("httpbin")}, entry("west.test"), named("istio-leader-of-mine")} {
		c.Put(obj)
	}
	got, err = w.Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"ConfigMap/istio-leader-of-mine", "ConfigMap/theirs", "Service/httpbin", "ServiceEntry/west"}, got)
}

func TestUnmanaged_Many_AreCutOff(t *testing.T) {
	c := namespace(named("a"), named("b"), named("c"), named("d"), named("e"))
	got, err := writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)
	require.Equal(t, []string{"ConfigMap/a", "ConfigMap/b", "ConfigMap/c", "ConfigMap/d", "ConfigMap/e"}, got)
	c.Put(named("f"))
	got, err = writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)
	require.Equal(t, []string{"ConfigMap/a", "ConfigMap/b", "ConfigMap/c", "ConfigMap/d", "ConfigMap/e", "…"}, got)
}

func TestUnmanaged_WhatTheWorkerMayNotList_IsPassedOver(t *testing.T) {
	c := namespace(named("theirs"))
	refuse := func(err error) clienttesting.ReactionFunc {
		return func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, err }
	}
	c.React("list", "services", refuse(apierrors.NewForbidden(kinds.Services.GroupResource(), "", errors.New("no"))))
	c.React("list", "serviceentries", refuse(apierrors.NewNotFound(kinds.ServiceEntries.GroupResource(), "")))
	got, err := writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)
	require.Equal(t, []string{"ConfigMap/theirs"}, got)

	c.React("list", "serviceentries", refuse(apierrors.NewMethodNotSupported(schema.GroupResource{Resource: "serviceentries"}, "list")))
	_, err = writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)

	c.React("list", "services", refuse(apierrors.NewServiceUnavailable("busy")))
	_, err = writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
	require.ErrorContains(t, err, "list services in istio-system: ")
}
