package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/creack/pty"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// asked runs confirm for the fleet prod on a terminal where somebody types keys, and
// returns what was shown, and whether the list was asked for.
func asked(t *testing.T, keys string, some bool) (shown string, looked bool, err error) {
	t.Helper()
	person, terminal, err := pty.Open()
	require.NoError(t, err)
	defer person.Close()
	cmd := &cobra.Command{}
	cmd.SetIn(terminal)
	cmd.SetErr(terminal)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd.SetContext(ctx)
	_, writeErr := io.WriteString(person, keys)
	require.NoError(t, writeErr)
	if keys == "" {
		cancel() // Ctrl-C
	}
	err = (&app{}).confirm(cmd, false, "prod", func(w io.Writer) (bool, error) {
		looked = true
		_, err := io.WriteString(w, "Secret cacerts")
		return some, err
	})
	// A reader that nobody waits for any more would keep the terminal open.
	_, writeErr = io.WriteString(person, "\n")
	require.NoError(t, writeErr)
	require.NoError(t, terminal.Close())
	out, _ := io.ReadAll(person)
	return string(out), looked, err
}

func TestConfirm_OnATerminal_OnlyTheFleetsNameGoesOn(t *testing.T) {
	const eof = "\x04"
	for keys, want := range map[string]string{
		"prod\n":   "",
		" prod \n": "",
		"yes\n":    "that is not the fleet's name; nothing was changed",
		"\n":       "that is not the fleet's name; nothing was changed",
		"PROD\n":   "that is not the fleet's name; nothing was changed",
		eof:        "the terminal ended; nothing was changed",
		"":         "interrupted; nothing was changed",
	} {
		t.Run(keys, func(t *testing.T) {
			shown, looked, err := asked(t, keys, true)
			require.True(t, looked)
			require.Contains(t, shown, "Secret cacerts")
			require.Contains(t, shown, "Type the name of the fleet, prod, to go on: ")
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, want)
			var coded *exitError
			require.True(t, errors.As(err, &coded))
			require.Equal(t, exitFailed, coded.code)
		})
	}
}

func TestConfirm_NothingWouldGo_NobodyIsAsked(t *testing.T) {
	shown, _, err := asked(t, "\n", false)
	require.NoError(t, err)
	require.NotContains(t, shown, "Type the name")
}

// Each command that destroys, without a terminal: nothing happens, no Temporal is asked.
func TestConfirm_WithoutATerminal_EachCommandThatDestroysNeedsYes(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	const file = `apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: prod}
spec:
  clusters:
  - {name: east, network: east, kubeconfig: {context: east}}
  - {name: west, network: west, kubeconfig: {context: west}}
`
	require.NoError(t, os.WriteFile("fleet.yaml", []byte(file), 0o600))
	for _, args := range [][]string{{"cleanup"}, {"cleanup", "prod", "--cluster", "east=east"}, {"cleanup", "--detach"},
		{"rollout", "--prune"}, {"rollout", "--force-conflicts"}, {"rollout", "--prune", "--detach"},
		{"restart", "-f", "fleet.yaml", "--cluster", "east", "--reason", "INC-7"}} {
		var out bytes.Buffer
		require.Equal(t, exitUsage, Main(args, &out, &out), args)
		require.Contains(t, out.String(), "this removes, overwrites or restarts what the fleet prod has, and there is no terminal to ask on: give --yes", args)
	}
	// A fleet that is protected is not even asked about.
	require.NoError(t, os.WriteFile("fleet.yaml", bytes.Replace([]byte(file), []byte("\nspec:\n"), []byte("\nspec:\n  protected: true\n"), 1), 0o600))
	var out bytes.Buffer
	require.Equal(t, exitUsage, Main([]string{"cleanup", "--yes"}, &out, &out))
	require.Equal(t, "landbridge: the fleet prod is protected by spec.protected of its fleet file; set it to false in the fleet file and roll that out, then remove\n", out.String())
}
