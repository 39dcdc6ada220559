package main

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func oneOfTwoProven() api.VerifyResult {
	ok := []api.LinkCheck{{Name: api.CheckRequest, OK: true}, {Name: api.CheckNoToken, OK: true, Detail: "401"},
		{Name: api.CheckOtherName, OK: true, Detail: "no connection"}, {Name: api.CheckSynced, OK: true, Detail: "synced in 2 of 2"}, {Name: api.CheckHolds, OK: true, Detail: "12 Services"}}
	return api.VerifyResult{Fleet: "prod", At: time.Date(2026, 11, 24, 1, 2, 3, 0, time.UTC), Links: []api.CheckLinkResult{
		{Link: "east -> west", Proven: true, Checks: ok, Connect: 24 * time.Millisecond, RoundTrip: 3 * time.Millisecond},
		{Link: "west -> east", Checks: []api.LinkCheck{{Name: api.CheckRequest, Detail: "x"}}, Hop: api.HopTCP, Why: "Envoy says <UF>", Look: "look at the firewall"},
	}}
}

func TestVerify_Table(t *testing.T) {
	var b bytes.Buffer
	printProof(&b, oneOfTwoProven())
	require.Equal(t, `LINK           ISTIOD             REQUEST               WITHOUT TOKEN   OTHER SERVER NAME   ENDPOINTS     PROVEN
east -> west   synced in 2 of 2   3 ms, connect 24 ms   401             no connection       12 Services   yes
west -> east   -                  failed                -               -                   -             NO: TCP

link west -> east breaks at TCP: Envoy says <UF>
  look at the firewall
`, b.String())
}

func TestVerify_ExitCodes(t *testing.T) {
	r := oneOfTwoProven()
	code := func(r api.VerifyResult) int {
		err := proofError(r)
		if err == nil {
			return 0
		}
		return err.(*exitError).code
	}
	require.Equal(t, exitPartly, code(r))
	require.Equal(t, exitFailed, code(api.VerifyResult{Links: r.Links[1:]}))
	require.Equal(t, 0, code(api.VerifyResult{Proven: true, Links: r.Links[:1]}))
}

func TestVerify_JUnitHasACaseForEachLink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verify.xml")
	require.NoError(t, writeJUnit(path, proofReport(oneOfTwoProven()).suite()))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var got testSuite
	require.NoError(t, xml.Unmarshal(data, &got))
	require.Equal(t, 2, got.Tests)
	require.Equal(t, 1, got.Failures)
	require.Nil(t, got.Cases[0].Failure)
	require.Equal(t, "TCP: Envoy says <UF>", got.Cases[1].Failure.Message)
	require.ErrorContains(t, writeJUnit(filepath.Join(t.TempDir(), "none", "x.xml"), proofReport(oneOfTwoProven()).suite()), "none")
}

// A link that any pod can use is proven all the same, and is told wherever its state is.
func TestVerify_OpenToAnyPod_IsToldBesideTheTable(t *testing.T) {
	const want = "link east -> west: any pod gets a connection to the egress gateway, since the network of its cluster enforces no NetworkPolicies\n"
	open := api.CheckLinkResult{Link: "east -> west", Proven: true, Checks: []api.LinkCheck{{Name: api.CheckOtherPods, Detail: api.OpenToOthers}}}
	shut := api.CheckLinkResult{Link: "west -> east", Proven: true, Checks: []api.LinkCheck{{Name: api.CheckOtherPods, OK: true, Detail: "no connection"}}}
	var table, rollout, plan strings.Builder
	printProof(&table, api.VerifyResult{Links: []api.CheckLinkResult{open, shut}})
	require.Contains(t, table.String(), want)
	require.NotContains(t, table.String(), "link west")
	r := api.FleetResult{Open: []api.Unit{api.LinkOf(fleet.Link{From: "east", To: "west"})}}
	printRollout(&rollout, r, 0)
	require.Contains(t, rollout.String(), want)
	printPlan(&plan, r, false)
	require.Contains(t, plan.String(), want)
}
