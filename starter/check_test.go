package main

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

// checked returns a preflight with a cluster that is well, one that lacks a right, and one that
// does not answer.
func checked() api.PreflightResult {
	return api.PreflightResult{Fleet: "prod", At: time.Date(2026, 11, 30, 1, 2, 3, 0, time.UTC), Clusters: []api.CheckedCluster{
		{Name: "east", Version: "v1.36.3", Checks: []api.Checked{{Name: "API server"}, {Name: "rights"}}},
		{Name: "west", Version: "v1.35.0", Checks: []api.Checked{{Name: "API server"}, {Name: "rights", Problems: []string{"it may not list pods; `landbridge rbac` prints the role that the worker needs"}}}},
		{Name: "north"},
	}, Problems: []api.Failure{
		{Unit: api.Member("north"), Type: api.TypeUnreachable, Message: "it does not answer, tried for 31s: connection refused"},
		{Type: api.TypePreflight, Message: "generation 4 was applied since"},
	}}
}

func TestCheck_ALineForEachCheck_WithWhatToDo(t *testing.T) {
	var b strings.Builder
	printCheck(&b, checked())
	require.Equal(t, `cluster east  Kubernetes v1.36.3
  ✓ API server
  ✓ rights
cluster west  Kubernetes v1.35.0
  ✓ API server
  ✗ rights: it may not list pods; `+"`landbridge rbac`"+` prints the role that the worker needs
cluster north
  ✗ it does not answer, tried for 31s: connection refused
fleet prod
  ✗ generation 4 was applied since

fleet prod: 3 problems; a rollout would stop before it changes anything
`, ansi.Strip(b.String()))
}

func TestCheck_ExitCodes(t *testing.T) {
	code := func(r api.PreflightResult) int {
		err := checkError(r)
		if err == nil {
			return 0
		}
		return err.(*exitError).code
	}
	require.Equal(t, exitFailed, code(checked()))
	require.Equal(t, 0, code(api.PreflightResult{Ready: true}))
	silent := checked()
	silent.Clusters[1].Checks[1].Problems, silent.Problems = nil, silent.Problems[:1]
	require.Equal(t, exitPartly, code(silent), "a rollout goes on without it")
	var b strings.Builder
	printCheck(&b, silent)
	require.Contains(t, b.String(), "fleet prod: a rollout would go on without north\n")
	silent.Clusters = silent.Clusters[2:]
	require.Equal(t, exitFailed, code(silent), "none is left")
}

func TestCheck_JUnitHasACaseForEachCheck(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, (&app{output: outputJUnit}).print(&b, checkReport(checked()), nil))
	var got testSuite
	require.NoError(t, xml.Unmarshal(b.Bytes(), &got))
	require.Equal(t, "landbridge check prod", got.Name)
	require.Equal(t, 6, got.Tests)
	require.Equal(t, 3, got.Failures)
	require.Equal(t, "west: rights", got.Cases[3].Name)
	require.Contains(t, got.Cases[3].Failure.Message, "may not list pods")
	require.Nil(t, got.Cases[0].Failure)
}
