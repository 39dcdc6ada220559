package activities

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// The outcomes of an EnsureX whose objects exist, made by somebody else.
const (
	refused = "refused" // a *kube.NotOursError
	kept    = "kept"    // nothing is written
	adopted = "adopted" // it gets labels, which its removal removes again
)

// pair describes an EnsureX and its RemoveX. All of Activities are in pairs.
type pair struct {
	name string
	// cluster is where it works. With links, it works for one of two at a time.
	cluster string
	links   []fleet.Link
	// input may do steps before this one.
	input func(w *world, l fleet.Link) any
	// existing is the outcome where somebody else made the objects.
	existing string
	// withoutInventory says that it needs none.
	withoutInventory bool
}

var (
	toWest   = []fleet.Link{{From: "east", To: "west"}, {From: "north", To: "west"}}
	fromEast = []fleet.Link{{From: "east", To: "west"}, {From: "east", To: "north"}}
)

var pairs = []pair{
	{name: "Inventory", cluster: "west", existing: kept, withoutInventory: true, input: func(w *world, _ fleet.Link) any { return w.bareInventory() }},
	{name: "Root", cluster: "west", existing: refused, withoutInventory: true, input: func(w *world, _ fleet.Link) any { return w.root() }},
	{name: "IntermediateKey", cluster: "west", existing: refused, input: func(w *world, _ fleet.Link) any { return w.intermediateKey() }},
	{name: "Namespaces", cluster: "west", existing: adopted, input: func(w *world, _ fleet.Link) any {
		return api.EnsureNamespacesInput{ClusterRef: w.ref, Network: "west-network"}
	}},
	{name: "CACerts", cluster: "west", existing: refused, input: func(w *world, _ fleet.Link) any { return w.cacerts() }},
	{name: "Istio", cluster: "west", existing: kept, input: func(w *world, _ fleet.Link) any {
		return api.EnsureIstioInput{ClusterRef: w.ref, Istio: guideIstio(), Network: "west-network"}
	}},
	{name: "EastWestGateway", cluster: "west", existing: refused, input: func(w *world, _ fleet.Link) any {
		return api.EnsureEastWestGatewayInput{ClusterRef: w.ref, GatewaySettings: guideGateways(), Network: "west-network"}
	}},
	{name: "Exposure", cluster: "west", existing: refused, input: func(w *world, _ fleet.Link) any {
		return api.EnsureExposureInput{ClusterRef: w.ref, Gateways: guideGateways().Gateways}
	}},
	{name: "SealingKey", cluster: "east", existing: refused, input: func(w *world, _ fleet.Link) any {
		return api.EnsureSealingKeyInput{ClusterRef: w.ref}
	}},
	{name: "SharedEgress", cluster: "east", existing: refused, input: func(w *world, _ fleet.Link) any {
		return api.EnsureSharedEgressInput{ClusterRef: w.ref, GatewaySettings: sharedGateways()}
	}},
	{name: "Access", cluster: "west", links: toWest, existing: refused, input: func(w *world, l fleet.Link) any {
		return api.EnsureAccessInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: l}, APIPort: 16443, TrustDomain: "cluster.local", SourceNamespace: "istio-system"}
	}},
	{name: "EgressGateway", cluster: "east", links: fromEast, existing: refused, input: func(w *world, l fleet.Link) any {
		return api.EnsureEgressGatewayInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: l}, GatewaySettings: guideGateways()}
	}},
	{name: "EgressConfig", cluster: "east", links: fromEast, existing: refused, input: func(w *world, l fleet.Link) any {
		return api.EnsureEgressConfigInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: l}, TLSServerName: "api.west.example.com",
			Address: fleet.Address{Hostname: "lb.west.example.com"}, APIPort: 16443, TrustDomain: "cluster.local"}
	}},
	{name: "Reader", cluster: "west", links: toWest, existing: refused, input: func(w *world, l fleet.Link) any {
		return api.EnsureReaderInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: l}, Revision: "default"}
	}},
	{name: "ReaderToken", cluster: "west", links: toWest, existing: refused, input: func(w *world, l fleet.Link) any { return w.readerToken(l) }},
	{name: "RemoteSecret", cluster: "east", links: fromEast, existing: refused, input: func(w *world, l fleet.Link) any { return w.remoteSecret(l) }},
}

// ensure calls EnsureX, for the first link where it has links.
func (p pair) ensure(w *world) ([]fleet.Change, error) {
	w.t.Helper()
	return w.call("Ensure"+p.name, p.input(w, p.link()))
}

func (p pair) link() fleet.Link {
	if len(p.links) == 0 {
		return fleet.Link{}
	}
	return p.links[0]
}

// remove calls RemoveX as a cleanup does, or as the undo of a run.
func (p pair) remove(w *world, onlyRun string) ([]fleet.Change, error) {
	w.t.Helper()
	in := api.RemoveInput{ClusterRef: w.ref, OnlyRun: onlyRun}
	if len(p.links) > 0 {
		in.Link = p.link().ID()
	}
	return w.call("Remove"+p.name, in)
}

