package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// A rollout that proves tells what it found now, a plan and one without proofs what was found
// last.
func TestFleet_EgressGatewayOpenToAnyPod_IsToldByRolloutAndPlan(t *testing.T) {
	for name, c := range map[string]struct {
		workflow    any
		skipProof   bool
		before, now bool
		want        []api.Unit
	}{
		"found now":             {workflow: RolloutFleet, now: true, want: toWestOnly},
		"closed since":          {workflow: RolloutFleet, before: true},
		"proofs are off":        {workflow: RolloutFleet, skipProof: true, before: true, want: toWestOnly},
		"a plan tells":          {workflow: PlanFleet, before: true, want: toWestOnly},
		"a plan proves nothing": {workflow: PlanFleet, now: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.answer = func(call fakeCall, result any) {
				if r, ok := result.(*api.CheckClusterResult); ok && c.before && call.ref.Cluster == "east" {
					r.OpenLinks = []string{"east.west"}
				}
				if r, ok := result.(*api.CheckLinkResult); ok && c.now && call.ref.Cluster == "east" {
					r.Checks = []api.LinkCheck{{Name: api.CheckOtherPods, Detail: api.OpenToOthers}}
				}
			}
			in := api.FleetInput{Fleet: testFleet("east", "west")}
			in.Fleet.Spec.Rollout.SkipProof = c.skipProof
			require.NoError(t, f.run(c.workflow, in))
			var r api.FleetResult
			require.NoError(t, f.GetWorkflowResult(&r))
			require.Equal(t, c.want, r.Open)
		})
	}
}

var toWestOnly = []api.Unit{api.LinkOf(fleet.Link{From: "east", To: "west"})}
