package proof

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

const (
	namespace  = "istio-system"
	serverName = "api.west.example.com"
	readerJWT  = "very-secret"
	egressName = "kube-apiserver-west-egress-gateway-1"
)

// source is the cluster east with a link to west, as far as a proof sees it. Its
// fields are how things behave; a test changes them.
type source struct {
	*kubetest.Cluster
	// apiServer is west's, with the certificate that it shows.
	apiServer   http.HandlerFunc
	certificate tls.Certificate
	// egress takes the connections to the egress gateway, the first one being 1.
	egress      func(nr int, conn net.Conn)
	connections int
	// others take the connections to further pods of the egress gateway.
	others map[string]func(conn net.Conn)
	// dialError fails the connections to the egress gateway where it is set.
	dialError func(nr int) error
	// envoy answers on its admin port, istiod on its debug port, by pod.
	envoy  http.HandlerFunc
	istiod map[string]http.HandlerFunc
	// log is the egress gateway's, logs how often it was read.
	log  func() (string, error)
	logs int
	// istiodLog is that of every istiod since a moment.
	istiodLog func(since time.Time) string
	// id is the name by which Istio knows west, where it has another one.
	id string
	// port of the egress gateway.
	port int
	// ca issued the certificate of west's API server.
	ca []byte
	// names are the server names that were asked for.
	names []string
}

// newSource makes a source whose link is in order.
func newSource(t *testing.T) *source {
	t.Helper()
	ca, leaf := issue(t, serverName)
	s := &source{port: fleet.EgressPort, ca: ca, certificate: leaf, apiServer: onlyReaders, envoy: answer(clustersOf("198.51.100.7")),
		istiod: map[string]http.HandlerFunc{"istiod-1": saysOfClusters(synced), "istiod-2": saysOfClusters(synced)},
		log:    func() (string, error) { return "", nil }, istiodLog: func(time.Time) string { return "" }}
	s.Cluster = kubetest.New("east", remoteSecretOf(t, func(c *clientcmdapi.Config) { c.Clusters["west"].CertificateAuthorityData = ca }),
		pod(egressName, map[string]string{"app": fleet.EgressGateway("west")}, ready),
		pod("istiod-1", map[string]string{"app": "istiod"}, ready), pod("istiod-2", map[string]string{"app": "istiod"}, ready))
	s.egress = func(_ int, conn net.Conn) { s.behind(conn, serverName) }
	s.React("get", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() != "log" {
			return false, nil, nil
		}
		if opts, _ := a.(clienttesting.GenericAction).GetValue().(*corev1.PodLogOptions); opts.Container == istiodContainer {
			return true, &runtime.Unknown{Raw: []byte(s.istiodLog(opts.SinceTime.Time))}, nil
		}
		s.logs++
		log, err := s.log()
		return true, &runtime.Unknown{Raw: []byte(log)}, err
	})
	return s
}

func (s *source) prober() *prober {
	return &prober{Cluster: s.Cluster.Cluster, link: fleet.Link{From: "east", To: "west"}, id: cmp.Or(s.id, "west"), namespace: namespace, dial: s.dial}
}

// dial plays port-forward: what listens on the pod's loopback gets the other end.
func (s *source) dial(ctx context.Context, in, pod string, port int) (net.Conn, error) {
	if in != namespace {
		return nil, fmt.Errorf("no pod in %s is asked for", in)
	}
	near, far := net.Pipe()
	context.AfterFunc(ctx, func() { near.Close() })
	switch {
	case pod == egressName && port == s.port:
		s.connections++
		nr := s.connections
		if s.dialError != nil {
			if err := s.dialError(nr); err != nil && !errors.Is(err, errPortForward) {
				return unconnected{near, err}, nil
			} else if err != nil {
				return nil, err
			}
		}
		go s.egress(nr, far)
	case s.others[pod] != nil && port == s.port:
		go s.others[pod](far)
	case (pod == egressName || s.others[pod] != nil) && port == adminPort:
		go serve(far, s.envoy)
	case s.istiod[pod] != nil && port == debugPort:
		go serve(far, s.istiod[pod])
	default:
		return nil, fmt.Errorf("nothing is known of port %d of pod %s", port, pod)
	}
	return near, nil
}

// unconnected is a port-forward of which the node says that it cannot connect.
type unconnected struct {
	net.Conn
	err error
}

func (u unconnected) Read([]byte) (int, error)    { return 0, u.err }
func (u unconnected) Write(b []byte) (int, error) { return len(b), nil }

// behind carries a connection for one of the names to the API server, and closes
// any other, as Envoy does without a filter chain.
func (s *source) behind(conn net.Conn, names ...string) {
	session := tls.Server(conn, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		s.names = append(s.names, hello.ServerName)
		for _, name := range names {
			if hello.ServerName == name {
				return &tls.Config{Certificates: []tls.Certificate{s.certificate}}, nil
			}
		}
		conn.Close()
		return nil, errors.New("no filter chain")
	}})
	if session.Handshake() == nil {
		serve(session, s.apiServer)
	}
}

