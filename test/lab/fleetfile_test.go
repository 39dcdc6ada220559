package lab

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

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
		c := Cluster{Name: ClusterName(i), Index: i, Second: &SecondNode{}}
		second := c.onSecondNode()
		for _, half := range []*net.IPNet{c.nodePods(), second.nodePods()} {
			require.True(t, c.pods().Contains(half.IP))
		}
		require.False(t, c.nodePods().Contains(second.nodePods().IP))
		require.Equal(t, c.APIAddress(), second.APIAddress())
		for _, a := range []string{c.insideIP().String(), second.insideIP().String(), c.node(), second.node(), c.betweenIP().String(), c.services().String(), c.pods().String(), c.balancers().String()} {
			require.Empty(t, taken[a], "%s is also %s's", a, c.Name)
			taken[a] = c.Name
		}
	}
}
