package kube

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
)

func TestPoll_TheWorkerStops_SaysSoAndWhatItWaitedFor(t *testing.T) {
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	stop := make(chan struct{})
	close(stop)
	env.SetWorkerStopChannel(stop)
	var err error
	env.RegisterActivity(func(ctx context.Context) error {
		err = Poll(ctx, func(context.Context) (string, bool, error) { return "no address yet", false, nil })
		return nil
	})
	_, ran := env.ExecuteActivity("func1")
	require.NoError(t, ran)
	var stopping *StoppingError
	require.ErrorAs(t, err, &stopping)
	var notReady *NotReadyError
	require.ErrorAs(t, err, &notReady, "it is tried again like every wait that takes longer")
	require.EqualError(t, err, "the worker is stopping; no address yet")
}
