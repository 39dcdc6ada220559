package activities

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// ways makes the egress gateways of one mode for links from east, with their configuration and
// remote secrets, as a rollout does.
func (w *world) ways(mode fleet.EgressMode, targets ...string) []int {
	w.t.Helper()
	g := guideGateways()
	g.Gateways.Egress.Mode = mode
	found, err := w.acts.CheckEgress(w.t.Context(), api.CheckEgressInput{ClusterRef: w.ref, Mode: mode, Targets: targets})
	require.NoError(w.t, err)
	ports := found.Ports
	if mode.Shared() {
		_, err = w.acts.EnsureSharedEgress(w.t.Context(), api.EnsureSharedEgressInput{ClusterRef: w.ref, GatewaySettings: g})
		require.NoError(w.t, err)
	} else {
		ports = make([]int, len(targets))
	}
	for i, to := range targets {
		ref := api.LinkRef{ClusterRef: w.ref, Link: fleet.Link{From: "east", To: to}}
		_, err = w.acts.EnsureEgressGateway(w.t.Context(), api.EnsureEgressGatewayInput{LinkRef: ref, GatewaySettings: g, Port: ports[i]})
		require.NoError(w.t, err)
		// Both have one server name, as on OpenShift.
		_, err = w.acts.EnsureEgressConfig(w.t.Context(), api.EnsureEgressConfigInput{LinkRef: ref, TLSServerName: "kubernetes.default.svc",
			Address: fleet.Address{IPs: []string{"203.0.113.1"}}, APIPort: 16443, TrustDomain: "cluster.local", Mode: mode, Port: ports[i]})
		require.NoError(w.t, err)
		in := w.remoteSecret(ref.Link)
		in.Mode = mode
		_, err = w.acts.EnsureRemoteSecret(w.t.Context(), in)
		require.NoError(w.t, err)
	}
	return ports
}

func (w *world) removeEgress(to, onlyRun string) {
	w.t.Helper()
	_, err := w.acts.RemoveEgressGateway(w.t.Context(), api.RemoveInput{ClusterRef: w.ref, Link: "east." + to, OnlyRun: onlyRun})
	require.NoError(w.t, err)
}

const sharedDeployment = "Deployment istio-system/" + fleet.SharedEgressGateway

func TestSharedEgress_TwoTargetsWithOneServerName_HaveOneGatewayAndAPortEach(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	require.Equal(t, []int{20001, 20002}, w.ways(fleet.EgressShared, "west", "north"))

	objs := w.snapshot()
	require.Equal(t, "kube-apiserver-reader-east", field(objs[sharedDeployment], "spec", "template", "spec", "serviceAccountName"))
	require.Nil(t, objs["Service istio-system/"+fleet.SharedEgressGateway], "each target has its own")
	for to, port := range map[string]int64{"west": 20001, "north": 20002} {
		name := " istio-system/kube-apiserver-" + to + "-egress"
		service := field(objs["Service"+name], "spec", "ports").([]any)[0].(map[string]any)
		require.Equal(t, []any{int64(443), port}, []any{service["port"], service["targetPort"]}, to)
		require.Equal(t, map[string]any{"app": fleet.SharedEgressGateway}, field(objs["Service"+name], "spec", "selector"))
		gateway := field(objs["Gateway"+name], "spec", "servers").([]any)[0].(map[string]any)
		require.EqualValues(t, port, gateway["port"].(map[string]any)["number"])
		route := field(objs["VirtualService"+name], "spec", "tls").([]any)[0].(map[string]any)
		require.EqualValues(t, port, route["match"].([]any)[0].(map[string]any)["port"])
	}
	policy, err := w.Client.NetworkingV1().NetworkPolicies("istio-system").Get(t.Context(), fleet.SharedEgressGateway, metav1.GetOptions{})
	require.NoError(t, err)
	open := policy.Spec.Ingress[0].Ports[0]
	require.Equal(t, []int32{fleet.FirstSharedPort, fleet.LastSharedPort}, []int32{open.Port.IntVal, *open.EndPort})

	before := w.snapshot()
	require.Equal(t, []int{20002, 20001, 20003}, w.ways(fleet.EgressShared, "north", "west", "south"), "a port stays its target's")
	for name, obj := range before {
		require.Equal(t, obj, w.snapshot()[name], "%s was written again", name)
	}
	w.removeEgress("west", "")
	require.Equal(t, []int{20001}, w.ways(fleet.EgressShared, "far"), "a port that is free is given again")
}

