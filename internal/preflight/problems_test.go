package preflight

import (
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	require.Equal(t, string(want), got)
}

// lockedBy writes an inventory that a run of another Temporal has locked.
func lockedBy(name string) func(*testing.T, *member) {
	return func(t *testing.T, m *member) {
		part := fleet.Fleet{}
		part.Metadata.Name = name
		theirs := inventory.Claim{Fleet: name, As: inventory.Lock{Temporal: "server-b/default", Run: "run-9", Since: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}}
		_, err := theirs.Write(t.Context(), m.Cluster.Cluster, part, fleet.Memory{}, false)
		require.NoError(t, err)
	}
}

// is writes the inventory of a member of the fleet, of another name perhaps.
func is(name string) func(*testing.T, *member) {
	return func(t *testing.T, m *member) {
		part := fleet.Fleet{}
		part.Metadata.Name = "prod"
		_, err := m.claim.Write(t.Context(), m.Cluster.Cluster, part, fleet.Memory{Member: fleet.Identity{Name: name, UID: uid}}, false)
		require.NoError(t, err)
	}
}

func mayNot(rights ...string) func(*testing.T, *member) {
	return func(_ *testing.T, m *member) {
		for _, r := range rights {
			m.mayNot[r] = true
		}
	}
}

func without(resources ...kinds.Resource) func(*testing.T, *member) {
	return func(t *testing.T, m *member) {
		for _, r := range resources {
			require.NoError(t, m.Dynamic.Resource(kinds.CRDs.GroupVersionResource).Delete(t.Context(), r.GroupResource().String(), metav1.DeleteOptions{}))
		}
	}
}

// mesh changes a mesh that is as the fleet file says, or what the file says of it.
func mesh(change func(*testing.T, *member)) func(*testing.T, *member) {
	return func(t *testing.T, m *member) {
		m.withMesh()
		change(t, m)
	}
}

func existing(change func(*member)) func(*testing.T, *member) {
	return mesh(func(_ *testing.T, m *member) { change(m) })
}

