package preflight

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	authv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

const (
	namespace = "istio-system"
	// uid is that of the cluster's kube-system.
	uid = "7c7b3f0e"
)

// member is the cluster west, as a preflight sees it, with what the fleet file
// wants of it. A test changes both.
type member struct {
	*kubetest.Cluster
	in    api.CheckClusterInput
	claim inventory.Claim
	// apiServer answers TLS handshakes, and ca issued its certificate.
	apiServer *httptest.Server
	ca        []byte
	// mayNot names the rights that the worker lacks, as "verb resource".
	mayNot map[string]bool
}

// newMember makes a cluster with a Sail operator that a rollout can begin on.
func newMember(t *testing.T, names ...string) *member {
	t.Helper()
	m := &member{mayNot: map[string]bool{}}
	m.in = api.CheckClusterInput{ClusterRef: api.ClusterRef{Fleet: "prod", Cluster: "west", Namespace: namespace, CNINamespace: "istio-cni", Run: "run-1"}, IstioVersion: "v1.31.0", IstioName: "default", UpdateStrategy: fleet.UpdateInPlace}
	m.claim = inventory.Claim{Fleet: "prod", As: inventory.Lock{Temporal: "server-a/default", Run: "run-1"}}
	if len(names) == 0 {
		names = []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	}
	m.apiServer, m.ca = serve(t, names...)
	m.Cluster = kubetest.New("west",
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem, UID: uid}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceSystem, Name: caConfigMap}, Data: map[string]string{corev1.ServiceAccountRootCAKey: string(m.ca)}})
	m.Config.Host = m.apiServer.URL
	for _, r := range needed {
		m.Put(crd(r, "v1.30-latest", "v1.30.5", "v1.31.0"))
	}
	m.React("create", "selfsubjectaccessreviews", func(a clienttesting.Action) (bool, runtime.Object, error) {
		review := a.(clienttesting.CreateAction).GetObject().(*authv1.SelfSubjectAccessReview).DeepCopy()
		on := review.Spec.ResourceAttributes
		resource := on.Resource
		if on.Subresource != "" {
			resource += "/" + on.Subresource
		}
		review.Status.Allowed = !m.mayNot[on.Verb+" "+resource]
		return true, review, nil
	})
	return m
}

func (m *member) check(t *testing.T) (api.CheckClusterResult, error) {
	return Check(t.Context(), m.Cluster.Cluster, m.in, m.claim)
}

// refuse answers every request of that kind with an error.
func (m *member) refuse(verb, resource string, err error) {
	m.React(verb, resource, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, err })
}

// withMesh puts a mesh into the cluster that somebody else installed, and into the
// fleet file what fits it.
func (m *member) withMesh() {
	labels := map[string]string{"istio": "eastwestgateway"}
	m.Put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{fleet.LabelNetwork: "west-net"}}})
	m.Put(istiod("stable", func(*appsv1.Deployment) {}))
	m.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "istio-stable"},
		Data: map[string]string{"mesh": "trustDomain: corp.example\ndefaultConfig:\n  meshId: corp\n"}})
	m.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: rootConfigMap}, Data: map[string]string{"root-cert.pem": string(m.ca)}})
	m.Put(gatewayService("crossing", corev1.ServiceTypeLoadBalancer, 15443, labels))
	m.Put(gatewayDeployment("crossing", "crossing", labels))
	no := false
	e := api.Existing{Network: "west-net", Istio: fleet.Istio{Manage: &no, Revision: "stable", TrustDomain: "corp.example", Namespace: namespace}, CA: fleet.CA{Manage: &no}}
	e.Gateways.DataPlanePort = fleet.DefaultDataPlanePort
	e.Gateways.EastWest = fleet.EastWest{Manage: &no, Labels: labels, ServiceAccount: "crossing"}
	e.Gateways.EastWest.Service.Name = "crossing"
	m.in.Existing = &e
}

func istiod(revision string, change func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "istiod-" + revision,
		Labels: map[string]string{"app": "istiod", "istio.io/rev": revision, "app.kubernetes.io/version": "1.31.0", "app.kubernetes.io/managed-by": "Helm"}}}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "discovery", Env: []corev1.EnvVar{{Name: "REVISION", Value: revision}, {Name: "CLUSTER_ID", Value: "west"}},
		Args: []string{"discovery", "--domain", "cluster.local"}}}
	change(d)
	return d
}

func istioResource(name, in string, labels map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "sailoperator.io/v1", "kind": "Istio",
		"metadata": map[string]any{"name": name, "labels": labels}, "spec": map[string]any{"namespace": in}}}
}

func gatewayService(name string, typ corev1.ServiceType, port int32, selector map[string]string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{Type: typ, Selector: selector, Ports: []corev1.ServicePort{{Name: "status-port", Port: 15021}, {Name: "tls", Port: port}}}}
}

func gatewayDeployment(name, account string, labels map[string]string) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	d.Spec.Template.Labels = labels
	d.Spec.Template.Spec.ServiceAccountName = account
	return d
}

func policy(name, action string, labels map[string]any, selector map[string]any) *unstructured.Unstructured {
	spec := map[string]any{"selector": map[string]any{"matchLabels": selector}}
	if action != "" {
		spec["action"] = action
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
		"metadata": map[string]any{"name": name, "namespace": namespace, "labels": labels}, "spec": spec}}
}

// crd is a kind as an API server lists it, with the versions of Istio that it knows.
func crd(r kinds.Resource, versions ...any) *unstructured.Unstructured {
	schema := map[string]any{}
	if r.Group == kinds.Istios.Group {
		schema = map[string]any{"openAPIV3Schema": map[string]any{"properties": map[string]any{"spec": map[string]any{
			"properties": map[string]any{"version": map[string]any{"enum": versions}}}}}}
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": r.GroupResource().String()},
		"spec":     map[string]any{"versions": []any{map[string]any{"name": "v1alpha1"}, map[string]any{"name": r.Version, "schema": schema}}}}}
}

// serve starts an API server whose certificate is good for the names, and returns
// the CA that issued it.
func serve(t *testing.T, names ...string) (*httptest.Server, []byte) {
	t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, caKey.Public(), caKey)
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter}, root, key.Public(), caKey)
	require.NoError(t, err)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // that a client refuses a certificate is the test
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER})
}
