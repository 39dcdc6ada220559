package lab

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

// The fleet file of every size of lab is one that the command takes.
func TestFleetFile_IsOneThatTheCommandTakes(t *testing.T) {
	for nodes, sizes := range map[string][]int{NodesKWOK: {1, 2, 5, 50}, NodesReal: {2, maxReal}} {
		for _, n := range sizes {
			l := &Lab{Dir: t.TempDir(), Nodes: nodes}
			for i := range n {
				l.Clusters = append(l.Clusters, Cluster{Name: ClusterName(i), Index: i})
			}
			require.NoError(t, l.writeFleetFile())
			f, err := fleet.Load(l.path(fleetFileName))
			require.NoError(t, err)
			require.Len(t, f.Spec.Clusters, n)
			require.Equal(t, nodes == NodesKWOK, f.Spec.Rollout.SkipProof, "nothing can be proven on nodes that run nothing")
		}
	}
}

// Two clusters of one lab have no address in common, and two nodes no pod's.
func TestClusters_HaveAddressesOfTheirOwn(t *testing.T) {
	taken := map[string]string{}
	for i := range maxReal {
		c := Cluster{Name: ClusterName(i), Index: i, Second: &SecondNode{}, Families: []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}}
		second := c.onSecondNode()
		require.Equal(t, c.APIAddress(), second.APIAddress())
		all := []string{c.node(), second.node()}
		for _, f := range c.Families {
			for _, half := range []*net.IPNet{c.nodePods(f), second.nodePods(f)} {
				require.True(t, c.pods(f).Contains(half.IP))
			}
			require.False(t, c.nodePods(f).Contains(second.nodePods(f).IP))
			all = append(all, c.insideIP(f).String(), second.insideIP(f).String(), c.betweenIP(f).String(), c.services(f).String(), c.pods(f).String(), c.balancers(f).String())
		}
		for _, a := range all {
			require.Empty(t, taken[a], "%s is also %s's", a, c.Name)
			taken[a] = c.Name
		}
	}
}
