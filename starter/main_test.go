package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"landbridge": func() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }})
}

// Each testdata/*.txtar is what a person types and sees, without a Temporal.
func TestCommands_WithoutTemporal(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(e *testscript.Env) error {
		e.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1") // nothing listens there
		e.Setenv("KUBECONFIG", e.WorkDir+"/kubeconfig")
		return nil
	}})
}
