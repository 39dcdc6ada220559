package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	escape = "\x1b"
	// tooLong lies between the 5 s after which a program gives up to wait for a terminal's
	// answer, and the 0.02 s of ours, which are a second on a very busy machine.
	tooLong = 3 * time.Second
)

func TestTerminal_ThatNeverAnswers_HoldsUpNoCommand(t *testing.T) {
	dir := t.TempDir()
	command := filepath.Join(dir, "landbridge")
	out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.yaml"), []byte("apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nspec: {colour: red}\n"), 0o600))
	// A tmux that is asked for its colours says so.
	asked := filepath.Join(dir, "asked")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tmux"), []byte("#!/bin/sh\necho \"$@\" >"+asked+"\n"), 0o700))

	lines := append(commandLines(t), []string{"plan", "--file", "bad.yaml"}, []string{"no-such-command"})
	t.Run("commands", func(t *testing.T) {
		for _, env := range [][]string{
			{"TERM=xterm-256color", "COLORTERM=truecolor"},
			{"TERM=xterm-256color", "NO_COLOR=1"},
			{"TERM=tmux-256color", "TMUX=/none,1,0"},
			{"TERM=dumb"},
		} {
			for _, args := range lines {
				t.Run(strings.Join(env, " ")+" "+strings.Join(args, " "), func(t *testing.T) {
					t.Parallel()
					cmd := exec.Command(command, args...)
					cmd.Dir = dir
					cmd.Env = append([]string{"HOME=" + dir, "PATH=" + dir + ":" + os.Getenv("PATH"), "TEMPORAL_ADDRESS=127.0.0.1:1"}, env...)
					began := time.Now()
					out := onTerminal(t, cmd)
					require.Less(t, time.Since(began), tooLong)
					require.NotEmpty(t, out)
					require.NotContains(t, out, escape)
				})
			}
		}
	})
	require.NoFileExists(t, asked, "a command ran tmux")
}

// commandLines returns the help of every command, and all that a command does
// without a Temporal: those that read a fleet file are given none.
func commandLines(t *testing.T) (lines [][]string) {
	cmd := root()
	cmd.InitDefaultHelpCmd()
	cmd.InitDefaultCompletionCmd()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		line := strings.Fields(cmd.CommandPath())[1:]
		lines = append(lines, append(line, "--help"))
		if cmd.Runnable() && cmd.ValidateArgs(nil) == nil {
			if cmd.Flags().Lookup("file") != nil {
				lines = append(lines, append(line, "--file", "none.yaml"))
			} else if cmd.Flags().Lookup("address") == nil || cmd.Name() == "version" {
				lines = append(lines, line)
			}
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(cmd)
	for _, want := range []string{"version", "schema", "rbac --file none.yaml", "completion bash", "plan --file none.yaml", "init --file none.yaml", "schedule --file none.yaml", "approve --help"} {
		require.Contains(t, lines, strings.Fields(want))
	}
	return lines
}

// onTerminal runs a command on a terminal of its own, which never answers, and
// returns what it wrote there.
func onTerminal(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	require.NoError(t, err)
	defer terminal.Close()
	out, _ := io.ReadAll(terminal) // it ends with an error when the last writer is gone
	_ = cmd.Wait()
	return string(out)
}

// written returns what write writes to a terminal that never answers, or to a pipe.
func written(t *testing.T, toTerminal bool, write func(*os.File)) string {
	t.Helper()
	reader, w, err := os.Pipe()
	if toTerminal {
		reader, w, err = pty.Open()
	}
	require.NoError(t, err)
	defer reader.Close()
	out := make(chan string)
	go func() {
		data, _ := io.ReadAll(reader)
		out <- string(data)
	}()
	write(w)
	require.NoError(t, w.Close())
	return <-out
}

func TestTerminal_ColoursOnlyWhereTheyAreSeen(t *testing.T) {
	plan := api.FleetResult{Plan: []api.PlannedUnit{{Unit: api.Member("east"), Changes: []fleet.Change{
		{Action: fleet.Create, Kind: "Namespace", Name: "istio-system"},
		{Action: fleet.Update, Kind: "Service", Namespace: "istio-system", Name: "istio-eastwestgateway", Drift: true, Note: "spec.ports",
			Fields: []fleet.Field{{Path: "spec.ports", From: "1", To: "2"}}},
	}}}}
	drift := api.DriftResult{Fleet: "prod", Drifted: true, Changes: plan.Plan}
	for _, c := range []struct {
		terminal bool
		env      string
		output   string
		coloured bool
	}{
		{terminal: true, coloured: true},
		{terminal: true, env: "NO_COLOR=yes"},
		{terminal: true, env: "NO_COLOR=1"},
		{terminal: true, env: "NO_COLOR=", coloured: true},
		{terminal: true, env: "TERM=dumb"},
		{terminal: true, env: "TERM="},
		{terminal: true, output: "json"},
		{terminal: true, output: "yaml"},
		{terminal: false},
		{terminal: false, env: "CLICOLOR_FORCE=1"},
	} {
		t.Run(fmt.Sprintf("terminal %v %s %s", c.terminal, c.env, c.output), func(t *testing.T) {
			t.Setenv("TERM", "xterm-256color")
			t.Setenv("NO_COLOR", "")
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
			}
			for what, out := range map[string]string{
				"plan": written(t, c.terminal, func(w *os.File) {
					require.NoError(t, (&app{output: c.output}).print(w, plan, func(w io.Writer) { printPlan(w, plan, true) }))
				}),
				"drift": written(t, c.terminal, func(w *os.File) {
					require.NoError(t, (&app{output: c.output}).print(w, drift, func(w io.Writer) { printDrift(w, drift) }))
				}),
			} {
				require.Contains(t, out, "istio-eastwestgateway")
				if c.coloured {
					require.Contains(t, out, "\x1b[1mcluster east\x1b[m", what)
					require.Contains(t, out, "\x1b[32m+ 2\x1b[m", what)
				} else {
					require.NotContains(t, out, escape, what)
				}
			}
		})
	}
}

// The screen draws, and asks nothing.
func TestScreen_OnATerminalThatNeverAnswers(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	for noColor, coloured := range map[string]bool{"": true, "1": false} {
		t.Setenv("NO_COLOR", noColor)
		began := time.Now()
		out := written(t, true, func(w *os.File) {
			require.NoError(t, pty.Setsize(w, &pty.Winsize{Rows: 24, Cols: 80}))
			s := newScreen(t.Context(), w, "rollout")
			s.progress(fifty().progress)
			s.close()
		})
		require.Less(t, time.Since(began), tooLong)
		require.Contains(t, out, "✓ 20 clusters and 12 links done")
		// A device's status and attributes, a mode, a keyboard, the background.
		require.NotRegexp(t, `\x1b\[[0-9;?>=]*(n|c|u|q|\$p)|\x1b\][0-9;]*\?`, out)
		if coloured {
			require.Contains(t, out, "\x1b[32m")
		} else {
			require.NotRegexp(t, `\x1b\[[0-9;]*m`, out)
		}
	}
}
