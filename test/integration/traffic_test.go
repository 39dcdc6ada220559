package integration

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
)

var wholeWay = flag.Bool("whole-way", false, "run what make e2e has beyond make test")

const westTunnel = "kube-apiserver-west.istio-system.svc.cluster.local"

// The clusters of this test run real istiods, Envoys and apps. Its parts build on each
// other.
func TestRealNodes_TheTunnelCarriesAndNothingElseDoes(t *testing.T) {
	r := newReal(t, 3, "\n  - {from: east, to: west}\n  - {from: west, to: east}\n  - {from: north, to: west}", "--two-nodes", "east,west")
	same := r.unchanged(clusters...)
	image, layout := make(chan error, 1), filepath.Join(t.TempDir(), "image")
	go func() {
		_, err := makeImage(filepath.Join("..", ".."), layout)
		image <- err
	}()
	part := func(name string, does func()) {
		done := t.Run(name, func(t *testing.T) {
			outer := r.t
			r.t = t
			t.Cleanup(func() { r.t = outer })
			does()
		})
		require.True(t, done, "what follows builds on the part %q", name)
	}
	part("rollout ends with the proof", func() {
		r.rollout()
		t.Logf("\n%s", r.must("verify", "-f", r.fleet))
	})
	part("istiod reads the other clusters' endpoints", func() {
		t.Logf("a Service of west in east's istiod after %s", r.sees("east", "west", "seen"))
		t.Logf("a Service of east in west's istiod after %s", r.sees("west", "east", "seen"))
	})
	part("an app of west answers a pod of east", r.appTraffic)
	part("readers are told apart", r.readersAreToldApart)
	part("tokens are renewed under traffic", r.rotatesTokens)
	part("intermediates are renewed under traffic", r.rotatesIntermediates)
	if *wholeWay {
		part("istiod does without the Secrets of others", r.doesWithoutSecrets)
	}
	part("egress gateways are shared, and not, under traffic", r.sharesEgress)
	part("nothing else gets in", r.shut)
	part("a NetworkPolicy is enforced", r.networkPolicies)
	part("istioctl agrees", r.istioctlAgrees)
	part("the drain of a node cuts nothing", r.drains)
	if *wholeWay {
		part("the next istiod comes beside the one before", r.besideTheOld)
	}
	part("what dies comes back", r.recovers)
	part("each broken hop is named", r.brokenLegs)
	part("an istiod that is stuck is seen", r.stuckIstiod)
	if *wholeWay {
		part("an istiod that forgets is seen", r.forgetfulIstiod)
	}
	part("another address is followed", r.rotates)
	part("a node port carries it without a load balancer", r.nodePort)
	part("a link that goes is shut", r.revokes)
	part("cleanup takes no control plane from a sidecar", func() {
		out, code := r.try("cleanup", "-f", r.fleet)
		require.Equal(r.t, 2, code, out)
		require.Regexp(r.t, `namespace demo of east \(\d pods?\), namespace demo of west \(\d pods?\); take them out of the mesh first, or give --force`, out)
		require.Contains(r.t, out, "nothing was removed")
	})
	part("cleanup leaves nothing", func() {
		r.deleteNamespace("demo", "east", "west")
		began := time.Now()
		r.must("cleanup", "-f", r.fleet)
		t.Logf("cleanup: %.1f s", time.Since(began).Seconds())
	})
	same()
	t.Run("the worker's image does it from inside a cluster", func(t *testing.T) {
		r.t = t
		made := <-image
		require.NoError(t, made)
		r.fromInside(t, layout)
	})
	same()
	t.Run("a mesh that was there carries it through its own gateway", func(t *testing.T) {
		r.t = t
		r.existingMesh(t)
	})
	if *wholeWay {
		t.Run("the guide's mesh is adopted and given back under traffic", func(t *testing.T) {
			r.t = t
			r.adoptsTheGuide(t)
		})
	}
}

// appPod is a pod in the mesh, with its name, its label and its command.
const appPod = "/api/v1/namespaces/demo/pods\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, labels: {app: %s}}\nspec: {terminationGracePeriodSeconds: 1, containers: [{name: app, image: lab.example/pod:1, command: %s}]}\n"

