package activities

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
)

// steps has an activity that ends as a test wants: with err, or only so many times.
type steps struct {
	err          error
	times, tried int
}

func (s *steps) EnsureSomething(context.Context, api.EnsureSealingKeyInput) (fleet.Changes, error) {
	if s.tried++; s.times > 0 && s.tried > s.times {
		return fleet.Changes{}, nil
	}
	return fleet.Changes{}, s.err
}

// oneStep runs EnsureSomething within a limit.
func oneStep(ctx workflow.Context, limit time.Duration) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{ScheduleToCloseTimeout: limit})
	return workflow.ExecuteActivity(ctx, (&steps{}).EnsureSomething, api.EnsureSealingKeyInput{ClusterRef: api.ClusterRef{Fleet: "prod", Cluster: "west", Run: "run-1"}}).Get(ctx, nil)
}

// quiet returns a log that nobody reads.
func quiet() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }

// runStep runs EnsureSomething in a worker whose log is returned, line by line.
func runStep(t *testing.T, err error, metrics *Metrics) (logged []string, ended error) {
	t.Helper()
	var out bytes.Buffer
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(FailureOnce(log.NewStructuredLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Classify{Metrics: metrics}}})
	s := &steps{err: err}
	env.RegisterActivity(s)
	_, ended = env.ExecuteActivity(s.EnsureSomething, api.EnsureSealingKeyInput{ClusterRef: api.ClusterRef{Fleet: "prod", Cluster: "west"}})
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "rror") || strings.Contains(line, "failed") {
			logged = append(logged, line)
		}
	}
	return logged, ended
}

func TestClassify_AFailedTry_IsOneLineOfTheLog(t *testing.T) {
	for typ, err := range map[string]error{
		api.TypeDeadEnd:  &kube.DeadEndError{Reason: "AGE-SECRET-KEY-1QQQQQQ is broken"},
		api.TypeNotReady: &kube.NotReadyError{Waiting: "AGE-SECRET-KEY-1QQQQQQ is not ready"}, // the SDK logs it as a detail
	} {
		logged, ended := runStep(t, err, nil)
		var app *temporal.ApplicationError
		require.ErrorAs(t, ended, &app)
		require.Equal(t, typ, app.Type())
		require.Len(t, logged, 1)
		for _, want := range []string{"level=WARN", "Fleet=prod", "Cluster=west", "ActivityType=EnsureSomething", "Attempt=1", "ErrorType=" + typ, "cluster west: (redacted) is"} {
			require.Contains(t, logged[0], want)
		}
	}
	logged, ended := runStep(t, nil, nil)
	require.NoError(t, ended)
	require.Empty(t, logged)
}

// A wait that takes turns has not failed: nobody reads of it, and it goes on after its pause.
func TestClassify_AWaitWhoseTurnIsOver_GoesOnLaterAndIsNoFailure(t *testing.T) {
	logged, ended := runStep(t, &kube.TurnError{NotReadyError: kube.NotReadyError{Waiting: "no address yet"}, Pause: 30 * time.Second}, nil)
	var app *temporal.ApplicationError
	require.ErrorAs(t, ended, &app)
	require.Equal(t, api.TypeNotReady, app.Type())
	require.Equal(t, 30*time.Second, app.NextRetryDelay())
	require.False(t, app.NonRetryable())
	require.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category())
	require.Empty(t, logged)
}

// Each activity that only waits takes turns: its name says so.
func TestClassify_WhatWaits_TakesTurns(t *testing.T) {
	for name, want := range map[string]bool{"WaitLoadBalancer": true, "EnsureIstio": false} {
		env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
		env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Classify{}}})
		turns := false
		env.RegisterActivityWithOptions(func(ctx context.Context) error {
			turns = kube.TakesTurns(ctx)
			return nil
		}, activity.RegisterOptions{Name: name})
		_, err := env.ExecuteActivity(name)
		require.NoError(t, err)
		require.Equal(t, want, turns, name)
	}
}

