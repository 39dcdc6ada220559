package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/api"
)

const (
	istioObjects = "/apis/networking.istio.io/v1/namespaces/istio-system/"
	coreObjects  = "/api/v1/namespaces/istio-system/"
	policies     = "/apis/security.istio.io/v1/namespaces/istio-system/authorizationpolicies"
)

// hop breaks a link in one way, and names the hop that the proof must find broken.
type hop struct {
	link, want string
	does       func(r *real)
	repair     func(r *real) // where a rollout does not repair it
}

// rounds lists what is broken. Each round breaks each link somewhere else, and the rollout
// after it repairs them. The CA comes last: istiod 1.31 stops reading remote secrets when
// one is replaced by a broken one, then repaired, and then deleted.
var rounds = [][]hop{
	{
		{"east -> west", api.HopSecret, func(r *real) { r.patch("east", coreObjects+"secrets/istio-remote-secret-west", "") }, nil},
		// The policy stays until the last round: with it, Landbridge's own opens what each link needs.
		{"west -> east", api.HopSourcePolicy, func(r *real) {
			r.create("west", policies+"\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: allow-nothing}\nspec: {}\n")
			r.patch("west", policies+"/kube-apiserver-east-egress-gateway", "")
		}, nil},
		{"north -> west", api.HopOtherSecret, func(r *real) {
			r.create("north", coreObjects+"secrets\napiVersion: v1\nkind: Secret\nmetadata: {name: west-kubeconfig, labels: {istio/multiCluster: \"true\"}}\nstringData: {west: none}\n")
		}, func(r *real) { r.patch("north", coreObjects+"secrets/west-kubeconfig", "") }},
	},
	{
		{"east -> west", api.HopEgress, scale("0"), scale("1")},
		{"west -> east", api.HopRoute, func(r *real) { r.patch("west", istioObjects+"virtualservices/kube-apiserver-east-egress-gateway", "") }, nil},
		{"north -> west", api.HopName, func(r *real) {
			r.patch("north", istioObjects+"serviceentries/kube-apiserver-west-egress-gateway", `{"spec":{"resolution":"DNS","endpoints":[{"address":"nobody.lab.example"}]}}`)
		}, nil},
	},
	{
		{"east -> west", api.HopTCP, func(r *real) {
			r.patch("east", istioObjects+"serviceentries/kube-apiserver-west-egress-gateway", `{"spec":{"endpoints":[{"address":"203.0.113.30"}]}}`)
		}, nil},
		{"west -> east", api.HopMTLS, func(r *real) {
			r.patch("west", istioObjects+"serviceentries/kube-apiserver-east-egress-gateway", `{"spec":{"subjectAltNames":["spiffe://cluster.local/ns/istio-system/sa/somebody-else"]}}`)
		}, nil},
		{"north -> west", api.HopAuthorization, func(r *real) {
			c := r.connect("west")
			data, err := c.RESTClient().Get().AbsPath(policies).Param("labelSelector", "landbridge.dev/link=north.west").DoRaw(context.Background())
			require.NoError(r.t, err)
			_, rest, _ := strings.Cut(string(data), `"name":"`)
			name, _, _ := strings.Cut(rest, `"`)
			require.NotEmpty(r.t, name)
			r.patch("west", policies+"/"+name, "")
		}, nil},
	},
	{
		{"east -> west", api.HopAPITLS, otherCA, nil},
		{"west -> east", api.HopToken, func(r *real) { r.patch("east", coreObjects+"secrets/"+r.newest("west", "east"), "") }, nil},
		{"north -> west", api.HopIstiod, func(r *real) {
			r.patch("north", coreObjects+"secrets/istio-remote-secret-west", `{"metadata":{"labels":{"istio/multiCluster":null}}}`)
		}, nil},
	},
}

func scale(replicas string) func(*real) {
	return func(r *real) {
		r.patch("east", "/apis/apps/v1/namespaces/istio-system/deployments/kube-apiserver-west-egress-gateway", `{"spec":{"replicas":`+replicas+`}}`)
	}
}

// otherCA gives east's remote secret the CA of another API server.
func otherCA(r *real) {
	s, err := r.connect("east").CoreV1().Secrets("istio-system").Get(context.Background(), "istio-remote-secret-west", metav1.GetOptions{})
	require.NoError(r.t, err)
	cfg, err := clientcmd.Load(s.Data["west"])
	require.NoError(r.t, err)
	for _, c := range cfg.Clusters {
		c.CertificateAuthorityData = r.connect("north").cfg.CAData
	}
	data, err := clientcmd.Write(*cfg)
	require.NoError(r.t, err)
	r.patch("east", coreObjects+"secrets/istio-remote-secret-west", `{"data":{"west":"`+base64.StdEncoding.EncodeToString(data)+`"}}`)
}

func (r *real) brokenLegs() {
	for _, round := range rounds {
		for _, l := range round {
			l.does(r)
		}
		var got map[string]api.CheckLinkResult
		r.eventually("each hop is named", func() error {
			got = r.verify()
			for _, l := range round {
				if got[l.link].Hop != l.want {
					return fmt.Errorf("%s: want %s, got %q: %s", l.link, l.want, got[l.link].Hop, got[l.link].Sentence())
				}
			}
			return nil
		})
		for _, l := range round {
			r.t.Logf("%s %s", l.link, got[l.link].Sentence())
			if l.repair != nil {
				l.repair(r)
			}
		}
		r.rollout("--force-conflicts") // somebody else than Landbridge broke the hops
	}
	r.allProven()
	r.patch("west", policies+"/allow-nothing", "")
}
