package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
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
