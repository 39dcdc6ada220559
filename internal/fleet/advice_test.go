package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAdvice_ManyTargets_RecommendsASharedEgressGateway(t *testing.T) {
	of := func(hub string, change func(*Fleet)) []string {
		f := Fleet{Metadata: Metadata{Name: "prod"}}
		for _, name := range []string{"a", "b", "c", "d", "e", "hub"} {
			f.Spec.Clusters = append(f.Spec.Clusters, Cluster{Name: name, Network: name, Kubeconfig: Kubeconfig{Path: name}})
		}
		f.Spec.Links.Hub = &Hub{Cluster: hub, Direction: "out"}
		change(&f)
		f.SetDefaults()
		return f.Advice()
	}
	require.Equal(t, []string{"hub has an egress gateway for each of its 5 targets, with 10 pods together; gateways.egress.mode: shared has one for all, with 2"}, of("hub", func(*Fleet) {}))
	require.Empty(t, of("hub", func(f *Fleet) { f.Spec.Gateways.Egress.Mode = EgressShared }))
	require.Empty(t, of("hub", func(f *Fleet) { f.Spec.Clusters[5].Gateways.Egress.Mode = EgressShared }))
	require.Empty(t, of("hub", func(f *Fleet) { f.Spec.Clusters = f.Spec.Clusters[1:] }), "four targets are not many")
}

func TestEgressMode_Names_FitAndDiffer(t *testing.T) {
	const a = "abcdefghijklmnopqrstuvw" // as long as a name may be
	seen := map[string]bool{}
	for _, m := range []EgressMode{EgressPerLink, EgressShared} {
		require.Equal(t, m, m.Other().Other())
		for _, name := range []string{m.Service(a), m.Gateway(a)} {
			require.LessOrEqual(t, len(name), 63, name)
			seen[name] = true
		}
		seen[m.Identity(Link{a, a})] = true
	}
	require.Len(t, seen, 5, "the Service and Deployment of a link's own gateway have one name, and nothing else has another's")
	require.False(t, EgressMode("").Shared())
	require.Equal(t, EgressShared, EgressMode("").Other())
}
