package kube_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// full are the verbs of a kind whose objects people make and remove.
var full = metav1.Verbs{"create", "delete", "get", "list"}

func servedKind(name, kind string, verbs metav1.Verbs) metav1.APIResource {
	return metav1.APIResource{Name: name, Kind: kind, Namespaced: true, Verbs: verbs}
}

// namespace returns a cluster that serves many kinds, with Kubernetes' own namespaces,
// those of the fleet, and the given objects.
func namespace(objects ...runtime.Object) *kubetest.Cluster {
	c := kubetest.New("east", objects...)
	c.Serve(
		&metav1.APIResourceList{GroupVersion: "v1", APIResources: []metav1.APIResource{
			servedKind("configmaps", "ConfigMap", full), servedKind("secrets", "Secret", full), servedKind("pods", "Pod", full), servedKind("services", "Service", full),
			servedKind("serviceaccounts", "ServiceAccount", full), servedKind("persistentvolumeclaims", "PersistentVolumeClaim", full), servedKind("events", "Event", full),
			servedKind("bindings", "Binding", metav1.Verbs{"create"})}},
		&metav1.APIResourceList{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{servedKind("deployments", "Deployment", full), servedKind("statefulsets", "StatefulSet", full)}},
		&metav1.APIResourceList{GroupVersion: "networking.k8s.io/v1", APIResources: []metav1.APIResource{servedKind("networkpolicies", "NetworkPolicy", full)}},
		&metav1.APIResourceList{GroupVersion: "rbac.authorization.k8s.io/v1", APIResources: []metav1.APIResource{servedKind("rolebindings", "RoleBinding", full)}},
		&metav1.APIResourceList{GroupVersion: "networking.istio.io/v1", APIResources: []metav1.APIResource{servedKind("serviceentries", "ServiceEntry", full)}},
		&metav1.APIResourceList{GroupVersion: "operators.coreos.com/v1alpha1", APIResources: []metav1.APIResource{servedKind("clusterserviceversions", "ClusterServiceVersion", full)}},
		&metav1.APIResourceList{GroupVersion: "packages.operators.coreos.com/v1", APIResources: []metav1.APIResource{servedKind("packagemanifests", "PackageManifest", metav1.Verbs{"get", "list"})}})
	for _, name := range []string{"default", "kube-public", "kube-node-lease", "kube-system", "istio-system", "istio-cni", "landbridge-system"} {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if strings.Contains(name, "istio") || strings.Contains(name, "landbridge") {
			ns.Labels = map[string]string{fleet.LabelFleet: "prod"}
		}
		c.Put(ns)
	}
	return c
}

// written puts an object into namespaces, as that field manager writes it.
func written(t *testing.T, c *kubetest.Cluster, by string, obj runtime.Object, namespaces ...string) {
	t.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	require.NoError(t, err)
	u := &unstructured.Unstructured{Object: fields}
	if u.GetKind() == "" {
		gvks, _, err := clientscheme.Scheme.ObjectKinds(obj)
		require.NoError(t, err)
		u.SetGroupVersionKind(gvks[0])
	}
	res := schema.GroupVersionResource{Group: u.GroupVersionKind().Group, Version: u.GroupVersionKind().Version, Resource: strings.ToLower(u.GetKind()) + "s"}
	res.Resource = strings.Replace(strings.Replace(res.Resource, "policys", "policies", 1), "entrys", "entries", 1)
	for _, ns := range namespaces {
		o := u.DeepCopy()
		o.SetNamespace(ns)
		o.SetName(strings.ReplaceAll(o.GetName(), "NAMESPACE", ns))
		if by != "" { // who writes no field is not remembered
			o.SetAnnotations(map[string]string{"note": "written"})
		}
		_, err := c.Dynamic.Resource(res).Namespace(ns).Create(t.Context(), o, metav1.CreateOptions{FieldManager: by})
		require.NoError(t, err)
	}
}

func named(name string) *corev1.ConfigMap {
	cm := settings(nil)
	cm.Name = name
	return cm
}

func called(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

func serviceVersion(name string, labels map[string]string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "operators.coreos.com/v1alpha1", "kind": "ClusterServiceVersion"}}
	u.SetName(name)
	u.SetLabels(labels)
	return u
}

