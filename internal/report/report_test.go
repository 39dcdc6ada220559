package report

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files")

// recorded are the histories of one outcome that a release recorded.
type recorded map[string]*historypb.History

type iterator struct{ events []*historypb.HistoryEvent }

func (i *iterator) HasNext() bool { return len(i.events) > 0 }
func (i *iterator) Next() (*historypb.HistoryEvent, error) {
	e := i.events[0]
	i.events = i.events[1:]
	return e, nil
}

func (r recorded) GetWorkflowHistory(_ context.Context, workflow, _ string, _ bool, _ enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	h, ok := r[workflow]
	if !ok {
		return &iterator{}
	}
	return &iterator{h.GetEvents()}
}

func load(t *testing.T, release, outcome string) (recorded, string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "workflows", "testdata", release, outcome+".*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	r, top := recorded{}, ""
	for _, f := range files {
		file, err := os.Open(f)
		require.NoError(t, err)
		h, err := client.HistoryFromJSON(file, client.HistoryJSONOptions{})
		require.NoError(t, err)
		require.NoError(t, file.Close())
		began := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
		r[began.GetWorkflowId()] = h
		if began.GetParentWorkflowExecution() == nil {
			top = began.GetWorkflowId()
		}
	}
	require.NotEmpty(t, top)
	return r, top
}

func gather(t *testing.T, release, outcome string) *Report {
	t.Helper()
	histories, top := load(t, release, outcome)
	r, err := Gather(context.Background(), histories, "default", top, "")
	require.NoError(t, err)
	r.Made = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	r.Version = "test"
	return r
}

func TestReport_OfEachOutcome(t *testing.T) {
	for _, outcome := range []string{"done", "failed", "unchanged", "canceled", "cleaned"} {
		t.Run(outcome, func(t *testing.T) {
			r := gather(t, "v0.4.0", outcome)
			data, err := json.MarshalIndent(r, "", " ")
			require.NoError(t, err)
			golden(t, filepath.Join("testdata", outcome+".json"), append(data, '\n'))
			requireAccessible(t, r)
		})
	}
}

func TestReport_OfAFailure_TellsWhichStepAndThatItWasUndone(t *testing.T) {
	r := gather(t, "v0.4.0", "failed")
	require.Equal(t, Failed, r.Status)
	var failed UnitReport
	for _, u := range r.Units {
		if u.State == Failed && u.Name != "fleet" {
			failed = u
		}
	}
	require.NotEmpty(t, failed.Name)
	at := -1
	for i, s := range failed.Steps {
		if s.State == Failed && at < 0 {
			at = i
			require.NotEmpty(t, s.Error)
		}
		if at >= 0 && i > at {
			require.True(t, isUndo(s), s.Step)
		}
	}
	require.Positive(t, at)
}

// What a history says is never markup.
func TestHTML_WordsOfOthersAreText(t *testing.T) {
	r := gather(t, "v0.4.0", "failed")
	r.Reason = `<script>alert(1)</script>`
	r.Units[0].Error = `"><img src=x onerror=alert(1)>`
	var b bytes.Buffer
	require.NoError(t, r.HTML(&b))
	require.NotContains(t, b.String(), "<script")
	require.NotContains(t, b.String(), "<img")
}

// requireAccessible looks at what a screen reader needs, and that the page needs
// nothing from elsewhere.
func requireAccessible(t *testing.T, r *Report) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.HTML(&b))
	doc, err := html.Parse(&b)
	require.NoError(t, err)
	ids, level := map[string]bool{}, 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		if id := attr["id"]; id != "" {
			require.False(t, ids[id], "id %s twice", id)
			ids[id] = true
		}
		require.NotContains(t, []string{"script", "link", "iframe", "img"}, n.Data, "it needs nothing else")
		require.Empty(t, attr["src"])
		switch n.Data {
		case "html":
			require.Equal(t, "en", attr["lang"])
		case "th":
			require.NotEmpty(t, attr["scope"])
		case "h1", "h2", "h3":
			now := int(n.Data[1] - '0')
			require.LessOrEqual(t, now, level+1, "no heading level is left out")
			level = now
		case "svg":
			require.Equal(t, "img", attr["role"])
			require.NotEmpty(t, attr["aria-labelledby"])
		}
		if attr["role"] == "region" {
			require.NotEmpty(t, attr["aria-label"])
			require.Equal(t, "0", attr["tabindex"], "what scrolls can be reached by keyboard")
		}
	}
}

func TestSchema_FileIsFresh(t *testing.T) {
	data, err := generateSchema()
	require.NoError(t, err)
	golden(t, "schema.json", data)
	require.True(t, strings.HasPrefix(string(Schema), "{"))
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	require.Equal(t, string(want), string(got))
}

func TestTimeline_StepsBesideEachOther_StandAboveEachOther(t *testing.T) {
	alone := stacked([]bar{{X: 0, Width: 5}, {X: 5, Width: 5}}, 10)
	require.Equal(t, []bar{{X: 0, Width: 5, Y: 10, Height: barHeight}, {X: 5, Width: 5, Y: 10, Height: barHeight}}, alone)

	for n := 2; n <= 10; n++ {
		var beside []bar
		for i := range n {
			beside = append(beside, bar{X: float64(i), Width: 100})
		}
		seen := map[float64]bool{}
		for _, b := range stacked(beside, 10) {
			seen[b.Y] = true
			require.LessOrEqual(t, b.Y+b.Height, 10+barHeight+0.001, "no bar leaves its row")
		}
		require.Len(t, seen, min(n, mostLanes))
	}
	require.Empty(t, stacked(nil, 10))
}
