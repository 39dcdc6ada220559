package proof

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The lines are Envoy's own, from real gateways that were broken in each way.
const (
	lineTail    = ` 0 0 1 - "-" "-" "-" "-" "203.0.113.30:16443" outbound|16443||kube-apiserver-west.istio-system.svc.cluster.local - 127.0.0.1:443 127.0.0.1:51432 kubernetes.default.svc -`
	lineTCP     = `[2026-11-24T06:28:51.601Z] "- - -" 0 UF,URX - - "delayed_connect_error:_Network_is_unreachable"` + lineTail
	lineMTLS    = `[2026-11-24T06:28:51.561Z] "- - -" 0 UF,URX - - "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_SAN_matcher"` + lineTail
	lineDenied  = `[2026-11-24T06:28:51.601Z] "- - -" 0 - - - "-" 1514 0 1006 - "-" "-"` + lineTail
	lineNoRoute = `[2026-11-24T06:28:51.601Z] "- - -" 0 NR filter_chain_not_found - "-"` + lineTail
	lineNoHost  = `[2026-11-24T06:28:51.601Z] "- - -" 0 UH - - "-"` + lineTail
	lineNotMine = `[2026-11-24T06:28:51.601Z] "- - -" 0 - - rbac_access_denied_matched_policy[none] "-"` + lineTail
	lineDeny    = `[2026-11-24T06:28:51.601Z] "- - -" 0 - - rbac_access_denied_matched_policy[ns[istio-system]-policy[no-admin]-rule[0]] "-"` + lineTail
)

// logged has the egress gateway close what comes, and write this into its log.
func logged(line string) func(*testing.T, *source) {
	return func(_ *testing.T, s *source) {
		s.egress = func(_ int, conn net.Conn) { hangUp(conn) }
		s.log = func() (string, error) { return line + "\n", nil }
	}
}

func secretWith(change func(*clientcmdapi.Config)) func(*testing.T, *source) {
	return func(t *testing.T, s *source) { s.replace(t, fleet.RemoteSecret("west"), remoteSecretOf(t, change)) }
}

func egressPod(change func(*corev1.Pod)) func(*testing.T, *source) {
	return func(t *testing.T, s *source) {
		s.replace(t, egressName, pod(egressName, map[string]string{"app": fleet.EgressGateway("west")}, change))
	}
}

func apiServer(h http.HandlerFunc) func(*testing.T, *source) {
	return func(_ *testing.T, s *source) { s.apiServer = h }
}

func istiod(h http.HandlerFunc) func(*testing.T, *source) {
	return func(_ *testing.T, s *source) { s.istiod["istiod-2"] = h }
}

func syncStatus(status string) func(*testing.T, *source) {
	return readThrough("istio-system/istio-remote-secret-west", status)
}

// readThrough has one of the istiods read the target by a Secret.
func readThrough(secret, status string) func(*testing.T, *source) {
	return istiod(saysOfClusters(`[{"id":"east","syncStatus":"synced"},{"id":"west","secretName":"` + secret + `","syncStatus":"` + status + `"}]`))
}

// rivalSecret adds another remote secret that names clusters.
func rivalSecret(labels map[string]string, clusters ...string) func(*testing.T, *source) {
	return func(t *testing.T, s *source) {
		other := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "west-kubeconfig", Labels: labels}, Data: map[string][]byte{}}
		for _, c := range clusters {
			other.Data[c] = []byte("any")
		}
		_, err := s.Client.CoreV1().Secrets(namespace).Create(t.Context(), other, metav1.CreateOptions{})
		require.NoError(t, err)
	}
}

var multiCluster = map[string]string{"istio/multiCluster": "true"}

// onConnection breaks one of the connections to the egress gateway: 1 is that of
// the request, 2 that without token, 3 that for another server name.
func onConnection(nr int, err error) func(*testing.T, *source) {
	return func(_ *testing.T, s *source) {
		s.dialError = func(at int) error {
			if at == nr {
				return err
			}
			return nil
		}
	}
}

var (
	errPortForward = errors.New("port-forward to pod istio-system/" + egressName + ": unable to upgrade streaming request: pod does not exist")
	refused        = &kube.PortError{Refused: true, Said: "error forwarding port 443 to pod 0a1b: dial tcp4 127.0.0.1:443: connect: connection refused"}
	noSandbox      = &kube.PortError{Said: "error forwarding port 443 to pod 0a1b: failed to find sandbox \"0a1b\" in store: not found"}
)