func deletes(resource kinds.Resource, name string) func(*testing.T, *member) {
	return mesh(func(t *testing.T, m *member) {
		require.NoError(t, m.Dynamic.Resource(resource.GroupVersionResource).Namespace(namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
	})
}

// revisionBased is an Istio that Sail updates by revisions.
func revisionBased(labels, status map[string]any) *unstructured.Unstructured {
	istio := istioResource("default", namespace, labels)
	istio.Object["spec"] = map[string]any{"namespace": namespace, "version": "v1.30.5", "updateStrategy": map[string]any{"type": "RevisionBased"}}
	istio.Object["status"] = status
	return istio
}

// inTheWay are clusters on which a rollout cannot begin, each for its own reason.
var inTheWay = []struct {
	name string
	does func(*testing.T, *member)
}{
	{"rights that are missing", mayNot("delete secrets", "list secrets", "list events", "get pods/log", "create namespaces")},

	{"another member of the fleet", is("north")},

	{"no Sail operator", without(kinds.Istios, kinds.IstioCNIs)},
	{"no Istio CRDs", without(kinds.VirtualServices)},
	{"no Istio CRDs beside an existing Istio", mesh(without(kinds.VirtualServices))},
	{"a version that the operator does not know", func(_ *testing.T, m *member) { m.in.IstioVersion = "v1.24.3" }},

	{"an Istio that the file does not know", func(_ *testing.T, m *member) {
		m.Put(istiod("1-29", func(*appsv1.Deployment) {}))
	}},
	{"an Istio without a revision that the file does not know", func(_ *testing.T, m *member) {
		m.Put(istiod("x", func(d *appsv1.Deployment) { d.Name = "istiod"; delete(d.Labels, "istio.io/rev") }))
	}},
	{"an Istio in another namespace", func(_ *testing.T, m *member) {
		m.Put(istiod("1-29", func(d *appsv1.Deployment) { d.Namespace, d.Name = "mesh", "control" }))
	}},
	{"an Istio of Sail's in another namespace", func(_ *testing.T, m *member) {
		m.Put(istiod("1-29", func(d *appsv1.Deployment) { d.Namespace = "mesh" }))
		m.Put(istioResource("theirs", "mesh", nil))
	}},
	{"an Istio of Sail's that it updates in place, where the file says by revisions", func(_ *testing.T, m *member) {
		m.in.UpdateStrategy = fleet.UpdateRevisions
		m.Put(istioResource("default", namespace, nil))
	}},
	{"an Istio of Sail's beside which another one would be installed", func(_ *testing.T, m *member) {
		m.Put(istiod("stable", func(*appsv1.Deployment) {}))
		m.Put(istioResource("stable", namespace, nil))
	}},
	{"an Istio beside the one that would be adopted", func(_ *testing.T, m *member) {
		m.Put(istiod("default", func(d *appsv1.Deployment) { d.Name = "istiod" }))
		m.Put(istioResource("default", namespace, nil))
		m.Put(istiod("canary", func(*appsv1.Deployment) {}))
	}},
	{"an Istio beside an existing CA", mesh(func(_ *testing.T, m *member) {
		m.in.Existing.Istio, m.in.Existing.Gateways.EastWest = fleet.Istio{}, fleet.EastWest{}
	})},
	{"a member that runs under another clusterID", func(t *testing.T, m *member) {
		is("west")(t, m)
		m.Put(istiod("default", func(*appsv1.Deployment) {}))
		m.Put(istioResource("default", namespace, map[string]any{fleet.LabelFleet: "prod"}))
		m.in.ClusterID = "cn-west"
	}},
	{"a member that ran under a clusterID", func(t *testing.T, m *member) {
		is("west")(t, m)
		m.Put(istiod("default", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Env[1].Value = "cn-west" }))
		m.Put(istioResource("default", namespace, map[string]any{fleet.LabelFleet: "prod"}))
	}},
	{"an Istio of somebody's that is updated by revisions", func(_ *testing.T, m *member) {
		m.Put(revisionBased(nil, map[string]any{"activeRevisionName": "default-v1-31-3"}))
		m.Put(istiod("default-v1-31-3", func(*appsv1.Deployment) {}))
	}},
	{"no istiod", deletes(kinds.Deployments, "istiod-stable")},
	{"an istiod of another revision", mesh(func(_ *testing.T, m *member) {
		m.Put(istiod("canary", func(*appsv1.Deployment) {}))
		m.in.Existing.Istio.Revision = "default"
	})},
	{"an istiod that has another name for the cluster", existing(func(m *member) {
		m.Put(istiod("stable", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Env[1].Value = "Kubernetes" }))
	})},
	{"another cluster domain", existing(func(m *member) {
		m.Put(istiod("stable", func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Args = []string{"discovery", "--domain", "corp.local", "--keepaliveMaxServerConnectionAge"}
		}))
	})},
	{"another cluster domain, in one word", existing(func(m *member) {
		m.Put(istiod("stable", func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Args = []string{"discovery", "--domain=corp.local"}
		}))
	})},
	{"another trust domain", existing(func(m *member) { m.in.Existing.Istio.TrustDomain = "cluster.local" })},
	{"another network", existing(func(m *member) { m.in.Existing.Network = "elsewhere" })},
	{"no root", deletes(kinds.ConfigMaps, rootConfigMap)},
	{"no east-west gateway", deletes(kinds.Services, "crossing")},
	{"an east-west gateway of another name", existing(func(m *member) { m.in.Existing.Gateways.EastWest.Service.Name = "istio-eastwestgateway" })},
	{"two east-west gateways of other names", existing(func(m *member) {
		m.in.Existing.Gateways.EastWest.Service.Name = "istio-eastwestgateway"
		m.Put(gatewayService("second", corev1.ServiceTypeLoadBalancer, 15443, map[string]string{"app": "second", "tier": "edge"}))
	})},
	{"an east-west gateway with another port", existing(func(m *member) { m.in.Existing.Gateways.DataPlanePort = 25443 })},
	{"an east-west gateway that is no load balancer", existing(func(m *member) {
		m.Put(gatewayService("crossing", corev1.ServiceTypeNodePort, 15443, map[string]string{"istio": "eastwestgateway"}))
	})},
	{"other labels", existing(func(m *member) { m.in.Existing.Gateways.EastWest.Labels = map[string]string{"app": "gateway"} })},
	{"another service account", existing(func(m *member) { m.in.Existing.Gateways.EastWest.ServiceAccount = "somebody" })},
	{"the default service account", existing(func(m *member) {
		m.Put(gatewayDeployment("crossing", "", map[string]string{"istio": "eastwestgateway"}))
	})},
	{"policies of others", existing(func(m *member) {
		selector := map[string]any{"istio": "eastwestgateway"}
		m.Put(policy("only-data", "", nil, selector))
		m.Put(policy("whole-namespace", "ALLOW", nil, nil))
		m.Put(policy("of-landbridge", "ALLOW", map[string]any{fleet.LabelFleet: "prod"}, selector))
		m.Put(policy("denies", "DENY", nil, selector))
		m.Put(policy("of-another-gateway", "ALLOW", nil, map[string]any{"istio": "ingressgateway"}))
	})},

	{"a certificate for other names", func(t *testing.T, m *member) { *m = *newMember(t, "api.west.example.com") }},
	{"a certificate without a name", func(t *testing.T, m *member) {
		var ca []byte
		m.apiServer, ca = serve(t)
		m.Config.Host = m.apiServer.URL
		m.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: caConfigMap}, Data: map[string]string{corev1.ServiceAccountRootCAKey: string(ca)}})
	}},
	{"the file's name has a certificate of another CA", func(t *testing.T, m *member) {
		other, _ := serve(t, "api.west.example.com")
		m.in.TLSServerName = "api.west.example.com"
		m.apiServer.TLS.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName == m.in.TLSServerName {
				return &other.TLS.Certificates[0], nil
			}
			return nil, nil
		}
	}},
	{"the file's name is not in the certificate", func(_ *testing.T, m *member) { m.in.TLSServerName = "api.west.example.com" }},
	{"each name is tried", func(t *testing.T, m *member) {
		*m = *newMember(t, "elsewhere.example.com")
		m.Put(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "config.openshift.io/v1", "kind": "Infrastructure", "metadata": map[string]any{"name": "cluster"},
			"status": map[string]any{"apiServerInternalURI": "https://api-int.west.example.com:6443", "apiServerURL": "https://api.west.example.com:6443"}}})
	}},
	{"an API server that hangs up", func(_ *testing.T, m *member) { m.apiServer.Close() }},

	{"another fleet", lockedBy("other")},
	{"another Temporal's run", lockedBy("prod")},
	{"a damaged inventory", func(_ *testing.T, m *member) {
		m.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: fleet.SystemNamespace, Name: fleet.InventoryName}, Data: map[string]string{"fleet.json": "{"}})
	}},

	{"all at once", func(t *testing.T, m *member) {
		mesh(mayNot("get secrets"))(t, m)
		m.in.Existing.Network = "elsewhere"
		m.in.TLSServerName = "api.west.example.com"
		lockedBy("other")(t, m)
		without(kinds.DestinationRules)(t, m)
	}},
}

// The golden file has each problem as a person reads it, after the cluster's name.
func TestCheck_InTheWay_EachProblemIsASentenceThatEndsWithWhatToDo(t *testing.T) {
	var out strings.Builder
	for _, w := range inTheWay {
		t.Run(w.name, func(t *testing.T) {
			m := newMember(t)
			w.does(t, m)
			m.claim.As.Run = "run-1"
			got, err := m.check(t)
			require.NoError(t, err)
			require.NotEmpty(t, got.Problems)
			fmt.Fprintln(&out, w.name)
			for _, p := range got.Problems {
				require.NotContains(t, p, "cluster west", "the cluster is named before it")
				fmt.Fprintf(&out, "  cluster west: %s\n", strings.ReplaceAll(p, m.apiServer.Listener.Addr().String(), "(server)"))
			}
			fmt.Fprintln(&out)
		})
	}
	golden(t, "testdata/problems.golden", out.String())
}
