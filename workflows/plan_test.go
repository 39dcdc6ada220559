package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// planned returns the input of a rollout of the plan that the fakes' clusters answer with.
func planned(t *testing.T, l *lived, action fleet.Action) api.FleetInput {
	t.Helper()
	f := newFake(t)
	f.action, f.answer = action, l.answers
	in := api.FleetInput{Fleet: l.Fleet}
	require.NoError(t, f.run(PlanFleet, in))
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	in.Plan = api.PlanOf(r, time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC))
	return in
}

func TestPlan_ThatHolds_IsRolledOut(t *testing.T) {
	l := newLived()
	in := planned(t, l, fleet.Update)
	in.ForceConflicts = true
	f := newFake(t)
	f.action, f.answer = fleet.Update, l.answers
	require.NoError(t, f.run(RolloutFleet, in))
	require.Contains(t, f.names(func(c fakeCall) bool { return ensures(c) && !c.ref.DryRun }), "EnsureIstio west")
}

func TestPlan_ThatHoldsNoMore_ChangesNothingAndSaysWhat(t *testing.T) {
	for what, c := range map[string]struct {
		since func(l *lived, f *fake)
		want  string
	}{
		"another rollout": {func(l *lived, _ *fake) { l.last.Generation, l.last.Digest = 4, "sha256:4" },
			"generation 4 (sha256:4) was applied since, at 2026-11-28T09:00:00Z, requested by anna; this is about generation 3 (sha256:3)"},
		"a cleanup": {func(l *lived, _ *fake) { l.cleaned = true }, "no cluster remembers generation 3 any more: a cleanup ran since"},
		"an object that was repaired": {func(l *lived, f *fake) {
			f.answer = func(c fakeCall, result any) {
				l.answers(c, result)
				if r, ok := result.(*fleet.Changes); ok && c.String() == "EnsureExposure west" {
					r.Changes[0].Action = fleet.Keep
				}
			}
		}, "cluster west: Kind EnsureExposure was to be updated, and is now to stay as it is"},
		"an object that was deleted": {func(l *lived, f *fake) {
			f.answer = func(c fakeCall, result any) {
				l.answers(c, result)
				if r, ok := result.(*fleet.Changes); ok && c.String() == "EnsureAccess west (east.west)" {
					r.Changes[0].Action = fleet.Create
				}
			}
		}, "link east -> west: Kind EnsureAccess was to be updated, and is now to be created"},
		"a field": {func(l *lived, f *fake) {
			f.answer = func(c fakeCall, result any) {
				l.answers(c, result)
				if r, ok := result.(*fleet.Changes); ok && c.String() == "EnsureAccess west (east.west)" {
					r.Changes[0].Fields = []fleet.Field{{Path: "spec.rules", From: "a", To: "b"}}
				}
			}
		}, "link east -> west: Kind EnsureAccess is otherwise now: its fields, or who set them, are not those of the plan"},
	} {
		t.Run(what, func(t *testing.T) {
			l := newLived()
			in := planned(t, l, fleet.Update)
			f := newFake(t)
			f.action, f.answer = fleet.Update, l.answers
			c.since(l, f)
			err := f.run(RolloutFleet, in)
			require.Equal(t, api.TypePreflight, errorType(t, err))
			require.ErrorContains(t, err, "the plan of 2026-11-29T09:00:00Z does not hold any more, and nothing was changed; plan again")
			require.ErrorContains(t, err, c.want)
			for _, c := range f.calls {
				require.True(t, !ensures(c) || c.ref.DryRun, c.String())
			}
		})
	}
}

// An object that does not work yet, or works now, is the same object.
func TestPlan_WhatIsWaitedFor_IsNoChange(t *testing.T) {
	l := newLived()
	in := planned(t, l, fleet.Wait)
	require.Empty(t, in.Plan.Units)
	f := newFake(t)
	f.action, f.answer = fleet.Keep, l.answers
	require.NoError(t, f.run(RolloutFleet, in))
}