// world makes the pair's cluster, in which its step is the next one.
func (p pair) world(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, p.cluster)
	if p.name == "Namespaces" { // it makes that one
		require.NoError(t, w.Client.CoreV1().Namespaces().Delete(t.Context(), w.ref.Namespace, metav1.DeleteOptions{}))
	}
	if !p.withoutInventory {
		w.withInventory()
	}
	return w
}

func TestPairs_EveryEnsureAndRemoveIsInTheTable(t *testing.T) {
	all := reflect.TypeFor[*Activities]()
	found := 0
	for i := range all.NumMethod() {
		name := all.Method(i).Name
		step, isEnsure := strings.CutPrefix(name, "Ensure")
		if !isEnsure {
			isRemove := false
			if step, isRemove = strings.CutPrefix(name, "Remove"); !isRemove {
				continue
			}
		}
		found++
		require.True(t, slices.ContainsFunc(pairs, func(p pair) bool { return p.name == step }), "%s has no entry in pairs", name)
	}
	require.Equal(t, 2*len(pairs), found, "an Ensure without its Remove, or an entry without both")
}

// What the steps take, as the guide has it where it says.

func guideIstio() fleet.Istio {
	return fleet.Istio{Version: "v1.24.3", Name: "default", Namespace: "istio-system", CNINamespace: "istio-cni", MeshID: "prod", TrustDomain: "cluster.local", Platform: "openshift"}
}

func guideGateways() api.GatewaySettings {
	var f fleet.Fleet
	f.SetDefaults()
	return api.GatewaySettings{Istio: guideIstio(), Gateways: f.Spec.Gateways}
}

// sharedGateways are the guide's but for the egress gateway that all links share.
func sharedGateways() api.GatewaySettings {
	g := guideGateways()
	g.Gateways.Egress.Mode = fleet.EgressShared
	return g
}

func intermediateSpec() api.IntermediateSpec {
	return api.IntermediateSpec{Cluster: "west", Organization: "my-company.org", DNSName: "istiod.istio-system.svc",
		KeyAlgorithm: fleet.ECDSAP256, Lifetime: fleet.Duration(90 * 24 * time.Hour)}
}

func (w *world) root() api.EnsureRootInput {
	return api.EnsureRootInput{RootRef: api.RootRef{ClusterRef: w.ref}, CA: fleet.CA{CommonName: "Root CA", Organization: "my-company.org",
		KeyAlgorithm: fleet.ECDSAP256, RootLifetime: fleet.Duration(3650 * 24 * time.Hour)}}
}

// fleetRoot serves all tests: a key takes its time.
var fleetRoot = func() *certs.Root {
	root, err := certs.NewRoot(certs.RootSpec{CommonName: "Root CA", Organization: "my-company.org", KeyAlgorithm: certs.ECDSAP256, Lifetime: 3650 * 24 * time.Hour})
	if err != nil {
		panic(err)
	}
	return root
}()

func (w *world) intermediateKey() api.EnsureIntermediateKeyInput {
	return api.EnsureIntermediateKeyInput{ClusterRef: w.ref, Spec: intermediateSpec(), RootPEM: string(fleetRoot.CertPEM)}
}

// cacerts makes the key, and has the root sign it.
func (w *world) cacerts() api.EnsureCACertsInput {
	w.t.Helper()
	in := api.EnsureCACertsInput{ClusterRef: w.ref, RootPEM: string(fleetRoot.CertPEM)}
	key, err := w.acts.EnsureIntermediateKey(w.t.Context(), w.intermediateKey())
	require.NoError(w.t, err)
	in.Current = key.Current
	if key.CSR != "" {
		cert, err := fleetRoot.Sign([]byte(key.CSR), certSpec(intermediateSpec()))
		require.NoError(w.t, err)
		in.CertPEM = string(cert)
	}
	return in
}

func (w *world) recipient() string {
	w.t.Helper()
	key, err := w.acts.EnsureSealingKey(w.t.Context(), api.EnsureSealingKeyInput{ClusterRef: w.ref})
	require.NoError(w.t, err)
	return key.Recipient
}

func (w *world) readerToken(l fleet.Link) api.EnsureReaderTokenInput {
	w.Put(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.ref.Namespace, Name: fleet.Reader(l.From), UID: types.UID("account of " + l.From)}})
	w.pins(l.From, w.recipient()) // it had a token before
	return api.EnsureReaderTokenInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: l}, Recipient: w.recipient(), TLSServerName: "example.com"}
}

func (w *world) remoteSecret(l fleet.Link) api.EnsureRemoteSecretInput {
	w.t.Helper()
	sealed, err := seal(w.recipient(), credentials{CA: fleetRoot.CertPEM, Token: []byte("token")})
	require.NoError(w.t, err)
	return api.EnsureRemoteSecretInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: l}, Sealed: sealed, TLSServerName: "api.west.example.com"}
}

// tokenOf reads the token that a Secret of the world has.
func (w *world) tokenOf(name string) string {
	w.t.Helper()
	s, err := w.Client.CoreV1().Secrets(w.ref.Namespace).Get(w.t.Context(), name, metav1.GetOptions{})
	require.NoError(w.t, err)
	return string(s.Data[corev1.ServiceAccountTokenKey])
}