// peoplesThings has one of each that people make.
func peoplesThings() map[string]runtime.Object {
	return map[string]runtime.Object{
		"ConfigMap/thing": &corev1.ConfigMap{ObjectMeta: called("thing")}, "Secret/thing": &corev1.Secret{ObjectMeta: called("thing")}, "Pod/thing": &corev1.Pod{ObjectMeta: called("thing")},
		"Service/thing": &corev1.Service{ObjectMeta: called("thing")}, "ServiceAccount/thing": &corev1.ServiceAccount{ObjectMeta: called("thing")},
		"PersistentVolumeClaim/thing": &corev1.PersistentVolumeClaim{ObjectMeta: called("thing")}, "Deployment/thing": &appsv1.Deployment{ObjectMeta: called("thing")},
		"StatefulSet/thing": &appsv1.StatefulSet{ObjectMeta: called("thing")}, "NetworkPolicy/thing": &networkingv1.NetworkPolicy{ObjectMeta: called("thing")},
		"RoleBinding/thing": &rbacv1.RoleBinding{ObjectMeta: called("thing")}, "ServiceEntry/west": entry("west.test"),
		"ClusterServiceVersion/thing": serviceVersion("thing", nil), "ConfigMap/istio-leader-of-mine": &corev1.ConfigMap{ObjectMeta: called("istio-leader-of-mine")},
		// A platform's name on another kind, or OLM's mark on what OLM does not copy, is nothing special.
		"Secret/kube-root-ca.crt": &corev1.Secret{ObjectMeta: called("kube-root-ca.crt")},
		"ConfigMap/marked":        &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "marked", Labels: map[string]string{"olm.copiedFrom": "x"}}},
	}
}

// Whatever a person made is seen, with whatever tool, even where the same is in other
// namespaces; so is an object of an unknown program, unless it is everywhere.
func TestUnmanaged_WhatPeopleMake_IsAlwaysSeen(t *testing.T) {
	for by, elsewhere := range map[string][]string{
		"kubectl-create":               {"default", "istio-cni", "landbridge-system", "kube-public"},
		"kubectl-client-side-apply":    nil,
		"argocd-controller":            {"default", "istio-cni"},
		"helm":                         {"default", "istio-cni", "landbridge-system"},
		"HashiCorp":                    {"default", "istio-cni"},
		"Mozilla":                      {"kube-node-lease"},
		"a-program":                    nil,
		"the-same-program-elsewhere":   {"default"},
		"the-same-program-in-their-ns": {"kube-system", "shop", "shop-test"},
		"":                             {"default", "istio-cni"},
	} {
		c := namespace()
		var want []string
		for name, obj := range peoplesThings() {
			written(t, c, by, obj, append([]string{"istio-system"}, elsewhere...)...)
			if by != "" {
				name += " (written by " + by + ")"
			}
			want = append(want, name)
		}
		got, err := writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
		require.NoError(t, err)
		for i, o := range got.Objects {
			got.Objects[i] = strings.TrimSuffix(o, " (written by unknown)")
		}
		require.ElementsMatch(t, want, got.Objects, by)
		require.Contains(t, got.Error("istio-system"), "namespace istio-system stays, since it holds what Landbridge did not make: ")
		require.Contains(t, got.Error("istio-system"), fmt.Sprintf(" and %d more; move that away and clean up again, or delete the namespace yourself", len(want)-5))
	}
}