func TestSharedEgress_GoesWithItsLastLink(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	w.ways(fleet.EgressShared, "west", "north")
	_, err := w.acts.RemoveSharedEgress(t.Context(), api.RemoveInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.NotNil(t, w.snapshot()[sharedDeployment], "links use it")
	w.removeEgress("west", "")
	require.NotNil(t, w.snapshot()[sharedDeployment])
	w.removeEgress("north", firstRun)
	require.NotNil(t, w.snapshot()[sharedDeployment], "the undo of a link leaves it: others may be about to use it")
	_, err = w.acts.RemoveSharedEgress(t.Context(), api.RemoveInput{ClusterRef: w.ref, OnlyRun: "another"})
	require.NoError(t, err)
	require.NotNil(t, w.snapshot()[sharedDeployment], "another run made it")
	_, err = w.acts.RemoveSharedEgress(t.Context(), api.RemoveInput{ClusterRef: w.ref, OnlyRun: firstRun})
	require.NoError(t, err)
	for name := range w.snapshot() {
		require.NotContains(t, name, fleet.SharedEgressGateway)
	}
}

// egressNames lists the objects that belong to egress gateways.
func (w *world) egressNames() (out []string) {
	for name := range w.snapshot() {
		if strings.Contains(name, "egress") && !strings.HasPrefix(name, "Secret") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func TestEgressMode_ChangedEitherWay_LeavesNothingOfTheOther(t *testing.T) {
	for _, mode := range []fleet.EgressMode{fleet.EgressShared, fleet.EgressPerLink} {
		t.Run(string(mode), func(t *testing.T) {
			fresh := newWorld(t, "east").withInventory()
			fresh.ways(mode, "west", "north")
			w := newWorld(t, "east").withInventory()
			w.ways(mode.Other(), "west", "north")
			before := maps.Clone(w.snapshot())
			w.by("run-2").ways(mode, "west", "north")
			for name := range before {
				if !strings.HasPrefix(name, "Secret") {
					require.Contains(t, w.snapshot(), name, "the other way stays until the new one is proven")
				}
			}
			for _, to := range []string{"west", "north"} {
				check := api.CheckEgressInput{ClusterRef: w.ref, Mode: mode, Targets: []string{"west", "north", "south"}}
				found, err := w.acts.CheckEgress(t.Context(), check)
				require.NoError(t, err)
				require.Equal(t, []bool{to == "west", true, false}, found.Leaves)
				in := api.RetireEgressInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: fleet.Link{From: "east", To: to}}, Mode: mode}
				in.DryRun = true
				planned, err := w.acts.RetireEgress(t.Context(), in)
				require.NoError(t, err)
				in.DryRun = false
				for range 2 { // a try that was cut off is made again
					done, err := w.acts.RetireEgress(t.Context(), in)
					require.NoError(t, err)
					if len(done.Changes) > 0 {
						require.ElementsMatch(t, actions(planned.All()), actions(done.All()))
					}
				}
			}
			_, err := w.acts.RemoveSharedEgress(t.Context(), api.RemoveInput{ClusterRef: w.ref})
			require.NoError(t, err)
			require.Equal(t, fresh.egressNames(), w.egressNames())
		})
	}
}

// serverOf returns the server of the remote secret of west.
func (w *world) serverOf() string {
	w.t.Helper()
	var s *corev1.Secret
	s, err := w.Client.CoreV1().Secrets("istio-system").Get(w.t.Context(), fleet.RemoteSecret("west"), metav1.GetOptions{})
	require.NoError(w.t, err)
	cfg, err := clientcmd.Load(s.Data["west"])
	require.NoError(w.t, err)
	return cfg.Clusters["west"].Server
}

func TestRemoteSecret_WithAnotherEgressMode_LeadsWhereItIsToldTo(t *testing.T) {
	for _, mode := range []fleet.EgressMode{fleet.EgressShared, fleet.EgressPerLink} {
		w := newWorld(t, "east").withInventory()
		in := w.remoteSecret(fromEast[0])
		in.Mode, in.OnlyReplace = mode, true
		changes, err := w.acts.EnsureRemoteSecret(t.Context(), in)
		require.NoError(t, err)
		require.Empty(t, changes.Changes, "there is none to put back")
		in.OnlyReplace = false
		_, err = w.acts.EnsureRemoteSecret(t.Context(), in)
		require.NoError(t, err)
		was := w.serverOf()
		in.Mode, in.KeepMode = mode.Other(), true
		_, err = w.acts.EnsureRemoteSecret(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, was, w.serverOf(), "a rotation keeps the way")
		in.KeepMode, in.DryRun = false, true
		planned, err := w.acts.EnsureRemoteSecret(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, fleet.Update, planned.Changes[0].Action)
		require.Contains(t, planned.Changes[0].Note, "the other egress gateway")
		in.DryRun = false
		_, err = w.acts.EnsureRemoteSecret(t.Context(), in)
		require.NoError(t, err)
		require.NotEqual(t, was, w.serverOf())
	}
}

func TestAccess_OfASourceThatChangesItsMode_AllowsBothIdentitiesMeanwhile(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	in := api.EnsureAccessInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: toWest[0]}, APIPort: 16443, TrustDomain: "cluster.local", SourceNamespace: "istio-system",
		Mode: fleet.EgressShared, BothModes: true}
	for _, want := range [][]string{
		{"cluster.local/ns/istio-system/sa/kube-apiserver-reader-east", "cluster.local/ns/istio-system/sa/kube-apiserver-east-to-west"},
		{"cluster.local/ns/istio-system/sa/kube-apiserver-reader-east"}} {
		_, err := w.acts.EnsureAccess(t.Context(), in)
		require.NoError(t, err)
		rule := field(w.snapshot()["AuthorizationPolicy istio-system/kube-apiserver-from-east"], "spec", "rules").([]any)[0]
		var got []string
		for _, p := range field(rule.(map[string]any)["from"].([]any)[0].(map[string]any), "source", "principals").([]any) {
			got = append(got, p.(string))
		}
		require.Equal(t, want, got)
		in.BothModes = false
	}
}
