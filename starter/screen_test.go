package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

var update = flag.Bool("update", false, "write the golden files")

// fifty returns the picture of a fleet of 50 clusters during its second wave.
func fifty() picture {
	began := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	since := began.Add(3 * time.Minute)
	p := picture{noun: "rollout", now: began.Add(4*time.Minute + 12*time.Second)}
	p.Fleet, p.Phase, p.Began = "prod", "clusters", began
	p.Request = fleet.Request{Reason: "CHG-1234", RequestedBy: "anna@bastion"}
	p.Waves = []api.WaveState{{Name: "canary", Clusters: 1, State: api.Done},
		{Name: "europe", Clusters: 30, State: api.Running}, {Name: "rest", Clusters: 19, State: api.Pending}}
	for i := range 50 {
		u := unitProgress{UnitState: api.UnitState{Unit: api.Member(fmt.Sprintf("c%02d", i+1)), State: api.Pending}}
		switch {
		case i < 20:
			u.State = api.Done
		case i == 20:
			u.State, u.Message = api.Failed, "cluster c21: its Sail operator does not know Istio v1.31.3; it knows v1.28.0, v1.29.1: change spec.istio.version"
		case i < 26:
			u.State, u.Step, u.Since, u.Attempt = api.Running, "wait for load balancer", &since, 1
			u.WaitsFor = "Service istio-system/istio-eastwestgateway has no address; the cloud says SyncLoadBalancerFailed: quota exceeded"
		case i == 26:
			u.State, u.Step, u.Since, u.Attempt, u.LastError = api.Running, "east-west gateway", &since, 3, "cluster c27: helm install: connection refused"
		}
		p.Units = append(p.Units, u)
	}
	for _, from := range []string{"c01", "c02"} {
		for i := range 50 {
			to := fmt.Sprintf("c%02d", i+1)
			u := unitProgress{UnitState: api.UnitState{Unit: api.LinkOf(fleet.Link{From: from, To: to}), State: api.Pending}}
			switch {
			case to == from:
				continue
			case from == "c01" && i <= 12:
				u.State = api.Done
			case from == "c01" && i == 13:
				u.State, u.Step, u.Since = api.Running, "proof", &since
			}
			p.Units = append(p.Units, u)
		}
	}
	return p
}

func TestScreen_FiftyClustersFitWhateverTheTerminal(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 50}, {80, 12}, {40, 8}} {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			p := fifty()
			p.width, p.height = size[0], size[1]
			got := ansi.Strip(p.draw())
			lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
			require.Less(t, len(lines), size[1], "the cursor needs a line too")
			for _, l := range lines {
				require.LessOrEqual(t, ansi.StringWidth(l), size[0])
			}
			golden(t, filepath.Join("testdata", "screen-"+name+".golden"), got)
		})
	}
}

// The terminal would lose the fleet's own line, were the picture a line too high.
func TestScreen_FitsWithUnitsOfEveryState(t *testing.T) {
	for _, height := range []int{24, 12, 8} {
		p := fifty()
		p.width, p.height = 80, height
		p.Units[49].State = api.Skipped
		lines := strings.Split(strings.TrimSuffix(ansi.Strip(p.draw()), "\n"), "\n")
		require.Less(t, len(lines), height)
		require.Contains(t, lines[0], "fleet prod")
		require.Contains(t, lines[len(lines)-2], "1 cluster skipped")
	}
}

func TestScreen_WhileAWaveWaits_FitsAndSaysWhy(t *testing.T) {
	for height, all := range map[int]bool{24: true, 12: true, 8: false} {
		p := fifty()
		p.width, p.height = 80, height
		p.WaitsFor, p.Phase = "rest", api.PhaseApproval
		text := ansi.Strip(p.draw())
		require.Less(t, strings.Count(text, "\n"), height)
		require.Contains(t, text, "wave rest waits; `landbridge approve prod --wave rest --reason …`")
		require.Equal(t, all, strings.Contains(text, "landbridge cancel prod"), "height %d", height)
	}
}

func TestScreen_SaysWhatHoldsItUp(t *testing.T) {
	p := fifty()
	p.width, p.height = 120, 40
	p.WaitsFor, p.Phase = "rest", api.PhaseApproval
	require.Contains(t, p.draw(), "wave rest waits; `landbridge approve prod --wave rest --reason …` lets it begin")
	p.Paused = true
	require.Contains(t, p.draw(), "paused; `landbridge resume prod` lets it go on")
}

// Without a terminal each change is a line, and what did not change is not printed.
func TestLines_OneForEachChange(t *testing.T) {
	var b strings.Builder
	l := &lines{w: &b, began: time.Now(), seen: map[string]string{}}
	p := fifty().progress
	l.progress(p)
	first := b.String()
	l.progress(p)
	require.Equal(t, first, b.String())
	p.Decisions = []api.Decision{{What: "pause", By: "anna"}}
	p.Paused = true
	l.progress(p)
	require.Equal(t, "paused; `landbridge resume prod` lets it go on\npause, by anna", unstamped(strings.TrimPrefix(b.String(), first)))
}

// unstamped removes the seconds before each line.
func unstamped(s string) string {
	var out []string
	for _, l := range strings.Split(strings.TrimSpace(s), "\n") {
		_, rest, _ := strings.Cut(l, "s  ")
		out = append(out, rest)
	}
	return strings.Join(out, "\n")
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	require.Equal(t, string(want), got)
}
