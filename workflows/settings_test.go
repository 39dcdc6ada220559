package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Each step gets the settings of its own cluster, and a link the address at which its
// source reaches its target.
func TestSettings_ClustersThatDiffer_EachStepGetsItsOwn(t *testing.T) {
	no, f := false, testFleet("east", "west", "north")
	west := &f.Spec.Clusters[1]
	require.Equal(t, "west", west.Name)
	west.Istio = fleet.Istio{Namespace: "mesh", Version: "v1.30.4", Platform: "openshift"}
	west.Gateways.APIPort = 26443
	west.Gateways.EastWest = fleet.EastWest{Service: fleet.Service{Type: fleet.ServiceNodePort, NodePort: 31443}, Address: fleet.Address{IPs: []string{"192.0.2.1"}},
		AddressFor: []fleet.SourceAddress{{Sources: []string{"east"}, Hostname: "vpce.example.com", Port: 443}}}
	north := &f.Spec.Clusters[2]
	f.Spec.CA.Manage, north.Istio.Manage = &no, &no
	require.NoError(t, f.Validate())

	rollout := newFake(t)
	require.NoError(t, rollout.run(RolloutFleet, api.FleetInput{Fleet: f}))
	var waited, installed []string
	egress := map[string]api.EnsureEgressConfigInput{}
	for _, c := range rollout.calls {
		require.Equal(t, map[bool]string{true: "mesh", false: "istio-system"}[c.ref.Cluster == "west"], c.ref.Namespace, c.name)
		switch in := c.in.(type) {
		case api.CheckClusterInput:
			require.Equal(t, map[bool]string{true: "v1.30.4", false: ""}[in.Cluster == "west"], in.IstioVersion)
		case api.WaitLoadBalancerInput:
			waited = append(waited, in.Cluster)
		case api.EnsureIstioInput:
			installed = append(installed, in.Cluster)
			require.Equal(t, in.Cluster == "west", in.Istio.Platform == "openshift")
		case api.EnsureEgressGatewayInput:
			require.Equal(t, in.Cluster == "west", in.Istio.Platform == "openshift", "the gateway is the source's")
		case api.EnsureExposureInput:
			require.Equal(t, in.Cluster == "west", in.Gateways.APIPort == 26443)
		case api.EnsureAccessInput:
			require.Equal(t, in.Link.To == "west", in.APIPort == 26443, "the port is the target's")
		case api.EnsureEgressConfigInput:
			egress[in.Link.ID()] = in
		}
	}
	require.ElementsMatch(t, []string{"east", "north"}, waited, "west has its address from the file")
	require.ElementsMatch(t, []string{"east", "west"}, installed, "north has an Istio")
	require.Equal(t, fleet.Address{Hostname: "vpce.example.com", Port: 443}, egress["east.west"].Address)
	require.Equal(t, fleet.Address{IPs: []string{"192.0.2.1"}, Port: 31443}, egress["north.west"].Address)
	require.Equal(t, 26443, egress["north.west"].APIPort)
	require.Equal(t, "mesh", egress["north.west"].TargetNamespace)
	require.Equal(t, 16443, egress["west.east"].Address.Port)

	// An undo and a cleanup work there, too, and leave north's Istio alone.
	cleanup := newFake(t)
	require.NoError(t, cleanup.run(CleanupFleet, api.FleetInput{Fleet: f}))
	removed := []string{}
	for _, c := range cleanup.calls {
		if c.name == "RemoveIstio" {
			removed = append(removed, c.ref.Cluster+" "+c.ref.Namespace)
		}
	}
	require.ElementsMatch(t, []string{"east istio-system", "west mesh"}, removed)
}
