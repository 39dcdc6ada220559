package codec

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
)

func optionsOf(k *Keys) client.Options {
	var o client.Options
	k.Use(&o)
	return o
}

// failed returns how an activity failed, with a cause and details, as these keys write it.
func failed(k *Keys) *failurepb.Failure {
	o := optionsOf(k)
	cause := errors.New("dial east.example.com")
	return o.FailureConverter.ErrorToFailure(temporal.NewApplicationErrorWithOptions("cluster east: it does not answer", "Unreachable",
		temporal.ApplicationErrorOptions{Cause: fmt.Errorf("read: %w", cause), Details: []any{"east-network"}}))
}

func TestUse_AFailure_ShowsItsTypeOnly(t *testing.T) {
	keys := keysOf(t, "a")
	f := failed(keys)
	for _, word := range []string{"east", "dial", "read", "answer"} {
		require.NotContains(t, f.String(), word)
	}
	require.Equal(t, "Unreachable", f.GetApplicationFailureInfo().GetType(), "retry policies name it")
	err := optionsOf(keys).FailureConverter.FailureToError(f)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, "cluster east: it does not answer", app.Message())
	require.ErrorContains(t, errors.Unwrap(err), "read: dial east.example.com")
	var details string
	require.NoError(t, app.Details(&details))
	require.Equal(t, "east-network", details)
}

func TestUse_AFailureThatNoKeyOpens_SaysSo(t *testing.T) {
	f := failed(keysOf(t, "a"))
	before := f.String()
	err := optionsOf(keysOf(t, "b")).FailureConverter.FailureToError(f)
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Contains(t, app.Message(), "encrypted with the key a, which ")
	require.NotContains(t, err.Error(), "Encoded failure")
	require.Equal(t, before, f.String(), "the SDK's own failure stays as it is")
	// One from before encryption is read with and without a key.
	for _, keys := range []*Keys{{}, keysOf(t, "b")} {
		require.ErrorContains(t, optionsOf(keys).FailureConverter.FailureToError(failed(&Keys{})), "cluster east: it does not answer")
	}
	require.NoError(t, optionsOf(&Keys{}).FailureConverter.FailureToError(nil))
}

// By an error from its data converter, the SDK ends a workflow; by a panic it fails the
// task, which Temporal repeats.
func TestForWorker_WhatNoKeyOpens_IsAPanic(t *testing.T) {
	written := optionsOf(keysOf(t, "a"))
	o := optionsOf(keysOf(t, "b"))
	o.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	ForWorker(&o)
	p, err := written.DataConverter.ToPayload("east")
	require.NoError(t, err)
	all, err := written.DataConverter.ToPayloads("east", "west")
	require.NoError(t, err)
	workflow := o.DataConverter.(converter.ContextAware).WithWorkflowContext(nil)
	var s string
	for name, read := range map[string]func(){
		"of a workflow":         func() { _ = workflow.FromPayload(p, &s) },
		"several of a workflow": func() { _ = workflow.FromPayloads(all, &s, &s) },
		"of an activity":        func() { _ = o.DataConverter.(converter.ContextAware).WithContext(t.Context()).FromPayload(p, &s) },
		"a failure":             func() { _ = o.FailureConverter.FailureToError(failed(keysOf(t, "a"))) },
		"its cause":             func() { _ = o.FailureConverter.FailureToError(&failurepb.Failure{Cause: failed(keysOf(t, "a"))}) },
	} {
		func() {
			defer func() { require.Contains(t, fmt.Sprint(recover()), "encrypted with the key a, which ", name) }()
			read()
		}()
	}
	require.NotNil(t, Unreadable(o.DataConverter.FromPayloads(all, &s, &s)), "an update is refused by an error")
	// All else is as before.
	p, err = o.DataConverter.ToPayload("north")
	require.NoError(t, err)
	require.NoError(t, workflow.FromPayload(p, &s))
	require.Equal(t, "north", s)
	require.NoError(t, workflow.FromPayload(text("south"), &s))
	require.Equal(t, "south", s)
	require.ErrorContains(t, o.FailureConverter.FailureToError(failed(keysOf(t, "b"))), "cluster east")
	require.Error(t, workflow.FromPayload(text("south"), new(int)), "another mistake is the error that it was")
}

func TestForWorker_ItsLog_HasOneLineWithoutAStack(t *testing.T) {
	var out bytes.Buffer
	o := optionsOf(&Keys{})
	o.Logger = log.NewStructuredLogger(slog.New(slog.NewTextHandler(&out, nil)))
	ForWorker(&o)
	l := log.Skip(log.With(o.Logger, "Worker", "w"), 1)
	why := o.DataConverter.ToString(sealed(t, keysOf(t, "a"), text("east")))
	l.Error("Workflow panic", "WorkflowID", "landbridge.prod", "Error", errors.New(why), "StackTrace", "goroutine 1\nmain.go")
	l.Error("Activity panic.", "WorkflowID", "landbridge.prod", "PanicError", why+"\nstack", "PanicStack", "goroutine 1\nmain.go")
	require.Equal(t, 2, bytes.Count(out.Bytes(), []byte("\n")), &out)
	require.Equal(t, 2, bytes.Count(out.Bytes(), []byte(`msg="this Temporal namespace has data that is encrypted with the key a, and no key file is given`)), &out)
	require.Equal(t, 2, bytes.Count(out.Bytes(), []byte("Worker=w WorkflowID=landbridge.prod\n")), &out)

	out.Reset()
	l.Error("Workflow panic", "Error", errors.New("nil map"), "StackTrace", "main.go:7")
	l.Warn("Step failed", "Error", why)
	l.Error("odd", "alone")
	l.Info("Workflow panic", "Error", why)
	require.Equal(t, 4, bytes.Count(out.Bytes(), []byte("level=")), &out)
	require.Contains(t, out.String(), "main.go:7", "a fault of ours keeps its stack")
}
