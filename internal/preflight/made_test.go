package preflight

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/rights"
)

// namespaced has what an administrator makes for the worker of west, which two sources read.
func namespaced(t *testing.T) (*member, rights.Needs) {
	t.Helper()
	m := newMember(t)
	m.in.Network, m.in.Sources, m.in.OwnReaders = "west-net", []string{"east", "north"}, true
	needs := rights.Needs{Namespace: namespace, CNINamespace: "istio-cni", IstioName: "default", OwnReaders: true}
	for _, obj := range rights.ByAdministrator(needs, m.in.Network, []rights.Source{{Name: "east"}, {Name: "north", ReadsSecrets: true}}) {
		m.Put(obj.(runtime.Object))
	}
	// The worker may do no more than the printed roles allow.
	all := rights.For(needs)
	needs.Made = rights.Made{Namespaces: true, Readers: true}
	for _, r := range all {
		for _, verb := range r.Verbs {
			m.mayNot[verb+" "+r.Resource.Resource] = true
		}
	}
	for _, r := range rights.For(needs) {
		for _, verb := range r.Verbs {
			delete(m.mayNot, verb+" "+r.Resource.Resource)
		}
	}
	return m, needs
}

func TestRights_WhereAnAdministratorMadeTheRest_AreEnough_AndWithoutAnyOneVerbTheSentenceNamesIt(t *testing.T) {
	m, needs := namespaced(t)
	require.Subset(t, m.mayNot, map[string]bool{"create namespaces": true, "delete namespaces": true, "create clusterroles": true, "create clusterrolebindings": true, "watch nodes": true})
	out, err := m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems)
	for _, r := range rights.For(needs) {
		for _, verb := range r.Verbs {
			what := verb + " " + r.Resource.Resource
			m.mayNot[what] = true
			out, err := m.check(t)
			require.NoError(t, err, what)
			require.Contains(t, fmt.Sprint(out.Problems), "the worker may not "+verb+" "+object(r)+"; grant it: `landbridge rbac` prints the whole role", what)
			delete(m.mayNot, what)
		}
	}
}

func TestRights_WhatTheAdministratorForgot_IsNamed(t *testing.T) {
	put := func(obj runtime.Object) func(*member) { return func(m *member) { m.Put(obj) } }
	ns := func(name string, labels map[string]string) *corev1.Namespace {
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	}
	const instead = "or have an administrator make what `landbridge rbac --namespaced` prints (missing: "
	for _, c := range []struct {
		name  string
		but   func(*member)
		wants string
	}{
		{"the label of the network", put(ns(namespace, nil)), "namespaces in the whole cluster; grant it: `landbridge rbac` prints the whole role, " + instead + "label topology.istio.io/network=west-net of namespace istio-system)"},
		{"a namespace that Landbridge made", put(ns("istio-cni", map[string]string{fleet.LabelFleet: "prod"})), "the worker may not create, delete, list, patch namespaces in the whole cluster; grant it: `landbridge rbac` prints the whole role]"},
		{"the binding of a source", func(m *member) { m.in.Sources = append(m.in.Sources, "south") }, "clusterrolebindings.rbac.authorization.k8s.io in the whole cluster; grant it: `landbridge rbac` prints the whole role, " + instead + "ClusterRoleBinding landbridge-reader-south)"},
		{"the bindings of many sources", func(m *member) { m.in.Sources = []string{"a", "b", "c", "d", "e", "f", "g"} }, "landbridge-reader-e and 2 more)"},
		{"a binding that Landbridge made", put(&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "landbridge-reader-old", Labels: map[string]string{fleet.LabelFleet: "prod"}}}),
			"the worker may not create, delete, patch clusterrolebindings.rbac.authorization.k8s.io in the whole cluster; grant it: `landbridge rbac` prints the whole role "},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, _ := namespaced(t)
			c.but(m)
			out, err := m.check(t)
			require.NoError(t, err)
			require.Contains(t, fmt.Sprint(out.Problems), c.wants)
		})
	}
}
