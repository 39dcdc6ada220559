package kube_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// owned returns a ConfigMap that the link's step made in that run.
func owned(name, link, run string) *corev1.ConfigMap {
	cm := settings(nil)
	cm.Name = name
	cm.Labels = map[string]string{fleet.LabelFleet: "prod", fleet.LabelComponent: "egress-config", fleet.LabelLink: link}
	cm.Annotations = map[string]string{fleet.AnnotationRun: run}
	return cm
}

func names(t *testing.T, c *kubetest.Cluster) (out []string) {
	t.Helper()
	list, err := c.Client.CoreV1().ConfigMaps("istio-system").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, cm := range list.Items {
		out = append(out, cm.Name)
	}
	return out
}

func TestRemove_OnlyWhatIsTheOwners(t *testing.T) {
	theirs, otherFleet := owned("theirs", "east.west", "run-1"), owned("staging", "east.west", "run-1")
	theirs.Labels, otherFleet.Labels[fleet.LabelFleet] = nil, "staging"
	in := func() *kubetest.Cluster {
		return kubetest.New("east", owned("old", "east.west", "run-1"), owned("new", "east.west", "run-2"), owned("other-link", "east.north", "run-2"), theirs, otherFleet)
	}
	c := in()
	w := writing(c, "run-2")
	require.NoError(t, w.Remove(t.Context(), kinds.ConfigMaps, "istio-system", "run-2"))
	require.Equal(t, []string{"old", "other-link", "staging", "theirs"}, names(t, c), "an undo removes what its run made")
	require.Equal(t, []fleet.Change{{Action: fleet.Remove, Kind: "ConfigMap", Namespace: "istio-system", Name: "new"}}, w.Changes().All())

	c = in()
	require.NoError(t, writing(c, "run-2").Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""))
	require.Equal(t, []string{"other-link", "staging", "theirs"}, names(t, c), "a cleanup removes what any run made")

	c = in()
	whole := writing(c, "run-2")
	whole.Owner.Link, whole.Owner.Component = "", ""
	require.NoError(t, whole.Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""))
	require.Equal(t, []string{"staging", "theirs"}, names(t, c))
}

func TestRemove_DryRun_OnlyLists(t *testing.T) {
	c := kubetest.New("east", owned("old", "east.west", "run-1"))
	w := writing(c, "run-2")
	w.DryRun = true
	require.NoError(t, w.Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""))
	require.Equal(t, []fleet.Action{fleet.Remove}, actions(w))
	require.Empty(t, c.Writes())
}

func TestRemove_AKindThatTheClusterLacks_HasNoObjects(t *testing.T) {
	c := kubetest.New("east")
	c.React("list", "serviceentries", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewGenericServerResponse(404, "list", kinds.ServiceEntries.GroupResource(), "", "", 0, true)
	})
	w := writing(c, "run-1")
	require.NoError(t, w.Remove(t.Context(), kinds.ServiceEntries, "istio-system", ""))
	require.Empty(t, w.Changes().All())

	c.React("list", "serviceentries", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(kinds.ServiceEntries.GroupResource(), "", errors.New("no"))
	})
	err := w.Remove(t.Context(), kinds.ServiceEntries, "istio-system", "")
	require.True(t, apierrors.IsForbidden(err))
	require.ErrorContains(t, err, "list serviceentries: ")
}

func TestRemove_NotAllowedToWrite_RemovesNothing(t *testing.T) {
	c := kubetest.New("east", owned("old", "east.west", "run-1"))
	w := writing(c, "run-2")
	refused := errors.New("another run changes the cluster")
	w.Lock = func(context.Context) error { return refused }
	require.ErrorIs(t, w.Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""), refused)
	require.Empty(t, c.Writes())
}

func TestRemove_AFinalizerHoldsIt_WaitsUntilItIsGone(t *testing.T) {
	held := owned("old", "east.west", "run-1")
	held.Finalizers = []string{"cloud"}
	c := kubetest.New("east", held)
	go func() {
		for ; t.Context().Err() == nil; time.Sleep(10 * time.Millisecond) {
			cm, err := c.Client.CoreV1().ConfigMaps("istio-system").Get(t.Context(), "old", metav1.GetOptions{})
			if err == nil && cm.DeletionTimestamp != nil { // written before that, it would undo the deletion
				cm.Finalizers = nil
				_, _ = c.Client.CoreV1().ConfigMaps("istio-system").Update(t.Context(), cm, metav1.UpdateOptions{})
				return
			}
		}
	}()
	require.NoError(t, writing(c, "run-1").Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""))
	require.Empty(t, names(t, c))
}

