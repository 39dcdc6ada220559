package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// checkOf runs the preflight alone on the clusters that the fake answers for.
func checkOf(t *testing.T, f *fake, in api.FleetInput) (r api.PreflightResult) {
	t.Helper()
	require.NoError(t, f.run(CheckFleet, in))
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Empty(t, f.names(func(c fakeCall) bool { return !c.ref.DryRun && c.name != "CheckInventory" }), "it only looks")
	return r
}

func TestCheck_NothingInTheWay_IsReady(t *testing.T) {
	f := newFake(t)
	f.answer = func(_ fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok {
			r.Checks = []api.Checked{{Name: "API server"}, {Name: "rights"}}
		}
	}
	r := checkOf(t, f, api.FleetInput{Fleet: testFleet("east", "west")})
	require.True(t, r.Ready)
	require.Empty(t, r.Problems)
	require.Len(t, r.Clusters, 2)
	require.Equal(t, api.CheckedCluster{Name: "west", Version: "v1.36.3", Checks: []api.Checked{{Name: "API server"}, {Name: "rights"}}}, r.Clusters[1])
	require.Empty(t, f.names(ensures))
}

func TestCheck_Problems_AreInTheResultEachOnce(t *testing.T) {
	f := newFake(t)
	silent(f, "west", silences["no API server"], nil)
	f.answer = func(c fakeCall, result any) {
		r, ok := result.(*api.CheckClusterResult)
		if !ok {
			return
		}
		switch c.ref.Cluster {
		case "east":
			r.Problems = []string{"it lacks a right"}
			r.Checks = []api.Checked{{Name: "rights", Problems: r.Problems}}
		case "north":
			r.UID = "east" // the same API server
		}
	}
	r := checkOf(t, f, api.FleetInput{Fleet: testFleet("east", "north", "west")})
	require.False(t, r.Ready)
	require.Equal(t, []string{"it lacks a right"}, r.Clusters[0].Checks[0].Problems)
	require.Empty(t, r.Clusters[2].Checks)
	require.Equal(t, []string{"cluster west", "cluster north"}, unitsOf(r.Problems))
	require.Contains(t, r.Problems[0].Message, "it does not answer, tried for ")
	require.Contains(t, r.Problems[1].Message, "the same API server as cluster east")
}

// One that does not answer keeps no rollout of the others from beginning, but it is a problem.
func TestCheck_AClusterThatDoesNotAnswer_IsNotReady(t *testing.T) {
	f := newFake(t)
	silent(f, "west", silences["no worker"], nil)
	r := checkOf(t, f, api.FleetInput{Fleet: testFleet("east", "west")})
	require.False(t, r.Ready)
	require.Equal(t, []string{"cluster west"}, unitsOf(r.Problems))
}

func TestCheck_OfAFleetByName_IsOfWhatWasRolledOutLast(t *testing.T) {
	l := newLived()
	f := newFake(t)
	f.answer = l.answers
	r := checkOf(t, f, api.FleetInput{Fleet: l.Fleet.Reach(), FromInventories: true})
	require.True(t, r.Ready)
	require.Len(t, r.Clusters, len(l.Spec.Clusters))
}

func TestCheck_AFileThatIsWrong_IsAProblemOfTheFleet(t *testing.T) {
	f := newFake(t)
	wrong := testFleet("east")
	wrong.Spec.Links = fleet.Links{List: []fleet.Link{{From: "east", To: "nowhere"}}}
	r := checkOf(t, f, api.FleetInput{Fleet: wrong})
	require.False(t, r.Ready)
	require.Contains(t, r.Problems[0].Message, "nowhere")
}