// broken are links that break, each in its own way, in the order of the hops.
var broken = []struct {
	name, hop string
	does      func(*testing.T, *source)
}{
	{"no remote secret", api.HopSecret, func(t *testing.T, s *source) { s.replace(t, fleet.RemoteSecret("west")) }},
	{"a remote secret without a kubeconfig", api.HopSecret, func(t *testing.T, s *source) {
		s.replace(t, fleet.RemoteSecret("west"), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fleet.RemoteSecret("west")}})
	}},
	{"a remote secret without a server name", api.HopSecret, secretWith(func(c *clientcmdapi.Config) { c.Clusters["west"].TLSServerName = "" })},
	{"a remote secret without a token", api.HopSecret, secretWith(func(c *clientcmdapi.Config) { c.AuthInfos["west"].Token = "" })},
	{"a remote secret without a user", api.HopSecret, secretWith(func(c *clientcmdapi.Config) { delete(c.AuthInfos, "west") })},
	{"a remote secret without a CA", api.HopSecret, secretWith(func(c *clientcmdapi.Config) { c.Clusters["west"].CertificateAuthorityData = []byte("none") })},

	{"no egress pod", api.HopEgress, func(t *testing.T, s *source) { s.replace(t, egressName) }},
	{"an egress pod that is pending", api.HopEgress, egressPod(nil)},
	{"an egress pod that is not ready", api.HopEgress, egressPod(func(p *corev1.Pod) {
		ready(p)
		p.Status.Conditions[0].Status = corev1.ConditionFalse
	})},
	{"an egress pod that is being deleted", api.HopEgress, egressPod(func(p *corev1.Pod) {
		ready(p)
		now := metav1.Now()
		p.DeletionTimestamp, p.Finalizers = &now, []string{"x"}
	})},
	{"no port-forward", api.HopEgress, onConnection(1, errPortForward)},
	{"a node that cannot connect", api.HopEgress, onConnection(1, noSandbox)},
	{"a node that says no more of a gateway that resets", api.HopTCP, func(t *testing.T, s *source) {
		onConnection(1, noSandbox)(t, s)
		s.log = func() (string, error) { return lineTCP, nil }
	}},

	{"a gateway that does not listen", api.HopRoute, onConnection(1, refused)},
	{"a gateway that does not know the target", api.HopRoute, func(t *testing.T, s *source) {
		logged("")(t, s)
		s.envoy = answer(`{"cluster_statuses":[{"name":"prometheus_stats"}]}`)
	}},
	{"no route", api.HopRoute, logged(lineNoRoute)},
	{"a policy of the source", api.HopSourcePolicy, logged(lineNotMine)},
	{"a DENY policy of the source", api.HopSourcePolicy, logged(lineDeny)},
	{"no session and nothing in the log", api.HopRoute, logged("")},
	{"no session and a log that cannot be read", api.HopRoute, func(t *testing.T, s *source) {
		logged("")(t, s)
		s.log = func() (string, error) { return "", errors.New("pods \"" + egressName + "\" not found") }
	}},

	{"a name that does not resolve", api.HopName, func(t *testing.T, s *source) {
		logged("")(t, s)
		s.envoy = answer(clustersOf())
	}},
	{"no address, by the log", api.HopName, func(t *testing.T, s *source) {
		logged(lineNoHost)(t, s)
		s.envoy = status(http.StatusServiceUnavailable)
	}},
	{"no way to the target", api.HopTCP, func(t *testing.T, s *source) {
		logged(lineTCP)(t, s)
		s.envoy = answer("not JSON")
	}},
	{"another root", api.HopMTLS, logged(lineMTLS)},
	{"not allowed", api.HopAuthorization, logged(lineDenied)},
	{"a connection that breaks at a request", api.HopAuthorization, func(_ *testing.T, s *source) {
		s.apiServer = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	}},

	{"another CA", api.HopAPITLS, secretWith(func(*clientcmdapi.Config) {})},
	{"another name in the certificate", api.HopAPITLS, func(t *testing.T, s *source) {
		ca, leaf := issue(t, "kubernetes.default.svc")
		s.certificate = leaf
		secretWith(func(c *clientcmdapi.Config) { c.Clusters["west"].CertificateAuthorityData = ca })(t, s)
	}},
	{"an API server that is not ready", api.HopAPITLS, apiServer(status(http.StatusInternalServerError))},

	{"a token that is not accepted", api.HopToken, apiServer(status(http.StatusUnauthorized))},
	{"a token that may not read", api.HopToken, apiServer(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			w.WriteHeader(http.StatusForbidden)
		}
	})},
	{"everybody may read", api.HopToken, apiServer(status(http.StatusOK))},
	{"no port-forward without a token", api.HopEgress, onConnection(2, errPortForward)},
	{"a connection without a token that breaks", api.HopAuthorization, func(_ *testing.T, s *source) {
		s.apiServer = func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "" {
				panic(http.ErrAbortHandler)
			}
		}
	}},
	{"no session without a token", api.HopTCP, func(_ *testing.T, s *source) {
		s.egress = func(nr int, conn net.Conn) {
			if nr == 2 {
				hangUp(conn)
				return
			}
			s.behind(conn, serverName)
		}
		s.log = func() (string, error) { return lineTCP, nil }
	}},

	{"any name gets through", api.HopRoute, func(t *testing.T, s *source) {
		ca, both := issue(t, serverName, unservedName)
		s.certificate = both
		s.egress = func(_ int, conn net.Conn) { s.behind(conn, serverName, unservedName) }
		secretWith(func(c *clientcmdapi.Config) { c.Clusters["west"].CertificateAuthorityData = ca })(t, s)
	}},
	{"any name reaches a server", api.HopRoute, func(_ *testing.T, s *source) {
		s.egress = func(_ int, conn net.Conn) { s.behind(conn, serverName, unservedName) }
	}},
	{"no port-forward for another name", api.HopEgress, onConnection(3, errPortForward)},
	{"a gateway that stops listening", api.HopRoute, onConnection(3, refused)},

	{"no istiod", api.HopIstiod, func(t *testing.T, s *source) {
		s.replace(t, "istiod-1")
		s.replace(t, "istiod-2", pod("istiod-2", map[string]string{"app": "istiod"}, nil))
	}},
	{"an istiod that does not know the target", api.HopIstiod, istiod(saysOfClusters(`[{"id":"east","syncStatus":"synced"}]`))},
	{"an istiod that reads it still", api.HopIstiod, syncStatus("syncing")},
	{"an istiod that gave up", api.HopIstiod, syncStatus("timeout")},
	{"an istiod that forgot it", api.HopIstiod, syncStatus("closed")},
	{"an istiod that does not answer", api.HopIstiod, func(_ *testing.T, s *source) { delete(s.istiod, "istiod-2") }},
	{"an istiod that has no such page", api.HopIstiod, istiod(status(http.StatusNotFound))},
	{"an istiod that answers nonsense", api.HopIstiod, istiod(answer("<html>"))},

	{"an istiod that reads another Secret", api.HopOtherSecret, readThrough("istio-system/west-kubeconfig", "synced")},
	{"an istiod that reads a Secret of that name elsewhere", api.HopOtherSecret, readThrough("other/istio-remote-secret-west", "synced")},
	{"an istiod that fails to read another Secret", api.HopOtherSecret, readThrough("istio-system/west-kubeconfig", "timeout")},
	{"an istiod that has the target's ID itself", api.HopOtherSecret, readThrough("", "synced")},
	{"an istiod that lost all endpoints of the target", api.HopView, page("/debug/endpointShardz", strings.ReplaceAll(shardsOfWest, "Kubernetes/west", "Kubernetes/north"))},
	{"an istiod that holds old endpoints", api.HopView, page("/debug/endpointShardz", strings.ReplaceAll(shardsOfWest, "10.2.0.7", "10.2.0.6"))},
	{"an istiod that forgot the gateway of the target's network", api.HopView, page("/debug/networkz", `[{"Network":"east","Cluster":"east","Addr":"198.51.100.1"}]`)},
	{"an istiod that has an old address of that gateway", api.HopView, page("/debug/networkz", strings.ReplaceAll(gatewaysOfAll, "198.51.100.7", "198.51.100.6"))},
	{"an istiod whose watch is refused for ever", api.HopView, func(_ *testing.T, s *source) {
		s.istiodLog = func(time.Time) string { return lineRefused }
	}},
	{"an istiod that tells nothing of its endpoints", api.HopIstiod, page("/debug/endpointShardz", "<html>")},
	{"a target that answers nonsense", api.HopAPITLS, func(_ *testing.T, s *source) { s.apiServer = having("<html>", targetGateway) }},
	{"a target that fails to list", api.HopAPITLS, func(_ *testing.T, s *source) {
		s.apiServer = func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "endpointslices") {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			onlyReaders(w, r)
		}
	}},

	{"another Secret that istiod ignores for now", api.HopOtherSecret, rivalSecret(multiCluster, "north", "west")},
}