func TestClassify_WithoutIt_TheSDKLogsTheFailureItself(t *testing.T) {
	// The words that FailureOnce drops are the SDK's: a new release may change them.
	var out bytes.Buffer
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(&out, nil))))
	env := suite.NewTestActivityEnvironment()
	s := &steps{err: &kube.DeadEndError{Reason: "x"}}
	env.RegisterActivity(s)
	_, err := env.ExecuteActivity(s.EnsureSomething, api.EnsureSealingKeyInput{})
	require.Error(t, err)
	require.Contains(t, out.String(), `msg="`+sdkFailure+`"`)
}

func TestFailureOnce_OtherLinesGoThrough(t *testing.T) {
	var out bytes.Buffer
	l := log.With(FailureOnce(log.NewStructuredLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))), "Worker", "w")
	l = log.Skip(l, 1)
	for _, say := range []func(string, ...any){l.Debug, l.Info, l.Warn, l.Error} {
		say("something else", "k", "v")
	}
	l.Error(sdkFailure)
	l.Debug(sdkFailure)
	require.Equal(t, 4, strings.Count(out.String(), `msg="something else" Worker=w k=v`))
	require.Equal(t, 4, strings.Count(out.String(), "\n"))
}

func TestClassify_MeasuresEveryTry(t *testing.T) {
	r := prom.NewRegistry()
	m := NewMetrics(r)
	_, _ = runStep(t, nil, m)
	_, _ = runStep(t, &inventory.GoneError{Cluster: "west"}, m)
	require.Equal(t, 2, series(t, r)["landbridge_step_duration_seconds"], "done, and InventoryGone")
}

func TestMetrics_OfARealRun_HaveEndsAndWaits(t *testing.T) {
	r := prom.NewRegistry()
	w := newWorld(t, "west").withInventory()
	w.Put(w.service())
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet())
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Classify{Metrics: NewMetrics(r)}}})
	env.RegisterActivity(w.acts)
	_, err := env.ExecuteActivity(w.acts.EnsureRoot, w.root())
	require.NoError(t, err)
	out, err := env.ExecuteActivity(w.acts.EnsureIntermediateKey, w.intermediateKey())
	require.NoError(t, err)
	var key api.EnsureIntermediateKeyResult
	require.NoError(t, out.Get(&key))
	require.NotEmpty(t, key.CSR)
	_, err = env.ExecuteActivity(w.acts.SignIntermediate, api.SignIntermediateInput{RootRef: api.RootRef{ClusterRef: w.ref}, Member: w.ref, CSR: key.CSR, Spec: intermediateSpec()})
	require.NoError(t, err)
	_, err = env.ExecuteActivity(w.acts.WaitLoadBalancer, api.WaitLoadBalancerInput{ClusterRef: w.ref, Until: time.Now()})
	require.Error(t, err)
	got := series(t, r)
	require.Equal(t, 2, got["landbridge_not_after_timestamp_seconds"], "of the root and of the intermediate")
	require.Equal(t, 1, got["landbridge_load_balancer_wait_seconds"])
	require.Equal(t, 4, got["landbridge_step_duration_seconds"])
}

// An activity of a newer contract is not begun, and tried again: a newer worker may take it.
func TestClassify_ANewerContract_IsLeftToANewerWorker(t *testing.T) {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Classify{}}})
	env.RegisterActivity(&steps{err: errors.New("it was begun")})
	_, err := env.ExecuteActivity((&steps{}).EnsureSomething, api.EnsureSealingKeyInput{ClusterRef: api.ClusterRef{Contract: api.Contract + 1, Cluster: "west"}})
	var app *temporal.ApplicationError
	require.ErrorAs(t, err, &app)
	require.Equal(t, api.TypeOutdated, app.Type())
	require.False(t, app.NonRetryable())
	require.ErrorContains(t, err, "upgrade every worker of the fleet")
}
