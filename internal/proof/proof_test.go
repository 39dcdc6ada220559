package proof

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	clienttesting "k8s.io/client-go/testing"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

func TestLink_InOrder_IsProvenByFiveChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		r, err := s.prober().prove(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, api.CheckLinkResult{Link: "east -> west", Proven: true, Checks: []api.LinkCheck{
			{Name: api.CheckRequest, OK: true, Detail: "connected in 0s, a request takes 0s"},
			{Name: api.CheckNoToken, OK: true, Detail: "401"},
			{Name: api.CheckOtherName, OK: true, Detail: "no connection"},
			{Name: api.CheckSynced, OK: true, Detail: "synced in 2 of 2"},
			{Name: api.CheckHolds, OK: true, Detail: "2 Services"},
		}}, r)
		require.Equal(t, []string{serverName, serverName, unservedName, serverName}, s.names)
		require.Empty(t, s.Writes())
		require.Zero(t, s.logs, "nothing needs an explanation")
	})
}

// istiod's connections come to any pod of the gateway, so that each must carry them.
func TestLink_WithTwoPods_IsProvenThroughBoth(t *testing.T) {
	const second = "kube-apiserver-west-egress-gateway-2"
	for name, c := range map[string]struct {
		does func(s *source) func(conn net.Conn)
		hop  string
		seen string
	}{
		"both carry it":       {func(s *source) func(net.Conn) { return func(conn net.Conn) { s.behind(conn, serverName) } }, "", "connected in 0s, a request takes 0s, through each of 2 pods of the egress gateway"},
		"the second hangs up": {func(*source) func(net.Conn) { return hangUp }, api.HopRoute, ""},
		"the second is drained": {func(s *source) func(net.Conn) {
			return func(conn net.Conn) {
				s.Put(pod(second, map[string]string{"app": fleet.EgressGateway("west")}, nil))
				hangUp(conn)
			}
		}, "", "connected in 0s, a request takes 0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t)
				s.another(t, second, c.does(s))
				r, err := s.prober().prove(t.Context(), 0)
				require.NoError(t, err)
				require.Equal(t, c.hop, r.Hop, r.Why)
				if c.hop != "" {
					require.Contains(t, r.Why, "through "+second)
					return
				}
				require.True(t, r.Proven)
				require.Equal(t, c.seen, r.Checks[0].Detail)
			})
		})
	}
}

// istiod knows a target by its cluster ID; the Secret has the target's name.
func TestLink_ToATargetWithAnotherClusterID_IsProvenByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		s.id = "cn-mesh-a"
		was, err := s.Client.CoreV1().Secrets(namespace).Get(t.Context(), fleet.RemoteSecret("west"), metav1.GetOptions{})
		require.NoError(t, err)
		was.Data = map[string][]byte{"cn-mesh-a": was.Data["west"]}
		s.replace(t, was.Name, was)
		for name := range s.istiod {
			s.istiod[name] = pages(map[string]string{"/debug/clusterz": strings.ReplaceAll(synced, `"id":"west"`, `"id":"cn-mesh-a"`),
				"/debug/endpointShardz": strings.ReplaceAll(shardsOfWest, "Kubernetes/west", "Kubernetes/cn-mesh-a"), "/debug/networkz": strings.ReplaceAll(gatewaysOfAll, `"Cluster":"west"`, `"Cluster":"cn-mesh-a"`)})
		}
		r, err := s.prober().prove(t.Context(), 0)
		require.NoError(t, err)
		require.True(t, r.Proven, r.Why)

		rivalSecret(multiCluster, "west")(t, s)
		r, err = s.prober().prove(t.Context(), 0)
		require.NoError(t, err)
		require.True(t, r.Proven, "another cluster may be called west")

		s.istiod["istiod-1"] = saysOfClusters(synced)
		r, err = s.prober().prove(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, "istiod-1 says of cn-mesh-a: not known", r.Why)
	})
}

// Other Secrets concern a link only where they name its target to istiod.
func TestLink_SecretsThatDoNotNameTheTarget_AreNoRivals(t *testing.T) {
	for name, add := range map[string]func(*testing.T, *source){
		"another cluster": rivalSecret(multiCluster, "north"),
		"no label":        rivalSecret(nil, "west"),
		"another value":   rivalSecret(map[string]string{"istio/multiCluster": "false"}, "west"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t)
				add(t, s)
				r, err := s.prober().prove(t.Context(), 0)
				require.NoError(t, err)
				require.True(t, r.Proven, r.Why)
			})
		})
	}
}