// Each link that breaks is a paragraph in the golden file: the checks that were
// made, the hop, and why.
func TestLink_BrokenInEachWay_NamesTheHopAndTheCause(t *testing.T) {
	var out strings.Builder
	seen := map[string]bool{}
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t)
				b.does(t, s)
				r, err := s.prober().prove(t.Context(), 0)
				require.NoError(t, err)
				require.False(t, r.Proven)
				require.Equal(t, b.hop, r.Hop, r.Why)
				require.Equal(t, api.HopHint(b.hop), r.Look)
				require.Equal(t, r.Why, r.Checks[len(r.Checks)-1].Detail)
				data, err := json.Marshal(r)
				require.NoError(t, err)
				require.NotContains(t, string(data), readerJWT)
				fmt.Fprintf(&out, "%s\n", b.name)
				for _, c := range r.Checks {
					fmt.Fprintf(&out, "  %-18s %s\n", c.Name, map[bool]string{true: "ok", false: "FAILED"}[c.OK])
				}
				fmt.Fprintf(&out, "  %s: %s\n\n", r.Hop, r.Why)
			})
		})
		seen[b.hop] = true
	}
	for _, hop := range []string{api.HopSecret, api.HopEgress, api.HopSourcePolicy, api.HopRoute, api.HopName, api.HopTCP, api.HopMTLS, api.HopAuthorization, api.HopAPITLS, api.HopToken, api.HopIstiod, api.HopView, api.HopOtherSecret} {
		require.True(t, seen[hop], "nothing breaks at %s", hop)
	}
	golden(t, "testdata/broken.golden", out.String())
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	require.Equal(t, string(want), got)
}
