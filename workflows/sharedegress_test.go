package workflows

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// sharing describes the links from east whose gateway is to have that mode. With leaves they
// have the other one, too.
func sharing(mode fleet.EgressMode, leaves bool) api.LinksInput {
	f := testFleet("east", "north", "west")
	in := api.LinksInput{Source: testRef("east"), LeavesEgress: leaves, LinkSettings: api.LinkSettings{Rollout: f.Spec.Rollout}}
	in.Gateways.Egress.Mode = mode
	for _, to := range []string{"north", "west"} {
		c, _ := f.Cluster(to)
		in.Targets = append(in.Targets, api.Target{ClusterRef: api.FleetInput{Fleet: f}.Ref(c, "run-1")})
	}
	return in
}

// sharedFleet returns a fleet whose sources have one egress gateway each.
func sharedFleet(names ...string) fleet.Fleet {
	f := testFleet(names...)
	f.Spec.Gateways.Egress.Mode = fleet.EgressShared
	return f
}

// leaving has every link leave the other mode, and updates what exists.
func leaving(t *testing.T, mode fleet.EgressMode) *fake {
	f := newFake(t)
	f.action = fleet.Update
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckEgressResult); ok {
			r.Leaves = []bool{true, true}
		}
	}
	return f
}

// howOften returns how many of the calls are this one.
func howOften(calls []string, name string) (n int) {
	for _, c := range calls {
		if c == name {
			n++
		}
	}
	return n
}

// aboutEgress keeps the steps of an egress gateway, and what leads to it.
func aboutEgress(c fakeCall) bool {
	return strings.Contains(c.name, "Egress") || strings.HasSuffix(c.name, "Access") || strings.HasSuffix(c.name, "RemoteSecret") || c.name == "CheckLink"
}

func TestSharedEgress_OneGatewayBeforeItsLinks_WithAPortEach(t *testing.T) {
	f := newFake(t)
	ports := map[string]int{}
	require.NoError(t, f.run(RolloutLinks, sharing(fleet.EgressShared, false)))
	for _, c := range f.calls {
		if in, ok := c.in.(api.EnsureEgressConfigInput); ok {
			ports[in.Link.To] = in.Port
			require.True(t, in.Mode.Shared())
		}
	}
	require.Equal(t, []string{"CheckEgress east", "EnsureSharedEgress east"}, f.names(nil)[:2])
	require.Equal(t, map[string]int{"north": fleet.FirstSharedPort, "west": fleet.FirstSharedPort + 1}, ports)
	require.Empty(t, f.names(removes))
}

func TestSharedEgress_PerLinkWithoutAny_LooksForNone(t *testing.T) {
	for _, in := range []api.LinksInput{sharing("", false), sharing(fleet.EgressPerLink, false), {Source: testRef("east"), TokensOnly: true, LeavesEgress: true}} {
		f := newFake(t)
		require.NoError(t, f.run(RolloutLinks, in))
		require.NotContains(t, f.names(nil), "CheckEgress east")
		require.NotContains(t, f.names(nil), "RemoveSharedEgress east")
	}
}

func TestSharedEgress_NoLinkCameToUseIt_GoesAgain(t *testing.T) {
	for failing, want := range map[string][]string{
		"EnsureSharedEgress":  {"RemoveSharedEgress east"},
		"EnsureEgressGateway": {"RemoveSharedEgress east"}, // of both links
		"CheckEgress":         {},
		"only north":          {},
	} {
		f := newFake(t)
		f.on = func(c fakeCall) error {
			if c.name == failing || failing == "only north" && c.String() == "EnsureEgressConfig east (east.north)" {
				return broken(c)
			}
			return nil
		}
		_ = f.run(RolloutLinks, sharing(fleet.EgressShared, false))
		require.Equal(t, want, f.names(func(c fakeCall) bool { return c.name == "RemoveSharedEgress" }), failing)
		for _, c := range f.calls {
			if in, ok := c.in.(api.RemoveInput); ok && c.name == "RemoveSharedEgress" {
				require.Equal(t, c.ref.Run, in.OnlyRun, "what another run made stays")
			}
		}
	}
}

func TestEgressMode_Changed_TheOtherGoesAfterTheProof(t *testing.T) {
	for _, mode := range []fleet.EgressMode{fleet.EgressShared, fleet.EgressPerLink} {
		f := leaving(t, mode)
		in := sharing(mode, true)
		in.Rollout.MaxParallel = 1
		require.NoError(t, f.run(RolloutLinks, in))
		of := f.names(func(c fakeCall) bool { return aboutEgress(c) && strings.HasSuffix(c.String(), "(east.west)") })
		require.Equal(t, []string{"EnsureAccess west (east.west)", "EnsureEgressGateway east (east.west)", "EnsureEgressConfig east (east.west)",
			"EnsureRemoteSecret east (east.west)", "CheckLink east (east.west)", "RetireEgress east (east.west)", "EnsureAccess west (east.west)"}, append(inTableOrder(of[:3]), of[3:]...))
		var both []bool
		for _, c := range f.calls {
			if a, ok := c.in.(api.EnsureAccessInput); ok && a.Link.To == "west" {
				both = append(both, a.BothModes)
			}
		}
		require.Equal(t, []bool{true, false}, both, "both identities are let in until then")
		last := f.names(aboutEgress)
		if mode.Shared() {
			require.NotContains(t, last, "RemoveSharedEgress east")
		} else {
			require.Equal(t, "RemoveSharedEgress east", last[len(last)-1], "the last link left it")
		}
	}
}

