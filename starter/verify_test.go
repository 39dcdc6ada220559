package main

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/workflows"
)

func oneOfTwoProven() workflows.VerifyResult {
	ok := []activities.LinkCheck{{Name: activities.CheckRequest, OK: true}, {Name: activities.CheckNoToken, OK: true, Detail: "401"},
		{Name: activities.CheckOtherName, OK: true, Detail: "no connection"}, {Name: activities.CheckSynced, OK: true, Detail: "synced in 2 of 2"}}
	return workflows.VerifyResult{Fleet: "prod", At: time.Date(2026, 11, 24, 1, 2, 3, 0, time.UTC), Links: []activities.CheckLinkResult{
		{Link: "east -> west", Proven: true, Checks: ok, Connect: 24 * time.Millisecond, RoundTrip: 3 * time.Millisecond},
		{Link: "west -> east", Checks: []activities.LinkCheck{{Name: activities.CheckRequest, Detail: "x"}}, Hop: activities.HopTCP, Why: "Envoy says <UF>", Look: "look at the firewall"},
	}}
}

func TestVerify_Table(t *testing.T) {
	var b bytes.Buffer
	printProof(&b, oneOfTwoProven())
	require.Equal(t, `LINK           ISTIOD             REQUEST               WITHOUT TOKEN   OTHER SERVER NAME   PROVEN
east -> west   synced in 2 of 2   3 ms, connect 24 ms   401             no connection       yes
west -> east   -                  failed                -               -                   NO: TCP

west -> east breaks at TCP: Envoy says <UF>
  look at the firewall
`, b.String())
}

func TestVerify_ExitCodes(t *testing.T) {
	r := oneOfTwoProven()
	code := func(r workflows.VerifyResult) int {
		err := proofError(r)
		if err == nil {
			return 0
		}
		return err.(*exitError).code
	}
	require.Equal(t, exitPartly, code(r))
	require.Equal(t, exitFailed, code(workflows.VerifyResult{Links: r.Links[1:]}))
	require.Equal(t, 0, code(workflows.VerifyResult{Proven: true, Links: r.Links[:1]}))
}

func TestVerify_JUnitHasACaseForEachLink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "verify.xml")
	require.NoError(t, writeJUnit(path, oneOfTwoProven()))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var got testSuite
	require.NoError(t, xml.Unmarshal(data, &got))
	require.Equal(t, 2, got.Tests)
	require.Equal(t, 1, got.Failures)
	require.Nil(t, got.Cases[0].Failure)
	require.Equal(t, "TCP: Envoy says <UF>", got.Cases[1].Failure.Message)
	require.ErrorContains(t, writeJUnit(filepath.Join(t.TempDir(), "none", "x.xml"), oneOfTwoProven()), "none")
}
