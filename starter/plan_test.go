package main

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Where a cluster did not answer, nobody is told that there is nothing to do.
func TestUnreachable_PlanAndDrift_NameIt(t *testing.T) {
	silent := []api.Failure{{Unit: api.Member("west"), Message: "it does not answer, tried for 31s: connection refused"}}
	var plan, drift strings.Builder
	printPlan(&plan, api.FleetResult{Unreachable: silent}, false)
	printDrift(&drift, api.DriftResult{Fleet: "prod", Drifted: true, Unreachable: silent})
	for _, out := range []string{plan.String(), drift.String()} {
		require.Contains(t, out, "cluster west: it does not answer, tried for 31s: connection refused")
		require.NotContains(t, out, "nothing to do")
	}
	require.Contains(t, drift.String(), "fleet prod differs from the fleet file: 1 unreachable cluster")
}

// A reason is a sentence or a clause that stands by itself, whatever the change.
func TestNote_OfAChange_IsPrintedAsItIs(t *testing.T) {
	const anew = "made anew: roleRef cannot be changed in place"
	for want, c := range map[string]fleet.Change{
		"":                          {Action: fleet.Update},
		"  (spec.replicas differs)": {Action: fleet.Update, Note: "spec.replicas differs"},
		"  (" + anew + ")":          {Action: fleet.Update, Note: anew},
		"  (Istio's own)":           {Action: fleet.Keep, Note: "Istio's own"},
	} {
		require.Equal(t, want, note(c))
	}
}

func TestDrift_SaysWithWhatAndWhen_AndWhatWasDeleted(t *testing.T) {
	var out strings.Builder
	printDrift(&out, api.DriftResult{Fleet: "prod", Drifted: true, Differs: 2, Changes: []api.PlannedUnit{{Unit: api.Member("east"), Changes: []fleet.Change{
		{Action: fleet.Update, Kind: "Service", Namespace: "istio-system", Name: "gateway", Drift: true, Note: "spec.ports",
			ChangedBy: fleet.ChangedBy{With: "kubectl-edit", At: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}},
		{Action: fleet.Create, Kind: "Secret", Namespace: "istio-system", Name: "cacerts", Deleted: true, Fields: []fleet.Field{{Path: "data", To: "x"}}},
	}}}})
	text := ansi.Strip(out.String())
	require.Contains(t, text, "(somebody else changed spec.ports, with kubectl-edit at 2026-11-30T12:00:00Z; --force-conflicts overwrites it)")
	require.Contains(t, text, "  - deleted  Secret istio-system/cacerts  (since the last rollout; a rollout creates it anew)\n\nfleet prod differs")
}
