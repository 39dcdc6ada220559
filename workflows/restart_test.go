package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
)

// restarting runs a RestartFleet of east, whose links are proven but for those that are named.
func restarting(t *testing.T, change func(*api.FleetInput), broken ...string) (*fake, api.RestartResult, error) {
	in := api.FleetInput{Fleet: testFleet("east", "north", "west"), Restart: "east"}
	if change != nil {
		change(&in)
	}
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		switch r := result.(type) {
		case *api.RestartIstiodResult:
			r.Restarted = []string{"istiod", "istiod-canary"}
		case *api.CheckLinkResult:
			link := c.in.(api.CheckLinkInput).Link
			*r = api.CheckLinkResult{Link: link.String(), Proven: true}
			for _, b := range broken {
				if b == link.String() {
					*r = api.CheckLinkResult{Link: b, Hop: api.HopView, Why: "it holds none of its endpoints", Look: api.HopHint(api.HopView)}
				}
			}
		}
	}
	err := f.run(RestartFleet, in)
	var out api.RestartResult
	if err == nil {
		require.NoError(t, f.GetWorkflowResult(&out))
	}
	return f, out, err
}

func TestRestart_OfASource_ProvesItsLinksAndNoOthers(t *testing.T) {
	f, out, err := restarting(t, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"istiod", "istiod-canary"}, out.Restarted)
	require.Len(t, out.Links, 2)
	require.Equal(t, []string{"RestartIstiod east", "ReleaseInventory east"}, f.names(nil)[:2])
	require.ElementsMatch(t, []string{"CheckLink east (east.north)", "CheckLink east (east.west)"}, f.names(nil)[2:])
	var s api.Status
	f.status(&s)
	require.Equal(t, api.Done, stateOf(s, "cluster east"))
	require.Equal(t, api.Done, stateOf(s, "link east -> west"))
}

func TestRestart_AfterWhichALinkIsBroken_NamesIt(t *testing.T) {
	_, _, err := restarting(t, nil, "east -> west")
	require.Equal(t, api.TypePartly, errorType(t, err))
	require.ErrorContains(t, err, "istiod is restarted, but not every link is proven\nlink east -> west, step proof: the path breaks at istiod's endpoints: it holds none of its endpoints")
}

func TestRestart_WithoutProofs_ProvesNothing(t *testing.T) {
	f, out, err := restarting(t, func(in *api.FleetInput) { in.Fleet.Spec.Rollout.SkipProof = true })
	require.NoError(t, err)
	require.Empty(t, out.Links)
	require.Equal(t, []string{"RestartIstiod east", "ReleaseInventory east"}, f.names(nil))
}

func TestRestart_OfAStranger_RestartsNothing(t *testing.T) {
	f, _, err := restarting(t, func(in *api.FleetInput) { in.Restart = "aest" })
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.Empty(t, f.names(nil))
}

func TestRestart_Refused_SaysWhyAndLetsTheClusterGo(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "RestartIstiod" {
			return temporal.NewNonRetryableApplicationError("there is no istiod to restart", api.TypeInvalid, nil)
		}
		return nil
	}
	err := f.run(RestartFleet, api.FleetInput{Fleet: testFleet("east", "west"), Restart: "east"})
	require.Equal(t, api.TypeFailed, errorType(t, err))
	require.ErrorContains(t, err, "not every istiod was restarted\ncluster east, step restart istiod: there is no istiod to restart")
	require.Equal(t, []string{"RestartIstiod east", "ReleaseInventory east"}, f.names(nil))
}
