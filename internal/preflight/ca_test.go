package preflight

import (
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// secretOf puts a Secret into Istio's namespace.
func (m *member) secretOf(name string, labels map[string]string, data map[string][]byte) {
	m.Put(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}, Data: data})
}

func (m *member) rootInForce(root []byte) {
	m.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: rootConfigMap}, Data: map[string]string{"root-cert.pem": string(root)}})
}

// Whoever installed an istiod, and however its CA came, the root in force is found. What
// one that is gone left behind is nobody's CA.
func TestCheck_ACAThatLandbridgeDidNotPlugIn_IsFound(t *testing.T) {
	_, other := serve(t, "other")
	for _, c := range []struct {
		name string
		does func(*member)
		want func(*member) *api.ForeignCA
	}{
		{"nothing", func(*member) {}, nil},
		{"what an istiod left behind", func(m *member) {
			m.rootInForce(m.ca)
			m.secretOf(selfSignedCA, nil, map[string][]byte{"ca-cert.pem": m.ca})
		}, nil},
		{"an istiod that has not begun", func(m *member) { m.Put(istiod("stable", func(*appsv1.Deployment) {})) }, nil},
		{"a self-signed istiod", func(m *member) {
			m.Put(istiod("stable", func(*appsv1.Deployment) {}))
			m.secretOf(selfSignedCA, nil, map[string][]byte{"ca-cert.pem": m.ca})
			m.rootInForce(m.ca)
		}, func(m *member) *api.ForeignCA {
			return &api.ForeignCA{Istiod: "istiod-stable", Roots: certs.Fingerprints(m.ca), SelfSigned: true}
		}},
		{"a self-signed istiod that has not told its root yet", func(m *member) {
			m.Put(istiod("stable", func(*appsv1.Deployment) {}))
			m.secretOf(selfSignedCA, nil, map[string][]byte{"ca-cert.pem": m.ca})
		}, func(m *member) *api.ForeignCA {
			return &api.ForeignCA{Istiod: "istiod-stable", Roots: certs.Fingerprints(m.ca), SelfSigned: true}
		}},
		{"an istiod whose CA is elsewhere", func(m *member) {
			m.Put(istiod("stable", func(d *appsv1.Deployment) { d.Name = "our-istiod"; d.Labels = map[string]string{"app": "istiod"} }))
			m.rootInForce(m.ca)
		}, func(m *member) *api.ForeignCA {
			return &api.ForeignCA{Istiod: "our-istiod", Roots: certs.Fingerprints(m.ca)}
		}},
		{"a plugged CA without an istiod, by cert-manager", func(m *member) {
			m.secretOf(fleet.CACerts, nil, map[string][]byte{"tls.crt": m.ca, "tls.key": nil, "ca.crt": other})
		}, func(*member) *api.ForeignCA { return &api.ForeignCA{CACerts: true, Roots: certs.Fingerprints(other)} }},
		{"a plugged CA that istiod made", func(m *member) {
			m.Put(istiod("stable", func(*appsv1.Deployment) {}))
			m.secretOf(fleet.CACerts, nil, map[string][]byte{"root-cert.pem": m.ca, "ca-cert.pem": m.ca})
		}, func(m *member) *api.ForeignCA {
			return &api.ForeignCA{Istiod: "istiod-stable", CACerts: true, Roots: certs.Fingerprints(m.ca), SelfSigned: true}
		}},
		{"a plugged CA under another root than the one in force", func(m *member) {
			m.Put(istiod("stable", func(*appsv1.Deployment) {}))
			m.secretOf(fleet.CACerts, nil, map[string][]byte{"root-cert.pem": other, "ca-cert.pem": m.ca})
			m.rootInForce(m.ca)
		}, func(m *member) *api.ForeignCA {
			return &api.ForeignCA{Istiod: "istiod-stable", CACerts: true, Roots: certs.Fingerprints(m.ca)}
		}},
		{"a plugged CA that nobody can read", func(m *member) { m.secretOf(fleet.CACerts, nil, nil) },
			func(*member) *api.ForeignCA { return &api.ForeignCA{CACerts: true} }},
		{"another fleet's", func(m *member) {
			m.secretOf(fleet.CACerts, map[string]string{fleet.LabelFleet: "other"}, map[string][]byte{"root-cert.pem": other})
		}, func(*member) *api.ForeignCA { return &api.ForeignCA{CACerts: true, Roots: certs.Fingerprints(other)} }},
		{"Landbridge's own", func(m *member) {
			m.Put(istiod("stable", func(*appsv1.Deployment) {}))
			m.secretOf(fleet.CACerts, map[string]string{fleet.LabelFleet: "prod"}, map[string][]byte{"root-cert.pem": other})
			m.rootInForce(other)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMember(t)
			c.does(m)
			out, err := m.check(t)
			require.NoError(t, err)
			var want *api.ForeignCA
			if c.want != nil {
				want = c.want(m)
			}
			require.Equal(t, want, out.CA)
		})
	}
}

// A file that leaves CAs alone compares the meshes with each other instead.
func TestCheck_AnExistingCA_IsNotJudgedByTheFleetsRoot(t *testing.T) {
	m := newMember(t)
	m.withMesh()
	out, err := m.check(t)
	require.NoError(t, err)
	require.Nil(t, out.CA)
	m = newMember(t)
	mesh(func(t *testing.T, m *member) {
		require.NoError(t, m.Dynamic.Resource(kinds.ConfigMaps.GroupVersionResource).Namespace(namespace).Delete(t.Context(), rootConfigMap, metav1.DeleteOptions{}))
		m.secretOf(fleet.CACerts, nil, map[string][]byte{"tls.crt": m.ca, "tls.key": nil, "ca.crt": m.ca})
	})(t, m)
	out, err = m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Problems, "cert-manager's layout has a root")
	require.Equal(t, certs.Fingerprints(m.ca), out.Mesh.Roots)
}

// Where the inventory was lost, the cacerts that Landbridge wrote still names the fleet's
// root.
func TestCheck_ACAThatLandbridgePluggedIn_TellsItsRoot(t *testing.T) {
	m := newMember(t)
	m.secretOf(fleet.CACerts, map[string]string{fleet.LabelFleet: "prod"}, map[string][]byte{"root-cert.pem": m.ca})
	out, err := m.check(t)
	require.NoError(t, err)
	require.Equal(t, certs.Fingerprints(m.ca), []string{out.Root})
	m.secretOf(fleet.CACerts, map[string]string{fleet.LabelFleet: "other"}, map[string][]byte{"root-cert.pem": m.ca})
	out, err = m.check(t)
	require.NoError(t, err)
	require.Empty(t, out.Root)
}