// Whatever fails, the link has a way: the one before until the new one is proven, that one from
// then on.
func TestEgressMode_EachStepOfAChangeFails_ALinkHasAWay(t *testing.T) {
	for _, mode := range []fleet.EgressMode{fleet.EgressShared, fleet.EgressPerLink} {
		in := api.LinkInput{Link: fleet.Link{From: "east", To: "west"}, Source: testRef("east"), Target: api.Target{ClusterRef: testRef("west")},
			LinkSettings: api.LinkSettings{Rollout: testFleet("east", "west").Spec.Rollout}, EgressPort: 20001, LeavesEgress: true}
		in.Gateways.Egress.Mode = mode
		well := leaving(t, mode)
		require.NoError(t, well.run(RolloutLink, in))
		calls := well.names(nil)
		for i, failing := range calls {
			t.Run(string(mode)+"/"+failing, func(t *testing.T) {
				f := leaving(t, mode)
				left := howOften(calls[:i+1], failing)
				f.on = func(c fakeCall) error {
					if c.String() == failing {
						left--
					}
					if c.String() == failing && left == 0 {
						return broken(c)
					}
					return nil
				}
				failures := api.Failures(f.run(RolloutLink, in))
				require.Len(t, failures, 1)
				var servers []fleet.EgressMode
				for _, c := range f.calls {
					if s, ok := c.in.(api.EnsureRemoteSecretInput); ok {
						servers = append(servers, s.Mode)
						require.Equal(t, s.Mode != mode, s.OnlyReplace, "nothing is put back where nothing was")
					}
				}
				written, proven := lastIndex(calls, "EnsureRemoteSecret"), lastIndex(calls, "CheckLink")
				switch {
				case i < written:
					require.Empty(t, servers)
				case i <= proven:
					require.Equal(t, []fleet.EgressMode{mode, mode.Other()}, servers, "istiod goes the way before again")
					require.NotContains(t, f.names(nil), "RetireEgress east (east.west)")
				default:
					require.Equal(t, []fleet.EgressMode{mode}, servers)
					require.Equal(t, api.StateKept, failures[0].State)
				}
			})
		}
	}
}

func TestEgressMode_WithoutProof_TheOtherStaysUntilTheNextTime(t *testing.T) {
	in := sharing(fleet.EgressShared, true)
	in.Rollout.SkipProof = true
	f := leaving(t, fleet.EgressShared)
	require.NoError(t, f.run(RolloutLinks, in))
	require.NotContains(t, f.names(nil), "RetireEgress east (east.west)")

	f = leaving(t, fleet.EgressShared)
	f.action = fleet.Keep
	require.NoError(t, f.run(RolloutLinks, in))
	require.Contains(t, f.names(nil), "RetireEgress east (east.west)", "istiod uses it since the rollout before")
}

// A token that is renewed while the mode changes is put back with the way that it had.
func TestEgressMode_ChangedWithANewToken_TheProofFails_PutsBothBack(t *testing.T) {
	in := linkRotated(false)
	in.Gateways.Egress.Mode, in.LeavesEgress = fleet.EgressShared, true
	f := newFake(t)
	f.answer = renewing
	f.on = func(c fakeCall) error {
		if c.name == "CheckLink" {
			return broken(c)
		}
		return nil
	}
	require.Error(t, f.run(RolloutLink, in))
	var last api.EnsureRemoteSecretInput
	for _, c := range f.calls {
		if s, ok := c.in.(api.EnsureRemoteSecretInput); ok {
			last = s
		}
	}
	require.Equal(t, []any{"the one before", fleet.EgressPerLink}, []any{last.Sealed, last.Mode})
}

// The fleet's own view: where a cluster has gateways of the other mode, its links leave them.
func TestEgressMode_FoundByThePreflight_IsLeft(t *testing.T) {
	for _, modes := range [][]fleet.EgressMode{nil, {fleet.EgressPerLink}, {fleet.EgressShared}, {fleet.EgressPerLink, fleet.EgressShared}} {
		fl := sharedFleet("east", "west")
		f := leaving(t, fleet.EgressShared)
		answer := f.answer
		f.answer = func(c fakeCall, result any) {
			answer(c, result)
			switch r := result.(type) {
			case *api.CheckClusterResult:
				r.EgressModes = modes
			case *api.CheckEgressResult:
				r.Leaves = []bool{len(modes) > 0 && modes[0] == fleet.EgressPerLink}
			}
		}
		require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: fl}))
		found := false
		for _, c := range f.calls {
			if c.name == "RetireEgress" {
				found = true
			}
		}
		require.Equal(t, len(modes) > 0 && modes[0] == fleet.EgressPerLink, found, modes)
	}
}