// A node tells of a gateway that resets what it does not serve in words of its own,
// which are those of its container runtime.
func TestLink_AGatewayThatResetsAnotherServerName_IsProven(t *testing.T) {
	for name, reset := range map[string]error{
		"containerd": errors.New("the pod's connection broke: read tcp4 127.0.0.1:51204->127.0.0.1:443: read: connection reset by peer"),
		"another":    &kube.PortError{Said: "socat: E read(5, 0x1, 8192): Connection reset by peer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t)
				onConnection(3, reset)(t, s)
				r, err := s.prober().prove(t.Context(), 0)
				require.NoError(t, err)
				require.True(t, r.Proven, r.Why)
			})
		})
	}
}

// onlyAfter has the egress gateway reach nobody until it took so many connections.
func onlyAfter(s *source, connections int) {
	s.egress = func(nr int, conn net.Conn) {
		if nr <= connections {
			hangUp(conn)
			return
		}
		s.behind(conn, serverName)
	}
}

func TestLink_ProvenWithinItsPatience_IsLookedAtNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		onlyAfter(s, 5)
		began := time.Now()
		r, err := s.prober().prove(t.Context(), time.Minute)
		require.NoError(t, err)
		require.True(t, r.Proven)
		require.Equal(t, 500*time.Millisecond, time.Since(began), "after 0.1 s each")
		require.Equal(t, 5+4, s.connections)
		require.Zero(t, s.logs)
	})
}

func TestLink_PatienceBelowAMinute_EndsWhenItIsOver(t *testing.T) {
	for _, patience := range []time.Duration{time.Second, 5 * time.Second, 59 * time.Second, 90 * time.Second} {
		t.Run(patience.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t)
				s.egress = func(_ int, conn net.Conn) { hangUp(conn) }
				s.log = func() (string, error) { return lineTCP, nil }
				began := time.Now()
				r, err := s.prober().prove(t.Context(), patience)
				require.NoError(t, err)
				require.Equal(t, api.HopTCP, r.Hop, "at the end it finds out why")
				require.Equal(t, patience, time.Since(began))
				require.Equal(t, 1, s.logs, "the log is read once, at the end")
			})
		})
	}
}

func TestLink_PatienceThatEndsWithinALook_LooksOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		s.egress = func(nr int, conn net.Conn) {
			time.Sleep(3 * time.Second)
			s.behind(conn, serverName)
		}
		r, err := s.prober().prove(t.Context(), time.Second)
		require.NoError(t, err)
		require.True(t, r.Proven, r.Why)
		require.Equal(t, 1+4, s.connections, "the look that was cut off says nothing")
	})
}

func TestLink_NoPatience_LooksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		onlyAfter(s, 1)
		r, err := s.prober().prove(t.Context(), 0)
		require.NoError(t, err)
		require.False(t, r.Proven)
		require.Equal(t, 1, s.connections)
	})
}

func TestLink_ALogThatComesLate_IsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		logged(lineMTLS)(t, s)
		began := time.Now()
		s.log = func() (string, error) {
			if time.Since(began) < 10*time.Second {
				return "", nil
			}
			return lineMTLS, nil
		}
		r, err := s.prober().prove(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, api.HopMTLS, r.Hop)
		require.Equal(t, 10*time.Second, time.Since(began))
	})
}

func TestLink_AGatewayThatNeverAnswers_EndsTheHandshakeAndNamesTheRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		s.egress = func(_ int, conn net.Conn) { hold(conn) }
		began := time.Now()
		r, err := s.prober().prove(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, api.HopRoute, r.Hop)
		require.Contains(t, r.Why, "no TLS session for api.west.example.com")
		require.Less(t, time.Since(began), lastLook)
	})
}

// A look that its end cuts off proves nothing: no answer at the end of time would
// pass for "no connection".
func TestLink_ALookWithoutEnd_IsAnErrorAndNoProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		s.egress = func(nr int, conn net.Conn) {
			if nr == 3 {
				hold(conn)
				return
			}
			time.Sleep(14 * time.Second)
			s.behind(conn, serverName)
		}
		s.apiServer = slowly(s.apiServer, 7*time.Second)
		r, err := s.prober().prove(t.Context(), 0)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "the proof did not end within 1m0s")
		require.False(t, r.Proven)
	})
}

func TestLink_Cancelled_ReturnsTheContextsError(t *testing.T) {
	for name, patience := range map[string]time.Duration{"while it looks once": 0, "while it is patient": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t)
				s.egress = func(_ int, conn net.Conn) { hold(conn) }
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(5*time.Second, cancel)
				_, err := s.prober().prove(ctx, patience)
				require.ErrorIs(t, err, context.Canceled)
			})
		})
	}
}