// appTraffic requires that a pod of east calls an app of west over 15443.
func (r *real) appTraffic() {
	for _, c := range []string{"east", "west"} {
		r.create(c, "/api/v1/namespaces\napiVersion: v1\nkind: Namespace\nmetadata: {name: demo, labels: {istio-injection: enabled}}\n")
	}
	r.create("west", "/api/v1/namespaces/demo/services\napiVersion: v1\nkind: Service\nmetadata: {name: hello}\nspec: {selector: {app: hello}, ports: [{name: http, port: 8080}]}\n",
		fmt.Sprintf(appPod, "hello", "hello", `[/usr/local/bin/pod, serve, ":8080", "hello from west"]`))
	r.create("east", fmt.Sprintf(appPod, "client", "client", `[/usr/local/bin/pod, pause]`))
	r.eventually("east's pod calls west's app", func() error {
		out, err := r.exec("east", "demo", "client", "app", "/usr/local/bin/pod", "get", "http://hello.demo.svc.cluster.local:8080/")
		if err == nil && !strings.Contains(out, "hello from west") {
			err = fmt.Errorf("%s", out)
		}
		if err == nil {
			r.t.Log(out)
		}
		return err
	})
}

// shut tries every other way to reach the API server, and requires that each fails.
func (r *real) shut() {
	var west string
	for _, c := range r.lab.Clusters {
		if c.Name == "west" {
			west = c.APIAddress()
		}
	}
	out, err := r.inNode("east", "pod", "tls", west, "api.west.lab.example")
	require.ErrorContains(r.t, err, "exit status")
	require.Contains(r.t, out, "unreachable", "east has no route to west's API server")
	r.t.Logf("west's API server from east: %s", out)
	// The same holds where somebody in east sets a route to it.
	host, _, _ := strings.Cut(west, ":")
	_, err = r.inNode("east", "ip", "route", "add", host, "via", "198.51.100.11")
	require.NoError(r.t, err)
	out, err = r.inNode("east", "pod", "tls", west, "api.west.lab.example")
	require.Error(r.t, err)
	r.t.Logf("with a route: %s", out)
	_, err = r.inNode("east", "ip", "route", "del", host)
	require.NoError(r.t, err)

	address := r.apiAddress("west")
	linked := r.identity("east", "istio-system", "kube-apiserver-east-to-west")
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"the linked source's identity", "open", linked},
		{"no certificate", "shut", nil},
		{"another workload of the mesh", "shut", r.identity("east", "demo", "default")},
		{"a source without a link", "shut", r.identity("north", "istio-system", "kube-apiserver-north-to-east")},
		{"the east-west gateway's own", "shut", r.identity("east", "istio-system", "istio-eastwestgateway")},
		// Every CA of the mesh may sign every name: only another root would stop it.
		{"the linked source's identity, by another member's CA", "open", r.identity("north", "istio-system", "kube-apiserver-east-to-west")},
	} {
		out, err := r.inNode("east", "pod", append([]string{"tls", address, westTunnel}, c.args...)...)
		r.t.Logf("16443 with %s: %s", c.name, out)
		if c.want == "open" {
			require.NoError(r.t, err, out)
		} else {
			require.Error(r.t, err, "%s: %s", c.name, out)
		}
	}
	for _, line := range r.gatewaySaid("west", "rbac_access_denied") {
		r.t.Logf("west's gateway said: %s", line)
	}
}

// apiAddress returns a cluster's load balancer address with the port for API servers.
func (r *real) apiAddress(cluster string) string {
	svc, err := r.connect(cluster).CoreV1().Services("istio-system").Get(context.Background(), "istio-eastwestgateway", metav1.GetOptions{})
	require.NoError(r.t, err)
	require.NotEmpty(r.t, svc.Status.LoadBalancer.Ingress)
	return net.JoinHostPort(svc.Status.LoadBalancer.Ingress[0].IP, "16443")
}

