package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/runs"
)

// statusAt returns what status prints on a terminal of so many columns, or with 0 to a pipe.
func statusAt(t *testing.T, columns uint16, output string) string {
	t.Helper()
	t.Setenv("TERM", "xterm-256color")
	p := fifty().progress
	s := statusOutput{Type: api.RolloutFleet, Status: "running", Started: time.Now(), Fleet: p}
	out := written(t, columns > 0, func(w *os.File) {
		if columns > 0 {
			require.NoError(t, pty.Setsize(w, &pty.Winsize{Rows: 24, Cols: columns}))
		}
		require.NoError(t, (&app{output: output}).print(w, s, func(w io.Writer) { printStatus(w, s) }))
	})
	return ansi.Strip(strings.ReplaceAll(out, "\r\n", "\n"))
}

// The cloud's own words are at the end of a long line, and a person looks for them.
func TestStatus_OnANarrowTerminal_BreaksLinesAndCutsNoReason(t *testing.T) {
	const cause = "Service istio-system/istio-eastwestgateway has no address; the cloud says SyncLoadBalancerFailed: quota exceeded"
	for _, columns := range []uint16{60, 80, 120} {
		out := statusAt(t, columns, "")
		require.Contains(t, strings.Join(strings.Fields(out), " "), cause)
		for _, l := range strings.Split(out, "\n")[3:] { // below the head
			require.LessOrEqual(t, ansi.StringWidth(l), int(columns), l)
		}
	}
	for _, whole := range []string{statusAt(t, 0, ""), statusAt(t, 80, outputWide)} {
		require.Contains(t, whole, cause)
	}
	require.Contains(t, statusAt(t, 80, outputWide), "TRY   ISTIO")
}

func TestTable_LastColumn_GoesOnBelow(t *testing.T) {
	var b bytes.Buffer
	table := newTable(&b, "A", "B", "WHY")
	table.row("one", "two", "three four five six seven eight nine ten")
	for width, want := range map[int]string{
		0:  "A     B     WHY\none   two   three four five six seven eight nine ten\n",
		39: "A    B    WHY\none  two  three four five six seven\n          eight nine ten\n",
		24: "A    B    WHY\none  two\n    three four five six\n    seven eight nine ten\n",
	} {
		b.Reset()
		table.width = width
		table.flush()
		require.Equal(t, want, b.String(), width)
	}
}

// A machine that reads a time that is not there would take it for the year 1.
func TestJSON_OfWhatIsNotKnown_HasNoYearOne(t *testing.T) {
	for _, v := range []any{statusOutput{}, runs.Schedule{Last: []runs.Check{{}}}, changeList{{}}, fleetList{{}}, versions{Workers: queueList{{Workers: []aWorker{{}}}}},
		api.CAResult{}, api.FleetResult{}, api.DriftResult{}, api.VerifyResult{}, api.CleanupResult{}, api.PreflightResult{}, api.RevokeResult{}, api.ForgetResult{}, api.RestartResult{Links: []api.CheckLinkResult{}}} {
		data, err := json.Marshal(v)
		require.NoError(t, err)
		require.NotContains(t, string(data), "0001-01-01", "%T", v)
	}
}
