package workflows

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// adopted is a fleet of the guide's that Landbridge takes over.
func adopted(names ...string) fleet.Fleet {
	f := existingFleet(names...)
	f.Spec.Adopt = true
	return f
}

func aboutTheGuide(c fakeCall) bool { return strings.Contains(c.name, "Guide") }

func TestGuideAccess_EndsForATarget_WhenEveryLinkToItIsDone(t *testing.T) {
	f := newFake(t)
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: adopted("east", "west")}))
	require.ElementsMatch(t, []string{"ShutGuideOut east", "ShutGuideOut west"}, f.names(aboutTheGuide))
	order := f.names(nil)
	for _, target := range []string{"east (west.east)", "west (east.west)"} {
		require.Less(t, slices.Index(order, "EnsureAccess "+target), slices.IndexFunc(order, func(c string) bool { return strings.HasPrefix(c, "ShutGuideOut") }))
	}
	for _, c := range f.calls {
		if in, ok := c.in.(api.EnsureExposureInput); ok {
			require.Equal(t, []string{"cluster.local/ns/istio-system/sa/kube-apiserver-" + c.ref.Cluster + "-egress-gateway"}, in.Guide)
		}
	}
}

// A source whose link fails gets back the gateway that the guide gave it, and goes on reading.
func TestGuideAccess_OfATargetWhoseLinkFailed_Stays(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.String() == "EnsureEgressConfig east (east.west)" {
			return broken(c)
		}
		return nil
	}
	require.Error(t, f.run(RolloutFleet, api.FleetInput{Fleet: adopted("east", "west")}))
	require.Equal(t, []string{"ShutGuideOut east"}, f.names(aboutTheGuide))
}

func TestGuideAccess_ThatCannotEnd_FailsItsMember(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.String() == "ShutGuideOut west" {
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: adopted("east", "west")})
	require.ErrorContains(t, err, "cluster west, step shut the guide's gateways out")
}

func TestGuideAccess_BeginsAgain_BeforeACleanupGivesTheGatewaysBack(t *testing.T) {
	f := newFake(t)
	require.NoError(t, f.run(CleanupFleet, api.FleetInput{Fleet: adopted("east", "west")}))
	order := f.names(nil)
	for _, target := range []string{"east", "west"} {
		require.Less(t, slices.Index(order, "LetGuideIn "+target), slices.IndexFunc(order, func(c string) bool { return strings.HasPrefix(c, "RemoveEgressGateway") }))
		require.Contains(t, order, "LetGuideIn "+target)
	}
}

func TestGuideAccess_WithoutAdoption_OrInAPlan_NothingIsDone(t *testing.T) {
	for name, does := range map[string]func(*fake) error{
		"rollout": func(f *fake) error { return f.run(RolloutFleet, api.FleetInput{Fleet: existingFleet("east", "west")}) },
		"cleanup": func(f *fake) error { return f.run(CleanupFleet, api.FleetInput{Fleet: existingFleet("east", "west")}) },
		"plan":    func(f *fake) error { return f.run(PlanFleet, api.FleetInput{Fleet: adopted("east", "west")}) },
		"what a cleanup would do": func(f *fake) error {
			return f.run(CleanupFleet, api.FleetInput{Fleet: adopted("east", "west"), DryRun: true})
		},
	} {
		f := newFake(t)
		require.NoError(t, does(f), name)
		require.Empty(t, f.names(aboutTheGuide), name)
	}
}