// gatewaySaid returns the lines of an east-west gateway's access log with that word. Envoy
// takes up to 10 s to write them.
func (r *real) gatewaySaid(cluster, word string) (lines []string) {
	r.eventually("the gateway of "+cluster+" says "+word, func() error {
		pods, err := r.pods(cluster, "istio-system", "app=istio-eastwestgateway")
		if err != nil {
			return err
		}
		for _, pod := range pods {
			data, err := r.connect(cluster).CoreV1().Pods("istio-system").GetLogs(pod.Name, &corev1.PodLogOptions{Container: "istio-proxy"}).DoRaw(context.Background())
			if err != nil {
				return err
			}
			for l := range strings.Lines(string(data)) {
				if strings.Contains(l, word) {
					lines = append(lines, strings.TrimSpace(l))
				}
			}
		}
		if len(lines) == 0 {
			return fmt.Errorf("not in its log")
		}
		return nil
	})
	return lines
}

// identity issues a certificate of the mesh with a cluster's own intermediate,
// as istiod would for a workload, and returns the files' names.
func (r *real) identity(cluster, namespace, account string) []string {
	s, err := r.connect(cluster).CoreV1().Secrets("istio-system").Get(context.Background(), "cacerts", metav1.GetOptions{})
	require.NoError(r.t, err)
	ca, err := tls.X509KeyPair(s.Data["ca-cert.pem"], s.Data["ca-key.pem"])
	require.NoError(r.t, err)
	issuer, err := x509.ParseCertificate(ca.Certificate[0])
	require.NoError(r.t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(r.t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		URIs: []*url.URL{{Scheme: "spiffe", Host: "cluster.local", Path: "/ns/" + namespace + "/sa/" + account}}}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), ca.PrivateKey)
	require.NoError(r.t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(r.t, err)
	file := filepath.Join(r.dir, cluster+"-"+account)
	cert, keyFile := file+".crt", file+".key"
	chain := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), s.Data["cert-chain.pem"]...)
	require.NoError(r.t, os.WriteFile(cert, chain, 0o600))
	require.NoError(r.t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600))
	return []string{cert, keyFile}
}

// rotates gives every load balancer another address, and requires that a rollout follows.
func (r *real) rotates() {
	old := r.apiAddress("west")
	r.behave("--cloud-generation", "1")
	r.eventually("the cloud changes the address", func() error {
		if now := r.apiAddress("west"); now == old {
			return fmt.Errorf("it is still %s", old)
		}
		return nil
	})
	broken := r.verify()["east -> west"]
	require.Equal(r.t, api.HopTCP, broken.Hop, broken.Sentence())
	r.rollout()
	r.allProven()
	r.t.Logf("%s is now %s, and traffic flows", old, r.apiAddress("west"))
}

// revokes shuts north out, and requires that north gets no connection any more, and that
// its open one ends. Then the link leaves the fleet file.
func (r *real) revokes() {
	address, north := r.apiAddress("west"), r.identity("north", "istio-system", "kube-apiserver-north-to-west")
	open := r.lab.InNode(context.Background(), "north", "pod", append([]string{"hold", address, westTunnel}, north...)...)
	ended := make(chan string, 1)
	began := time.Now()
	go func() {
		out, _ := open.CombinedOutput()
		ended <- strings.TrimSpace(string(out))
	}()
	_, err := r.inNode("north", "pod", append([]string{"tls", address, westTunnel}, north...)...)
	require.NoError(r.t, err, "the link is open before")

	r.t.Log(r.must("revoke", "-f", r.fleet, "--link", "north.west", "--reason", "measured", "--yes"))
	shut := time.Now()
	refused := r.eventually("a new connection of north is refused", func() error {
		if out, err := r.inNode("north", "pod", append([]string{"tls", address, westTunnel}, north...)...); err == nil {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	r.t.Logf("a new connection is refused %s after the revoke", refused)
	select {
	case out := <-ended:
		r.t.Logf("the open connection ended %s after the revoke, %s after it began: %s", time.Since(shut), time.Since(began), out)
	case <-time.After(90 * time.Second):
		r.t.Error("the open connection is still open 90 s after the revoke")
	}
	data, err := os.ReadFile(r.fleet)
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(r.fleet, []byte(strings.Replace(string(data), "\n  - {from: north, to: west}", "", 1)), 0o600))
	r.must("rollout", "-f", r.fleet, "--prune")
	r.allProven() // the other links still work
}