// platforms has what each kind of platform puts into namespaces: the object, who
// writes it, and where else it is.
var platforms = map[string]struct {
	obj       runtime.Object
	by        string
	elsewhere []string
}{
	"Kubernetes' root":                      {&corev1.ConfigMap{ObjectMeta: called("kube-root-ca.crt")}, "kube-controller-manager", nil},
	"Kubernetes' account":                   {&corev1.ServiceAccount{ObjectMeta: called("default")}, "kubectl-patch", nil},
	"an old token":                          {&corev1.Secret{ObjectMeta: called("default-token-x7v9k")}, "kube-controller-manager", nil},
	"Istio's root":                          {&corev1.ConfigMap{ObjectMeta: called("istio-ca-root-cert")}, "pilot-discovery", nil},
	"Istio's lock":                          {&corev1.ConfigMap{ObjectMeta: called("istio-gateway-deployment-default")}, "pilot-discovery", nil},
	"OpenShift's pull secret":               {&corev1.Secret{ObjectMeta: called("builder-dockercfg-x7v9k")}, "openshift-controller-manager", nil},
	"OpenShift's binding":                   {&rbacv1.RoleBinding{ObjectMeta: called("system:image-pullers")}, "openshift-controller-manager", nil},
	"OLM's copy":                            {serviceVersion("servicemeshoperator3.v3.1.0", map[string]string{"olm.copiedFrom": "openshift-operators"}), "olm", nil},
	"OLM's copy, made by hand":              {serviceVersion("servicemeshoperator3.v3.1.0", map[string]string{"olm.copiedFrom": "openshift-operators"}), "kubectl-create", nil},
	"a copy by the hierarchical controller": {&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "pull", Labels: map[string]string{"hnc.x-k8s.io/inherited-from": "root"}}}, "manager", nil},
	"a bundle with an owner in no namespace": {&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "bundle", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "trust.cert-manager.io/v1alpha1", Kind: "Bundle", Name: "bundle", UID: "1"}}}}, "trust-manager", nil},
	"what is in Kubernetes' own namespaces":          {serviceVersion("of-everywhere", nil), "inventor", []string{"kube-public"}},
	"the same without a word who wrote it":           {serviceVersion("of-everywhere", nil), "", []string{"kube-node-lease"}},
	"a policy engine that leaves Kubernetes' out":    {&networkingv1.NetworkPolicy{ObjectMeta: called("default-deny")}, "background-controller", []string{"default", "istio-cni", "landbridge-system"}},
	"a policy engine in the fleet's namespaces only": {&networkingv1.NetworkPolicy{ObjectMeta: called("default-deny")}, "background-controller", []string{"istio-cni", "landbridge-system"}},
	"a name with the namespace in it":                {&corev1.ConfigMap{ObjectMeta: called("NAMESPACE-settings")}, "tenancy", []string{"default", "istio-cni"}},
	"a name with a random end":                       {&corev1.Secret{ObjectMeta: called("registry-x7v9k")}, "cloud", []string{"kube-public"}},
	"a generated name":                               {&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "registry-abcde", GenerateName: "registry-"}}, "cloud", []string{"kube-public"}},
}

func TestUnmanaged_WhatPlatformsPutIntoNamespaces_IsTheirs(t *testing.T) {
	for name, p := range platforms {
		c := namespace()
		written(t, c, p.by, p.obj, append([]string{"istio-system"}, p.elsewhere...)...)
		got, err := writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
		require.NoError(t, err, name)
		require.Equal(t, kube.Unmanaged{}, got, name)
		require.Empty(t, got.Error("istio-system"))
	}
}

// The last of the fleet's namespaces has only default to be compared with.
func TestUnmanaged_NoOtherNamespaceOfTheFleetIsLeft_DefaultAloneServes(t *testing.T) {
	c := namespace()
	for _, ns := range []string{"istio-system", "istio-cni"} {
		require.NoError(t, c.Client.CoreV1().Namespaces().Delete(t.Context(), ns, metav1.DeleteOptions{}))
	}
	written(t, c, "policy-engine", &networkingv1.NetworkPolicy{ObjectMeta: called("default-deny")}, "landbridge-system", "default")
	written(t, c, "kubectl-create", named("notes"), "landbridge-system", "default")
	got, err := writing(c, "run-1").Unmanaged(t.Context(), "landbridge-system")
	require.NoError(t, err)
	require.Equal(t, []string{"ConfigMap/notes (written by kubectl-create)"}, got.Objects)
}

func TestUnmanaged_OursAndWhatPasses_IsNotSeen(t *testing.T) {
	now := metav1.Now()
	going, child := named("going"), named("child")
	going.DeletionTimestamp, going.Finalizers = &now, []string{"x"}
	child.OwnerReferences = []metav1.OwnerReference{{Kind: "ConfigMap", Name: "theirs"}}
	elsewhere := named("elsewhere")
	elsewhere.Namespace = "default"
	c := namespace(going, child, elsewhere, owned("ours", "east.west", "run-1"), &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "e"}})
	got, err := writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)
	require.Equal(t, kube.Unmanaged{}, got)
}

func TestUnmanaged_Many_AreCutOff(t *testing.T) {
	c := namespace(named("a"), named("b"), named("c"), named("d"), named("e"))
	got, err := writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)
	require.Contains(t, got.Error("x"), "ConfigMap/a, ConfigMap/b, ConfigMap/c, ConfigMap/d, ConfigMap/e; move")
	c.Put(named("f"))
	got, err = writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
	require.NoError(t, err)
	require.Contains(t, got.Error("x"), "ConfigMap/e and 1 more; move")
}

