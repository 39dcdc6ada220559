package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func TestPlanFile_IsForItsOwnerOnly_AndReadAsItWasWritten(t *testing.T) {
	f, err := fleet.Known("prod", "", []fleet.Cluster{{Name: "east", Kubeconfig: fleet.Kubeconfig{Context: "east"}}})
	require.NoError(t, err)
	in := api.FleetInput{Fleet: *f, DryRun: true, ForceVersion: true, Plan: api.PlanOf(api.FleetResult{Plan: []api.PlannedUnit{
		{Unit: api.Member("east"), Changes: []fleet.Change{{Action: fleet.Create, Kind: "Gateway", Name: "a", Digest: "sha256:0"}, {Action: fleet.Keep, Kind: "Secret", Name: "b"}}}}}, time.Now())}
	path := filepath.Join(t.TempDir(), "prod.plan")
	require.NoError(t, os.WriteFile(path, []byte("an older one"), 0o644))
	require.NoError(t, writePlan(path, in))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	got, err := readPlan(path)
	require.NoError(t, err)
	require.Len(t, got.Plan.Units[0].Changes, 1, "what stays is not in it")
	in.Contract, in.DryRun = api.Contract, false
	require.Equal(t, in, got)
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, files, 1)
}

func TestPlanFile_ThatIsNone_IsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prod.plan")
	for content, want := range map[string]string{
		"":                "is no plan of Landbridge: unexpected end of JSON input; `landbridge plan --out` writes one",
		"kind: Fleet":     "is no plan of Landbridge: invalid character",
		`{"kind":"Plan"}`: "is no plan of Landbridge; `landbridge plan --out` writes one",
		`{"apiVersion":"` + fleet.APIVersion + `","kind":"Plan","input":{"contract":99,"plan":{}}}`: "was made by a newer landbridge; take that one, or plan again",
		`{"apiVersion":"` + fleet.APIVersion + `","kind":"Plan","input":{"plan":{}}}`:               "metadata.name",
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := readPlan(path)
		require.ErrorContains(t, err, want)
		require.Equal(t, exitUsage, err.(*exitError).code)
	}
	_, err := readPlan(path + ".none")
	require.ErrorContains(t, err, "there is no plan "+path+".none")
}
