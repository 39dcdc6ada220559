package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

// linesOf reads what was printed since the last call.
func linesOf(t *testing.T, b *bytes.Buffer) (out []changeLine) {
	t.Helper()
	for _, l := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		if l == "" {
			continue
		}
		var line changeLine
		require.NoError(t, json.Unmarshal([]byte(l), &line), l)
		require.Equal(t, "prod", line.Fleet)
		require.Equal(t, "run-1", line.Run)
		require.WithinDuration(t, time.Now(), line.At, time.Minute)
		out = append(out, line)
	}
	b.Reset()
	return out
}

func TestWatch_AsJSON_HasALineForEachChange(t *testing.T) {
	var b bytes.Buffer
	c := &changes{w: &b, fleet: "prod", run: "run-1", seen: map[string]string{}}
	p := fifty().progress
	c.progress(p)
	first := linesOf(t, &b)
	require.Equal(t, "clusters", first[0].Phase)
	require.Len(t, first, 1+20+1+5+1+12+1, "the phase, and each unit that began")
	c.progress(p)
	require.Empty(t, linesOf(t, &b), "nothing changed")

	p.Units[21].State, p.Units[21].Message = api.Failed, "a -> b: <no>"
	p.Decisions = []api.Decision{{What: "pause", By: "anna"}}
	p.Paused = true
	c.progress(p)
	require.Contains(t, c.seen["cluster c22"], "c22")
	changed := linesOf(t, &b)
	require.Len(t, changed, 3)
	require.Contains(t, (*changed[0].Waits)[0], "resume prod")
	require.Equal(t, "anna", changed[1].Decision.By)
	require.Equal(t, "a -> b: <no>", changed[2].Unit.Message)

	p.Paused = false
	c.progress(p)
	require.Empty(t, *linesOf(t, &b)[0].Waits, "it goes on")
	now := time.Now()
	c.ended(statusOutput{Status: "failed", Closed: &now, Error: "no", end: errors.New("no")})
	require.Equal(t, "failed", linesOf(t, &b)[0].Status)
}
