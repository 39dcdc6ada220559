package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// waiting returns the progress of a rollout whose wave rest waits, after these units failed.
func waiting(failed ...api.Unit) (p progress) {
	p.Fleet, p.Phase, p.WaitsFor = "prod", api.PhaseApproval, "rest"
	for _, u := range failed {
		p.Status.Units = append(p.Status.Units, api.UnitState{Unit: u, State: api.Undone})
	}
	return p
}

func TestHolds_AWaveThatWaits_SaysWhatFailedAndTheChoices(t *testing.T) {
	const approve = "wave rest waits; `landbridge approve prod --wave rest --reason …` lets it begin"
	require.Equal(t, []string{approve, "nothing failed before it; `landbridge cancel prod --reason …` ends it here"}, waiting().holds())
	require.Equal(t, []string{approve, "failed before it: cluster c21, link east -> west",
		"`landbridge retry prod --cluster c21` tries again, `landbridge skip prod --cluster c21 --reason …` leaves it out, `landbridge cancel prod --reason …` ends it here"},
		waiting(api.Member("c21"), api.LinkOf(fleet.Link{From: "east", To: "west"})).holds())
	require.Contains(t, waiting(api.LinkOf(fleet.Link{From: "east", To: "west"})).holds()[2], "retry prod --link east.west")
	paused := waiting()
	paused.Paused = true
	require.Equal(t, []string{"paused; `landbridge resume prod` lets it go on"}, paused.holds())
	require.Empty(t, progress{}.holds())
}

// What ended badly ends with the command to type; where the error has told what to do, or the
// run goes on, there is none.
func TestWithNext_EndsWithTheCommandToType(t *testing.T) {
	cause := errors.New("1 of 2 clusters failed\ncluster west: no")
	for _, c := range []struct{ typ, renews, want string }{
		{api.RolloutFleet, "", "`landbridge retry prod`"},
		{api.CleanupFleet, "", "`landbridge cleanup prod`"},
		{api.RotateFleet, api.RenewsTokens, "`landbridge rotate prod --tokens`"},
		{api.RotateFleet, api.RenewsIntermediates, "`landbridge rotate prod --intermediates`"},
		{api.RotateFleet, api.RenewsRoot, "`landbridge rotate prod --root` goes on, or `landbridge rotate prod --root --undo` goes back"},
		{api.RotateFleet, api.RenewsRootUndo, "`landbridge rotate prod --root --undo` goes on, or `landbridge rotate prod --root` goes forward again"},
	} {
		for _, code := range []int{exitFailed, exitPartly} {
			err := withNext(&exitError{code, cause}, c.typ, "prod", c.renews)
			require.ErrorContains(t, err, "cluster west: no\nnext: once the cause is gone, "+c.want)
			require.Equal(t, code, err.(*exitError).code)
		}
		require.Equal(t, usage(cause), withNext(usage(cause), c.typ, "prod", c.renews))
		require.Equal(t, &exitError{exitDetached, nil}, withNext(&exitError{exitDetached, nil}, c.typ, "prod", c.renews))
	}
	require.Equal(t, failed(cause), withNext(failed(cause), api.MoveRoot, "prod", ""))
}

func TestPlan_EndsAsPeopleExpect(t *testing.T) {
	require.Equal(t, "59 to create, 0 to change, 0 to remove", showTotals(map[fleet.Action]int{fleet.Create: 59}))
	require.Equal(t, "1 to create, 2 to change, 3 to remove, 4 to adopt, 1 not ready yet, 7 as they should be", showTotals(map[fleet.Action]int{
		fleet.Create: 1, fleet.Update: 2, fleet.Remove: 3, fleet.Adopt: 4, fleet.Wait: 1, fleet.Keep: 7}))
}