// The message says what keeps an object, for none, one and many finalizers; of a
// namespace Kubernetes itself knows it.
func TestWaitGone_SaysWhatKeepsIt(t *testing.T) {
	now := metav1.Now()
	for want, c := range map[string]struct {
		res kinds.Resource
		obj func(m metav1.ObjectMeta) runtime.Object
		by  []string
	}{
		"ConfigMap istio-system/x is still being deleted":                                    {kinds.ConfigMaps, aConfigMap, nil},
		"ConfigMap istio-system/x is still being deleted, held by the finalizer a":           {kinds.ConfigMaps, aConfigMap, []string{"a"}},
		"ConfigMap istio-system/x is still being deleted, held by the finalizers a, b and c": {kinds.ConfigMaps, aConfigMap, []string{"a", "b", "c"}},
		"Namespace x is still being deleted":                                                 {kinds.Namespaces, aNamespace(nil), nil},
		"Namespace x is still being deleted: NamespaceDeletionDiscoveryFailure: Discovery failed for some groups, 1 failing: a.b/v1 " +
			"(it goes by itself once that API answers or its APIService is removed; `kubectl get apiservices` lists them)": {kinds.Namespaces, aNamespace(conditions{corev1.NamespaceDeletionDiscoveryFailure: "Discovery failed for some groups, 1 failing: a.b/v1"}), nil},
		"Namespace x is still being deleted: NamespaceDeletionGroupVersionParsingFailure: no version":  {kinds.Namespaces, aNamespace(conditions{corev1.NamespaceDeletionGVParsingFailure: "no version"}), nil},
		"Namespace x is still being deleted: NamespaceDeletionContentFailure: a webhook failed":        {kinds.Namespaces, aNamespace(conditions{corev1.NamespaceDeletionContentFailure: "a webhook failed"}), nil},
		"Namespace x is still being deleted: NamespaceContentRemaining: pods. has 1 resource instance": {kinds.Namespaces, aNamespace(conditions{corev1.NamespaceContentRemaining: "pods. has 1 resource instance"}), nil},
		"Namespace x is still being deleted: NamespaceFinalizersRemaining: x in 1 resource instance":   {kinds.Namespaces, aNamespace(conditions{corev1.NamespaceFinalizersRemaining: "x in 1 resource instance."}), nil},
	} {
		meta := metav1.ObjectMeta{Name: "x", UID: "1", DeletionTimestamp: &now, Finalizers: c.by}
		if c.res == kinds.ConfigMaps {
			meta.Namespace = "istio-system"
		}
		in := kubetest.New("east", c.obj(meta))
		obj, err := in.Get(t.Context(), c.res, meta.Namespace, "x")
		require.NoError(t, err)
		said := waitsFor(t, 50*time.Millisecond, func(ctx context.Context) error { return writing(in, "run-1").WaitGone(ctx, c.res, obj) })
		require.Equal(t, want, said)
	}
}

// waitsFor returns what a wait that does not end says it waits for. It gets more time where the
// machine was too slow for a single look.
func waitsFor(t *testing.T, limit time.Duration, wait func(context.Context) error) string {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		err := wait(ctx)
		cancel()
		var notReady *kube.NotReadyError
		if !errors.As(err, &notReady) && limit < time.Minute {
			limit *= 4
			continue
		}
		require.ErrorAs(t, err, &notReady)
		return notReady.Waiting
	}
}

func aConfigMap(m metav1.ObjectMeta) runtime.Object { return &corev1.ConfigMap{ObjectMeta: m} }

// conditions has the messages of those that a namespace has.
type conditions map[corev1.NamespaceConditionType]string

// aNamespace returns a namespace with all the conditions that Kubernetes sets on one
// that is being deleted: those that are not given are good.
func aNamespace(failing conditions) func(metav1.ObjectMeta) runtime.Object {
	return func(m metav1.ObjectMeta) runtime.Object {
		ns := &corev1.Namespace{ObjectMeta: m}
		for _, typ := range []corev1.NamespaceConditionType{corev1.NamespaceDeletionDiscoveryFailure, corev1.NamespaceDeletionGVParsingFailure,
			corev1.NamespaceDeletionContentFailure, corev1.NamespaceContentRemaining, corev1.NamespaceFinalizersRemaining} {
			c := corev1.NamespaceCondition{Type: typ, Status: corev1.ConditionFalse, Message: "All is well"}
			if message, ok := failing[typ]; ok {
				c.Status, c.Message = corev1.ConditionTrue, message
			}
			ns.Status.Conditions = append(ns.Status.Conditions, c)
		}
		return ns
	}
}

