package workflows

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// livedWith lets each cluster answer with its part of a fleet of east, north and west,
// except those that do not answer.
func livedWith(f *fake, silent ...string) {
	old := testFleet("east", "north", "west")
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckInventoryResult); ok {
			part := old.Part(c.ref.Cluster, fleet.Stale{})
			r.Inventory = &part
			for _, p := range part.Spec.Clusters {
				if p.Name == c.ref.Cluster {
					r.Memory.Member = fleet.Identity{Name: p.Name, UID: p.Name}
				} else {
					r.Memory.Peers = append(r.Memory.Peers, fleet.Identity{Name: p.Name, UID: p.Name})
				}
			}
		}
	}
	f.on = func(c fakeCall) error {
		if slices.Contains(silent, c.ref.Cluster) {
			return temporal.NewApplicationError("cluster "+c.ref.Cluster+": connection refused", api.TypeUnreachable)
		}
		return nil
	}
}

func forgetting(f fleet.Fleet, name string) api.FleetInput {
	return api.FleetInput{Fleet: f, Forget: name}
}

func forgotten(t *testing.T, f *fake) (r api.ForgetResult) {
	t.Helper()
	require.NoError(t, f.GetWorkflowResult(&r))
	return r
}

// The file may name the member still, or not any more.
func TestForget_TheOthersForgetIt_AndItIsNotTouched(t *testing.T) {
	for name, file := range map[string]fleet.Fleet{"it is in the file": testFleet("east", "north", "west"), "it left the file": testFleet("east", "west")} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			livedWith(f, "north")
			require.NoError(t, f.run(ForgetFleet, forgetting(file, "north")))
			var want []string
			for _, peer := range []string{"east", "west"} {
				for _, s := range linkSteps.steps {
					if s.undo == nil {
						continue
					}
					link := fleet.Link{From: peer, To: "north"}
					if s.at == onTarget {
						link = fleet.Link{From: "north", To: peer}
					}
					want = append(want, activityName(s.undo)+" "+peer+" ("+link.ID()+")")
				}
			}
			require.ElementsMatch(t, want, f.names(removes), "each peer's end of each link, and nothing else")
			for _, c := range f.calls {
				require.True(t, c.ref.Cluster != "north" || c.name == "CheckInventory", "%s", c)
				if in, ok := c.in.(api.EnsureInventoryInput); ok {
					_, known := in.Part.Cluster("north")
					require.False(t, known)
					require.Empty(t, fleet.Touches(in.Part.Links(), "north"))
					require.Len(t, in.Part.Links(), 2, "the other links are remembered")
					require.Len(t, in.Memory.Peers, 1)
				}
			}
			require.Subset(t, f.names(nil), []string{"EnsureInventory east", "EnsureInventory west", "ReleaseInventory east", "ReleaseInventory west"})
			r := forgotten(t, f)
			require.Equal(t, []string{"east", "west"}, r.Clusters)
			require.Equal(t, []string{"east", "west"}, r.Revoked)
			require.Equal(t, []string{"east", "west"}, r.Unrevoked)
			require.Len(t, r.There, 5, "the member, and its end of four links")
			require.Contains(t, r.There[0].Steps, "cacerts")
			var s api.Status
			f.status(&s)
			require.Equal(t, api.Done, stateOf(s, "cluster north"))
			require.Equal(t, "done", s.Phase)
		})
	}
}

func TestForget_Refused_NothingChanges(t *testing.T) {
	alive := func(err error) func(*fake) {
		return func(f *fake) {
			livedWith(f)
			f.on = func(c fakeCall) error {
				if c.ref.Cluster == "north" {
					return err
				}
				return nil
			}
		}
	}
	protected := testFleet("east", "north", "west")
	protected.Spec.Protected = true
	for name, c := range map[string]struct {
		set    func(*fake)
		in     api.FleetInput
		refuse string
	}{
		"it answers":                      {alive(nil), forgetting(testFleet("east", "north", "west"), "north"), "cluster north: it answers, and can be cleaned up as one that is there: take it out of the fleet file and use `landbridge rollout --prune`"},
		"it answers as another fleet's":   {alive(temporal.NewNonRetryableApplicationError("no", api.TypeOtherFleet, nil)), forgetting(testFleet("east", "north", "west"), "north"), "it answers"},
		"it answers that we may not":      {alive(temporal.NewNonRetryableApplicationError("no", api.TypeForbidden, nil)), forgetting(testFleet("east", "north", "west"), "north"), "it answers"},
		"nobody knows it":                 {func(f *fake) { livedWith(f) }, forgetting(testFleet("east", "west"), "south"), "cluster south: no cluster of the fleet knows it; the members are east, west, north"},
		"the fleet is protected":          {func(f *fake) { livedWith(f, "north") }, forgetting(protected, "north"), "protected by spec.protected"},
		"a peer belongs to another one":   {func(f *fake) { livedWith(f, "north"); foreign(f, "west", api.TypeOtherFleet) }, forgetting(testFleet("east", "north", "west"), "north"), "cluster west"},
		"a peer is locked by another one": {func(f *fake) { livedWith(f, "north"); foreign(f, "west", api.TypeLocked) }, forgetting(testFleet("east", "north", "west"), "north"), "cluster west"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			c.set(f)
			err := f.run(ForgetFleet, c.in)
			require.Equal(t, api.TypePreflight, errorType(t, err))
			require.ErrorContains(t, err, c.refuse)
			require.Empty(t, f.names(func(c fakeCall) bool { return removes(c) || ensures(c) }))
		})
	}
}

