package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	run := func() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }
	testscript.Main(m, map[string]func(){"landbridge": run, "kubectl-landbridge": run})
}

// Each testdata/*.txtar holds what a person types and sees, without a Temporal.
func TestCommands_WithoutTemporal(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(e *testscript.Env) error {
		e.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1") // nothing listens there
		e.Setenv("KUBECONFIG", e.WorkDir+"/kubeconfig")
		return nil
	}})
}

// Bad usage and a bad fleet file end with 2: nothing was changed.
func TestMain_WhatCannotBeUsed_ExitsWith2(t *testing.T) {
	pod := filepath.Join(t.TempDir(), "pod.yaml")
	require.NoError(t, os.WriteFile(pod, []byte("kind: Pod\n"), 0o600))
	for _, args := range [][]string{
		{"rollout", "--nothing"}, {"rollot"}, {"plan", "-o", "xml"},
		{"rollout", "-f", pod}, {"rollout", "-f", filepath.Dir(pod)}, {"rollout", "-f", filepath.Join(filepath.Dir(pod), "none.yaml")},
	} {
		var stdout, stderr strings.Builder
		require.Equal(t, exitUsage, Main(args, &stdout, &stderr), "%v: %s", args, stderr.String())
		require.Empty(t, stdout.String(), args)
	}
}