// Where Kubernetes itself fails to empty a namespace, nobody waits for hours; content
// that may yet go is waited for.
func TestWaitNamespacesGone_KubernetesFailsToEmptyOne_EndsEarly(t *testing.T) {
	now := metav1.Now()
	going := func(name string, failing conditions) runtime.Object {
		return aNamespace(failing)(metav1.ObjectMeta{Name: name, UID: types.UID(name), DeletionTimestamp: &now, Finalizers: []string{"kubernetes"}})
	}
	for typ, early := range map[corev1.NamespaceConditionType]bool{
		corev1.NamespaceDeletionDiscoveryFailure: true, corev1.NamespaceDeletionGVParsingFailure: true, corev1.NamespaceDeletionContentFailure: true,
		corev1.NamespaceContentRemaining: false, corev1.NamespaceFinalizersRemaining: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := kubetest.New("east", going("istio-system", conditions{typ: "in Kubernetes' words"}), going("istio-cni", conditions{corev1.NamespaceContentRemaining: "pods"}))
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			began := time.Now()
			var objs []*unstructured.Unstructured
			for _, name := range []string{"istio-system", "istio-cni"} {
				obj, err := c.Get(ctx, kinds.Namespaces, "", name)
				require.NoError(t, err)
				objs = append(objs, obj)
			}
			err := writing(c, "run-1").WaitNamespacesGone(ctx, objs...)
			require.ErrorContains(t, err, "Namespace istio-system is still being deleted, held by the finalizer kubernetes: "+string(typ)+": in Kubernetes' words")
			var dead *kube.DeadEndError
			var notReady *kube.NotReadyError
			if early {
				require.ErrorAs(t, err, &dead)
				require.ErrorContains(t, err, "; clean up again after that")
				require.Less(t, time.Since(began), 2*time.Minute)
				require.GreaterOrEqual(t, time.Since(began), time.Minute, "a backend that restarts is waited for")
			} else {
				require.ErrorAs(t, err, &notReady)
				require.ErrorContains(t, err, "Namespace istio-cni is still being deleted", "all that are left are named")
			}
		})
	}
}

func TestDelete_AnotherObjectTookTheName_StaysAndIsDone(t *testing.T) {
	another := owned("cm", "east.west", "run-1")
	another.UID = "another"
	for name, c := range map[string]*kubetest.Cluster{"another has the name": kubetest.New("east", another), "nothing has it": kubetest.New("east")} {
		ours := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
		ours.SetNamespace("istio-system")
		ours.SetName("cm")
		ours.SetUID(types.UID("ours"))
		was := len(names(t, c))
		require.NoError(t, writing(c, "run-1").Delete(t.Context(), kinds.ConfigMaps, ours), name)
		require.NoError(t, writing(c, "run-1").WaitGone(t.Context(), kinds.ConfigMaps, ours), name)
		require.Len(t, names(t, c), was, name)
	}
}

// An API server answers with a conflict too where somebody writes at the same time.
func TestDelete_MeetsAConflict_AndItIsStillThere_MustBeTriedAgain(t *testing.T) {
	c := kubetest.New("east", owned("cm", "east.west", "run-1"))
	c.React("delete", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewConflict(kinds.ConfigMaps.GroupResource(), "cm", nil)
	})
	err := writing(c, "run-1").Delete(t.Context(), kinds.ConfigMaps, live(t, c, kinds.ConfigMaps, "cm"))
	require.True(t, apierrors.IsConflict(err), "%v", err)
	require.ErrorContains(t, err, "delete ConfigMap istio-system/cm: ")
}

func TestDelete_IsUnderWay_AsksNotAgain(t *testing.T) {
	held := owned("cm", "east.west", "run-1")
	now := metav1.Now()
	held.DeletionTimestamp, held.Finalizers = &now, []string{"cloud"}
	c := kubetest.New("east", held)
	w := writing(c, "run-1")
	require.NoError(t, w.Delete(t.Context(), kinds.ConfigMaps, live(t, c, kinds.ConfigMaps, "cm")))
	require.Empty(t, c.Writes())
	require.Equal(t, []fleet.Action{fleet.Remove}, actions(w))
}
