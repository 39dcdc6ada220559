package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Nothing but the targets is asked, however many do not answer.
func TestRevoke_EachTargetAlone_WhoeverElseAnswers(t *testing.T) {
	links := []fleet.Link{{From: "east", To: "north"}, {From: "east", To: "west"}}
	for name, c := range map[string]struct {
		silent string
		shut   []string
	}{
		"every target answers": {"", []string{"east -> north", "east -> west"}},
		"one does not":         {"north", []string{"east -> west"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.on = func(call fakeCall) error {
				if call.ref.Cluster == c.silent {
					return temporal.NewApplicationError("cluster north: connection refused", api.TypeUnreachable)
				}
				return nil
			}
			f.answer = func(call fakeCall, result any) {
				if r, ok := result.(*api.RevokeLinkResult); ok {
					*r = api.RevokeLinkResult{Changes: fleet.Changes{Changes: []fleet.Change{{Action: fleet.Remove, Kind: "Secret", Name: "x"}}}, Refused: true, After: time.Second}
				}
			}
			began := f.Now()
			err := f.run(RevokeFleet, api.FleetInput{Fleet: testFleet("east", "north", "west"), Revoke: links})
			require.LessOrEqual(t, f.Now().Sub(began), 3*time.Minute)
			for _, call := range f.calls {
				require.NotEqual(t, "east", call.ref.Cluster, "%s", call)
			}
			var s api.Status
			f.status(&s)
			if c.silent == "" {
				require.NoError(t, err)
				var r api.RevokeResult
				require.NoError(t, f.GetWorkflowResult(&r))
				require.Len(t, r.Links, 2)
				require.Equal(t, []string{api.StillCan("east")}, r.StillCan)
				require.Equal(t, api.RevokedLink{Link: "east -> north", Removed: 1, Refused: true, After: time.Second}, r.Links[0])
				require.ElementsMatch(t, []string{"RevokeLink north (east.north)", "RevokeLink west (east.west)", "ReleaseInventory north", "ReleaseInventory west"}, f.names(nil))
			} else {
				require.Equal(t, api.TypeLeftOver, errorType(t, err))
				require.ErrorContains(t, err, "link east -> north")
			}
			for _, link := range c.shut {
				require.Equal(t, api.Done, stateOf(s, "link "+link))
			}
		})
	}
}

func TestRevoke_DryRun_ListsWhatLetsItIn(t *testing.T) {
	f := newFake(t)
	f.answer = func(call fakeCall, result any) {
		if r, ok := result.(*api.RevokeLinkResult); ok {
			r.Changes.Changes = []fleet.Change{{Action: fleet.Remove, Kind: "Secret", Namespace: "istio-system", Name: "x"}}
		}
	}
	require.NoError(t, f.run(RevokeFleet, api.FleetInput{Fleet: testFleet("east", "west"), Revoke: []fleet.Link{{From: "east", To: "west"}}, DryRun: true}))
	var r api.RevokeResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, []api.ClusterObject{{Cluster: "west", Kind: "Secret", Namespace: "istio-system", Name: "x"}}, r.Objects)
	require.Equal(t, []string{"RevokeLink west (east.west)"}, f.names(nil))
}

// A mistyped source must not look as if it were shut out. One that left the fleet file, and is
// still let in, is shut out.
func TestRevoke_OfASourceThatNobodyKnows_SaysThatNobodyIsShutOut(t *testing.T) {
	for _, letsIn := range []bool{false, true} {
		f := newFake(t)
		f.answer = func(call fakeCall, result any) {
			if r, ok := result.(*api.RevokeLinkResult); ok && letsIn && call.ref.Cluster == "west" {
				r.Changes.Changes = []fleet.Change{{Action: fleet.Remove, Kind: "Secret", Name: "x"}}
			}
		}
		err := f.run(RevokeFleet, api.FleetInput{Fleet: testFleet("east", "west"), Revoke: []fleet.Link{{From: "wset", To: "east"}, {From: "wset", To: "west"}}})
		if letsIn {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, api.TypePreflight, errorType(t, err))
		require.ErrorContains(t, err, `nobody was shut out: the fleet test has no cluster "wset", and none of its clusters lets such a source in; its clusters are east, west`)
	}
}
