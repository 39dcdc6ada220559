package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// errWaited says that --timeout is over.
var errWaited = errors.New("the time that --timeout gives is over")

// waitFlag adds --timeout to a command that waits for a run in Temporal. The run itself knows
// nothing of it, and goes on.
func waitFlag(cmd *cobra.Command) {
	var limit time.Duration
	cmd.Flags().DurationVar(&limit, "timeout", 0, "how long to wait, such as 10m; what runs goes on (default: as long as it takes)")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 0 {
			return usage(fmt.Errorf("--timeout: want a duration such as 10m, or 0 for as long as it takes, got %s", limit))
		}
		if limit == 0 {
			return run(cmd, args)
		}
		ctx, cancel := context.WithTimeoutCause(cmd.Context(), limit, errWaited)
		defer cancel()
		cmd.SetContext(ctx)
		return waited(ctx, limit, run(cmd, args))
	}
}

// waited returns the error of a command, with what to do where that is that its time is over.
func waited(ctx context.Context, limit time.Duration, err error) error {
	var coded *exitError
	var unread *managementError
	if errors.As(err, &unread) {
		return err // no worker was asked
	}
	if err == nil || !errors.Is(context.Cause(ctx), errWaited) || errors.As(err, &coded) && (coded.err == nil || coded.code == exitUsage) {
		return err
	}
	return failed(fmt.Errorf("nothing came within %s (--timeout); `landbridge workers` shows whether workers are there", limit))
}