// another adds a ready pod of the egress gateway.
func (s *source) another(t *testing.T, name string, does func(conn net.Conn)) {
	t.Helper()
	s.others = map[string]func(net.Conn){name: does}
	_, err := s.Client.CoreV1().Pods(namespace).Create(t.Context(), pod(name, map[string]string{"app": fleet.EgressGateway("west")}, ready), metav1.CreateOptions{})
	require.NoError(t, err)
}

// hangUp reads what comes first and closes the connection.
func hangUp(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 1<<16))
	conn.Close()
}

// hold takes a connection and never answers.
func hold(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// serve serves one connection.
func serve(conn net.Conn, h http.Handler) {
	_ = http.Serve(&single{conn: conn}, h) //nolint
}

// single is a listener with one connection.
type single struct{ conn net.Conn }

func (l *single) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, io.EOF
	}
	conn := l.conn
	l.conn = nil
	return conn, nil
}
func (l *single) Close() error   { return nil }
func (l *single) Addr() net.Addr { return &net.IPAddr{} }

// onlyReaders is an API server that lets in who has the reader's token, and shows him what
// istiod compares with.
func onlyReaders(w http.ResponseWriter, r *http.Request) { having(targetSlices, targetGateway)(w, r) }

// slowly answers after a while.
func slowly(h http.HandlerFunc, after time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(after)
		h(w, r)
	}
}

// status is an API server that answers everybody alike.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// answer is a pod that answers so, whatever is asked.
func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// synced copies the answer of istiod 1.31 on /debug/clusterz.
const synced = `[{"id":"east","syncStatus":"synced"},{"id":"west","secretName":"istio-system/istio-remote-secret-west","syncStatus":"synced"}]`

// clustersOf writes the answer of Envoy on /clusters?format=json, with an endpoint for each address.
func clustersOf(addresses ...string) string {
	var hosts bytes.Buffer
	for i, a := range addresses {
		if i > 0 {
			hosts.WriteString(",")
		}
		fmt.Fprintf(&hosts, `{"address":{"socket_address":{"address":%q,"port_value":16443}}}`, a)
	}
	return `{"cluster_statuses":[{"name":"prometheus_stats","host_statuses":[{}]},` +
		`{"name":"outbound|16443||kube-apiserver-west.istio-system.svc.cluster.local","host_statuses":[` + hosts.String() + `]}]}`
}

func pod(name string, labels map[string]string, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}, Status: corev1.PodStatus{Phase: corev1.PodPending}}
	if change != nil {
		change(p)
	}
	return p
}

func ready(p *corev1.Pod) {
	p.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
}

// remoteSecretOf makes the remote secret of west.
func remoteSecretOf(t *testing.T, change func(*clientcmdapi.Config)) *corev1.Secret {
	t.Helper()
	ca, _ := issue(t, serverName)
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["west"] = &clientcmdapi.Cluster{Server: fleet.EgressPerLink.Server("west", namespace), TLSServerName: serverName, CertificateAuthorityData: ca}
	cfg.AuthInfos["west"] = &clientcmdapi.AuthInfo{Token: readerJWT}
	cfg.Contexts["west"] = &clientcmdapi.Context{Cluster: "west", AuthInfo: "west"}
	cfg.CurrentContext = "west"
	change(cfg)
	data, err := clientcmd.Write(*cfg)
	require.NoError(t, err)
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fleet.RemoteSecret("west")}, Data: map[string][]byte{"west": data}}
}

// replace puts another object of that name in place of the one that is there, or
// nothing.
func (s *source) replace(t *testing.T, name string, with ...runtime.Object) {
	t.Helper()
	ctx := t.Context()
	if name == fleet.RemoteSecret("west") {
		require.NoError(t, s.Client.CoreV1().Secrets(namespace).Delete(ctx, name, metav1.DeleteOptions{}))
	} else {
		require.NoError(t, s.Client.CoreV1().Pods(namespace).Delete(ctx, name, metav1.DeleteOptions{}))
	}
	for _, obj := range with {
		var err error
		switch o := obj.(type) {
		case *corev1.Secret:
			_, err = s.Client.CoreV1().Secrets(namespace).Create(ctx, o, metav1.CreateOptions{})
		case *corev1.Pod:
			_, err = s.Client.CoreV1().Pods(namespace).Create(ctx, o, metav1.CreateOptions{})
		}
		require.NoError(t, err)
	}
}

// issue makes a CA, and a certificate of it for the names.
func issue(t *testing.T, names ...string) (ca []byte, leaf tls.Certificate) {
	t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, caKey.Public(), caKey)
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: names, NotBefore: root.NotBefore, NotAfter: root.NotAfter}, root, key.Public(), caKey)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}), tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