// foreign lets a cluster refuse to be looked at, for a reason of that type.
func foreign(f *fake, cluster, typ string) {
	before := f.on
	f.on = func(c fakeCall) error {
		if c.ref.Cluster == cluster {
			return temporal.NewNonRetryableApplicationError("cluster "+cluster+": no", typ, nil)
		}
		return before(c)
	}
}

// The kubeconfig of a cluster that is lost is often gone too.
func TestForget_ItsKubeconfigIsGone_IsNoAnswer(t *testing.T) {
	f := newFake(t)
	livedWith(f)
	foreign(f, "north", api.TypeKubeconfig)
	require.NoError(t, f.run(ForgetFleet, forgetting(testFleet("east", "north", "west"), "north")))
	require.Equal(t, []string{"east", "west"}, forgotten(t, f).Clusters)
}

// What is left of it at one peer stays in that peer's inventory, so that a repetition finds
// it. The others forget it.
func TestForget_EachStepFails_ThatPeerRemembersIt(t *testing.T) {
	whole := newFake(t)
	livedWith(whole, "north")
	require.NoError(t, whole.run(ForgetFleet, forgetting(testFleet("east", "north", "west"), "north")))
	for _, step := range whole.names(func(c fakeCall) bool { return removes(c) || ensures(c) }) {
		f := newFake(t)
		livedWith(f, "north")
		dead := f.on
		f.on = func(c fakeCall) error {
			if c.String() == step {
				return broken(c)
			}
			return dead(c)
		}
		err := f.run(ForgetFleet, forgetting(testFleet("east", "north", "west"), "north"))
		require.Equal(t, api.TypeLeftOver, errorType(t, err), step)
		peer, other := "east", "west"
		if strings.Contains(step, " west") {
			peer, other = other, peer
		}
		require.Contains(t, f.names(ensures), "EnsureInventory "+other, step)
		require.Equal(t, strings.HasPrefix(step, "Ensure"), slices.Contains(f.names(ensures), "EnsureInventory "+peer), step)
	}
}

func TestForget_AnotherMemberDoesNotAnswer_TheRestForgetsIt(t *testing.T) {
	f := newFake(t)
	livedWith(f, "north", "west")
	err := f.run(ForgetFleet, forgetting(testFleet("east", "north", "west"), "north"))
	require.Equal(t, api.TypeLeftOver, errorType(t, err))
	require.ErrorContains(t, err, "connection refused")
	require.Contains(t, f.names(ensures), "EnsureInventory east")
	for _, c := range f.calls {
		require.True(t, c.ref.Cluster != "west" || c.name == "CheckInventory", "%s", c)
	}
}

func TestForget_DryRun_OnlyLooks(t *testing.T) {
	f := newFake(t)
	livedWith(f, "north")
	in := forgetting(testFleet("east", "north", "west"), "north")
	in.DryRun = true
	require.NoError(t, f.run(ForgetFleet, in))
	for _, c := range f.calls {
		require.True(t, c.ref.DryRun, "%s", c)
	}
	require.NotContains(t, f.names(nil), "ReleaseInventory east")
}

func TestForget_ItKeptTheRoot_TheResultTells(t *testing.T) {
	f := newFake(t)
	livedWith(f, "north")
	in := forgetting(testFleet("east", "north", "west"), "north")
	in.Fleet.Spec.CA.Root.Cluster = "north"
	require.NoError(t, f.run(ForgetFleet, in))
	require.True(t, forgotten(t, f).KeptRoot)
}

// Who rolls out a file that still has a forgotten member learns why it does not answer. It
// is remembered until it left the file, or came back.
func TestForget_TheFileStillHasIt_ItIsSaidSo(t *testing.T) {
	for _, back := range []bool{false, true} {
		f := newFake(t)
		livedWith(f, map[bool][]string{false: {"north"}}[back]...)
		gone := fleet.Forgotten{Name: "north", At: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC), Request: fleet.Request{RequestedBy: "anna", Reason: "flood"}}
		f.answer = func(c fakeCall, result any) {
			if r, ok := result.(*api.CheckClusterResult); ok && c.ref.Cluster != "north" {
				r.Memory = fleet.Memory{Member: fleet.Identity{Name: c.ref.Cluster, UID: c.ref.Cluster}}.Forget(gone)
			}
		}
		err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "north", "west")})
		now := f.wrote("east").Memory.Forgotten
		if back {
			require.NoError(t, err)
			require.Empty(t, now)
			continue
		}
		require.ErrorContains(t, err, "; it was forgotten at 2026-11-29T08:00:00Z (requested by anna: flood): take it out of the fleet file")
		require.Equal(t, []fleet.Forgotten{gone}, now)
	}
}