// What cannot be looked into is named, and the namespace stays; what went meanwhile,
// and an API that nobody answers for, is Kubernetes' concern.
func TestUnmanaged_AKindCannotBeListed_IsNamedOrPassedOver(t *testing.T) {
	resource := kinds.ServiceEntries.GroupResource()
	for _, c := range []struct {
		err  error
		want kube.Unmanaged
		says string
	}{
		{err: apierrors.NewNotFound(resource, "")},
		{apierrors.NewForbidden(resource, "", errors.New("no")), kube.Unmanaged{Refused: []string{"serviceentries.networking.istio.io"}},
			"namespace istio-system stays, since the worker may not list what else may be in it: serviceentries.networking.istio.io; let the worker list these kinds (`landbridge rbac` prints the role) and clean up again, or delete the namespace yourself"},
		{apierrors.NewInternalError(errors.New("conversion webhook for x failed")), kube.Unmanaged{Broken: []string{"serviceentries.networking.istio.io (Internal error occurred: conversion webhook for x failed)"}},
			"the API server fails to list what else may be in it: serviceentries.networking.istio.io (Internal error occurred: conversion webhook for x failed); repair or remove these kinds and clean up again"},
		{apierrors.NewServiceUnavailable("nobody answers"), kube.Unmanaged{Broken: []string{"serviceentries.networking.istio.io (nobody answers)"}}, "nobody answers"},
		{apierrors.NewMethodNotSupported(resource, "list"), kube.Unmanaged{Broken: []string{`serviceentries.networking.istio.io (list is not supported on resources of kind "serviceentries.networking.istio.io")`}}, "not supported"},
	} {
		synctest.Test(t, func(t *testing.T) {
			in := namespace()
			in.Stale(schema.GroupVersion{Group: "custom.metrics.k8s.io", Version: "v1beta1"})
			in.React("list", "serviceentries", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, c.err })
			got, err := writing(in, "run-1").Unmanaged(t.Context(), "istio-system")
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Contains(t, got.Error("istio-system"), c.says)
			if c.says == "" {
				require.Empty(t, got.Error("istio-system"))
			}
		})
	}
	both := kube.Unmanaged{Objects: []string{"ConfigMap/x"}, Refused: []string{"a", "b"}}
	require.Equal(t, "namespace n stays, since it holds what Landbridge did not make: ConfigMap/x; and since the worker may not list what else may be in it: a, b; "+
		"move that away, let the worker list these kinds (`landbridge rbac` prints the role) and clean up again, or delete the namespace yourself", both.Error("n"))
}

// An API server that fails for a moment must not keep a namespace for ever, nor hide what is
// in it.
func TestUnmanaged_AKindCannotBeListedForAMoment_IsLookedAtAgain(t *testing.T) {
	resource := kinds.ServiceEntries.GroupResource()
	for _, passing := range []error{apierrors.NewInternalError(errors.New("etcdserver: leader changed")), apierrors.NewConflict(resource, "", errors.New("no")),
		apierrors.NewServiceUnavailable("starting"), apierrors.NewForbidden(resource, "", errors.New("roles are being read"))} {
		for failures, last := range map[int]bool{1: false, 3: false, 4: true} {
			synctest.Test(t, func(t *testing.T) {
				in := namespace()
				tries := 0
				in.React("list", "serviceentries", func(clienttesting.Action) (bool, runtime.Object, error) {
					tries++
					return tries <= failures, nil, passing
				})
				in.Put(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
					"metadata": map[string]any{"namespace": "istio-system", "name": "mine"}}})
				got, err := writing(in, "run-1").Unmanaged(t.Context(), "istio-system")
				require.NoError(t, err)
				require.Equal(t, last, len(got.Refused)+len(got.Broken) > 0, "%v, %d times", passing, failures)
				require.Equal(t, !last, len(got.Objects) == 1, "%v", got.Objects)
			})
		}
	}
}

func TestUnmanaged_TheApiServerIsBusy_IsTriedAgain(t *testing.T) {
	for _, busy := range []error{apierrors.NewTooManyRequests("busy", 1), apierrors.NewTimeoutError("slow", 1), errors.New("connection refused")} {
		for _, in := range []string{"istio-system", "kube-public"} {
			c := namespace()
			written(t, c, "a-program", &corev1.Service{ObjectMeta: called("thing")}, "istio-system")
			c.React("list", "services", func(a clienttesting.Action) (bool, runtime.Object, error) { return a.GetNamespace() == in, nil, busy })
			_, err := writing(c, "run-1").Unmanaged(t.Context(), "istio-system")
			require.ErrorIs(t, err, busy)
			require.ErrorContains(t, err, "list services in "+in+": ")
		}
	}
}
