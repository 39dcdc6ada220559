package preflight

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

func (m *member) mesh(t *testing.T) api.Mesh {
	t.Helper()
	found, err := FindMesh(t.Context(), m.Cluster.Cluster, namespace, fleet.DefaultDataPlanePort)
	require.NoError(t, err)
	return found
}

func TestFindMesh_TellsAllThatAFleetFileNeeds(t *testing.T) {
	m := newMember(t)
	m.withMesh()
	m.Put(gatewayService("ingress", corev1.ServiceTypeLoadBalancer, 443, map[string]string{"istio": "ingressgateway"}))
	m.Put(gatewayService("inside", corev1.ServiceTypeClusterIP, 15443, map[string]string{"istio": "eastwestgateway"}))
	m.Put(gatewayService("without-pods", corev1.ServiceTypeLoadBalancer, 15443, nil))
	require.Equal(t, api.Mesh{
		Istiods: []api.Istiod{{Revision: "stable", Version: "1.31.0", ClusterName: "west", MeshID: "corp", TrustDomain: "corp.example", By: "Helm"}},
		Network: "west-net", Roots: certs.Fingerprints(m.ca),
		EastWest: []api.MeshGateway{{Service: "crossing", Labels: map[string]string{"istio": "eastwestgateway"}, ServiceAccount: "crossing"}},
	}, m.mesh(t))
	require.Empty(t, m.Writes())
}

func TestFindMesh_NoNamespaceOrNothingInIt_FindsNothing(t *testing.T) {
	m := newMember(t)
	require.Equal(t, api.Mesh{}, m.mesh(t))
	m.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	require.Equal(t, api.Mesh{}, m.mesh(t))
}

func TestFindMesh_WithoutSettings_HasIstiosDefaults(t *testing.T) {
	m := newMember(t)
	m.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	m.Put(istiod("x", func(d *appsv1.Deployment) {
		d.Labels, d.Spec.Template.Spec.Containers = map[string]string{"app": "istiod"}, nil
	}))
	require.Equal(t, []api.Istiod{{Revision: "default", TrustDomain: "cluster.local"}}, m.mesh(t).Istiods)
	m.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "istio"}, Data: map[string]string{"mesh": "trustDomain: corp.example"}})
	require.Equal(t, "corp.example", m.mesh(t).Istiods[0].TrustDomain)
}

func TestFindMesh_TellsWhoInstalledIt(t *testing.T) {
	for by, labels := range map[string]map[string]string{
		"Sail":     {"managed-by": "sail-operator", "app.kubernetes.io/managed-by": "Helm"},
		"istioctl": {"install.operator.istio.io/owning-resource": "installed-state", "app.kubernetes.io/managed-by": "Helm"},
		"Helm":     {"install.operator.istio.io/owning-resource": "unknown", "app.kubernetes.io/managed-by": "Helm"},
		"":         {"install.operator.istio.io/owning-resource": "unknown"},
	} {
		require.Equal(t, by, installer(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Labels: labels}}))
	}
	require.Equal(t, "Sail", installer(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: "IstioRevision"}}}}))
}

func TestFindMesh_BeforeIstiodRuns_TheRootIsThatOfCACerts(t *testing.T) {
	root, err := certs.NewRoot(certs.RootSpec{CommonName: "corp", Organization: "corp", KeyAlgorithm: "ECDSA-P256", Lifetime: 24 * time.Hour})
	require.NoError(t, err)
	m := newMember(t)
	m.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	m.Put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fleet.CACerts}, Data: map[string][]byte{"root-cert.pem": root.CertPEM}})
	require.Equal(t, certs.Fingerprints(root.CertPEM), m.mesh(t).Roots)
	m.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: rootConfigMap}, Data: map[string]string{"root-cert.pem": string(m.ca)}})
	require.Equal(t, certs.Fingerprints(m.ca), m.mesh(t).Roots, "an istiod that runs has the last word")
}

func TestFindMesh_SettingsThatCannotBeRead_AreADeadEnd(t *testing.T) {
	m := newMember(t)
	m.withMesh()
	m.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "istio-stable"}, Data: map[string]string{"mesh": "trustDomain: [corp"}})
	_, err := FindMesh(t.Context(), m.Cluster.Cluster, namespace, fleet.DefaultDataPlanePort)
	var dead *kube.DeadEndError
	require.ErrorAs(t, err, &dead)
	require.ErrorContains(t, err, "the mesh's settings (ConfigMap istio-system/istio-stable) cannot be read")
}

func TestFindMesh_WhatCannotBeRead_IsNamed(t *testing.T) {
	broken := errors.New("etcdserver: leader changed")
	for _, c := range []struct {
		verb, resource, want string
		without              func(*testing.T, *member)
	}{
		{"get", "namespaces", "read the namespace istio-system: ", nil},
		{"list", "deployments", "look for istiod: ", nil},
		{"get", "configmaps", "read the mesh's settings (ConfigMap istio-system/istio-stable): ", nil},
		{"get", "configmaps", "read the mesh's root (ConfigMap istio-system/istio-ca-root-cert): ", deletes(kinds.Deployments, "istiod-stable")},
		{"get", "secrets", "read Secret istio-system/cacerts: ", deletes(kinds.ConfigMaps, rootConfigMap)},
		{"list", "services", "list the Services of istio-system: ", nil},
	} {
		m := newMember(t)
		m.withMesh()
		if c.without != nil {
			c.without(t, m)
		}
		m.refuse(c.verb, c.resource, broken)
		_, err := FindMesh(t.Context(), m.Cluster.Cluster, namespace, fleet.DefaultDataPlanePort)
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, c.want)
	}
}
