package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/runs"
)

// explained returns the error that a run ended with, with every failure that its status
// lists. Where no worker answers, it has the few failures that the error has room for.
func explained(ctx context.Context, c client.Client, run client.WorkflowRun, err error) error {
	end := ended(err)
	var s api.Status
	var coded *exitError
	if !errors.As(end, &coded) || len(api.Failures(err)) == 0 || runs.Status(ctx, c, run.GetID(), run.GetRunID(), &s) != nil || len(s.Failures) == 0 {
		return end
	}
	first, _, _ := strings.Cut(coded.Error(), "\n")
	lines := []string{first}
	for _, f := range s.Failures {
		lines = append(lines, f.String())
	}
	if n := s.Failed - len(s.Failures); n > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", n))
	}
	return &exitError{coded.code, errors.New(strings.Join(lines, "\n"))}
}

// ended turns how a workflow ended into an error with an exit code.
func ended(err error) error {
	if err == nil {
		return nil
	}
	message := errors.New(runs.Message(err))
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return failed(cmp.Or(runs.Stopped(err), err))
	}
	switch app.Type() {
	case api.TypePartly, api.TypeLeftOver:
		return &exitError{exitPartly, message}
	case api.TypePreflight:
		return usage(message)
	}
	return failed(message)
}
