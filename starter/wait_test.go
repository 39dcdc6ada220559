package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// waiter returns a command that runs until its context ends, and then ends with an error.
func waiter(end func(context.Context) error) *cobra.Command {
	cmd := &cobra.Command{Use: "wait", SilenceErrors: true, SilenceUsage: true, RunE: func(cmd *cobra.Command, _ []string) error {
		<-cmd.Context().Done()
		return end(cmd.Context())
	}}
	waitFlag(cmd)
	return cmd
}

func TestTimeout_EndsTheWaiting_AndSaysWhatToLookAt(t *testing.T) {
	cause := func(ctx context.Context) error { return failed(ctx.Err()) }
	detached := func(context.Context) error { return &exitError{exitDetached, nil} }
	refused := func(context.Context) error { return usage(errors.New("the fleet is protected")) }
	for name, c := range map[string]struct {
		end  func(context.Context) error
		code int
		want string
	}{
		"a look":      {cause, exitFailed, "nothing came within 10ms (--timeout); `landbridge workers` shows whether workers are there"},
		"a change":    {detached, exitDetached, "exit code 4"},
		"bad usage":   {refused, exitUsage, "the fleet is protected"},
		"that is all": {func(context.Context) error { return nil }, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := waiter(c.end)
			cmd.SetArgs([]string{"--timeout", "10ms"})
			cmd.SetOut(&bytes.Buffer{})
			err := cmd.ExecuteContext(t.Context())
			if c.code == 0 {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.code, err.(*exitError).code)
			require.EqualError(t, err, c.want)
		})
	}
}

// Whoever interrupts a command is told of that, and not of a time limit.
func TestTimeout_AnInterruptBefore_IsNoTimeout(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	cmd := waiter(func(ctx context.Context) error { return failed(errors.New("interrupted")) })
	cmd.SetArgs([]string{"--timeout", "1h"})
	require.EqualError(t, cmd.ExecuteContext(ctx), "interrupted")
}