// Another worker goes on; a proof that a worker gave up when it was asked to stop
// would be a link that is not proven, and undone.
func TestLink_TheWorkerStops_IsNoAnswer(t *testing.T) {
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	stop := make(chan struct{})
	close(stop)
	env.SetWorkerStopChannel(stop)
	s := newSource(t)
	s.egress = func(_ int, conn net.Conn) { hangUp(conn) }
	prove := func(ctx context.Context) error {
		_, err := s.prober().prove(ctx, time.Hour)
		var stopping *kube.StoppingError
		if !errors.As(err, &stopping) {
			return fmt.Errorf("want a *kube.StoppingError, got %w", err)
		}
		return nil
	}
	env.RegisterActivity(prove)
	_, err := env.ExecuteActivity(prove)
	require.NoError(t, err)
}

func TestLink_ASourceThatCannotBeLookedAt_IsAnErrorThatNamesTheObject(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "x", errors.New("no"))
	for want, refuse := range map[string]func(clienttesting.Action) bool{
		"read Secret istio-system/istio-remote-secret-west": func(a clienttesting.Action) bool { return a.GetVerb() == "get" },
		"list the pods of kube-apiserver-west-egress-gateway": func(a clienttesting.Action) bool {
			list, ok := a.(clienttesting.ListAction)
			return ok && strings.Contains(list.GetListRestrictions().Labels.String(), "egress")
		},
		"list the remote secrets": func(a clienttesting.Action) bool { return a.Matches("list", "secrets") },
		"list the istiod pods": func(a clienttesting.Action) bool {
			list, ok := a.(clienttesting.ListAction)
			return ok && strings.Contains(list.GetListRestrictions().Labels.String(), "istiod")
		},
	} {
		for _, patience := range []time.Duration{0, time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t)
				s.React("*", "*", func(a clienttesting.Action) (bool, runtime.Object, error) { return refuse(a), nil, forbidden })
				began := time.Now()
				_, err := s.prober().prove(t.Context(), patience)
				require.ErrorContains(t, err, want)
				require.True(t, apierrors.IsForbidden(err))
				require.Zero(t, time.Since(began), "patience does not help")
			})
		}
	}
}

func TestLink_AReadyPodBesideOthers_IsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		labels := map[string]string{"app": fleet.EgressGateway("west")}
		s.replace(t, egressName, pod("a-pending", labels, nil), pod(egressName, labels, ready), pod("z-failed", labels, func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }))
		r, err := s.prober().prove(t.Context(), 0)
		require.NoError(t, err)
		require.True(t, r.Proven, r.Why)
	})
}

// Link itself goes by port-forward. A source without the remote secret needs none.
func TestLink_OfACluster_StartsAtTheRemoteSecret(t *testing.T) {
	ref := api.LinkRef{ClusterRef: api.ClusterRef{Cluster: "east", Namespace: namespace}, Link: fleet.Link{From: "east", To: "west"}}
	r, err := Link(t.Context(), kubetest.New("east").Cluster, ref, 0)
	require.NoError(t, err)
	require.Equal(t, "the path breaks at remote secret: there is no Secret istio-system/istio-remote-secret-west in the source; "+api.HopHint(api.HopSecret), r.Sentence())
}

// A shared egress gateway has a port for each target; the Service of the remote secret's server
// tells which.
func TestLink_ThroughASharedGateway_IsProvenOnItsPort(t *testing.T) {
	shared := func(t *testing.T, service ...runtime.Object) *source {
		s := newSource(t)
		s.replace(t, fleet.RemoteSecret("west"), remoteSecretOf(t, func(c *clientcmdapi.Config) {
			c.Clusters["west"].CertificateAuthorityData = s.ca
			c.Clusters["west"].Server = fleet.EgressShared.Server("west", namespace)
		}))
		s.replace(t, egressName, pod(egressName, map[string]string{"app": fleet.SharedEgressGateway}, ready))
		for _, o := range service {
			s.Put(o)
		}
		s.port = 20007
		return s
	}
	leadsTo := func(app string) *corev1.Service {
		return &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fleet.EgressShared.Service("west")},
			Spec: corev1.ServiceSpec{Selector: map[string]string{"app": app}, Ports: []corev1.ServicePort{{Port: 443, TargetPort: intstr.FromInt(20007)}}}}
	}
	for name, c := range map[string]struct {
		with []runtime.Object
		why  string
	}{
		"in order":        {[]runtime.Object{leadsTo(fleet.SharedEgressGateway)}, ""},
		"without Service": {nil, "there is no Service"},
		"led elsewhere":   {[]runtime.Object{leadsTo("another")}, "does not lead to " + fleet.SharedEgressGateway},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, err := shared(t, c.with...).prober().prove(t.Context(), 0)
				require.NoError(t, err)
				require.Equal(t, c.why == "", r.Proven, r.Why)
				if c.why != "" {
					require.Equal(t, api.HopEgress, r.Hop)
					require.Contains(t, r.Why, c.why)
					return
				}
				require.Equal(t, fleet.EgressShared, r.EgressMode)
			})
		})
	}
}
