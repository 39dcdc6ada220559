package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

// The list is for a glance: how long ago, and in how long, on a terminal of the usual width.
func TestList_Fits80Columns_AndWideHasTheRest(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	next := time.Now().Add(11*time.Hour + 30*time.Second)
	fleets := fleetList{{Fleet: "prod", Last: pastChange{Run: "run-1", Type: api.RolloutFleet, Status: "running", Phase: "clusters", Reason: "CHG-7",
		RequestedBy: "anna@bastion", Started: time.Now().Add(-200 * time.Hour)}, Links: 6, Proven: 6, NextCheck: &next}}
	at := func(output string) string {
		return strings.ReplaceAll(written(t, true, func(w *os.File) {
			require.NoError(t, pty.Setsize(w, &pty.Winsize{Rows: 24, Cols: 80}))
			require.NoError(t, (&app{output: output}).print(w, fleets, func(w io.Writer) { printFleets(w, fleets) }))
		}), "\r\n", "\n")
	}
	require.Equal(t, `FLEET  CHANGE   STATE              STARTED  BY            PROVEN  NEXT CHECK
prod   rollout  running, clusters  8d ago   anna@bastion  6 of 6  in 11h
`, at(""))
	require.Contains(t, at(outputWide), "run-1   CHG-7\n")
	require.Equal(t, "prod\n", at(outputName))
}
