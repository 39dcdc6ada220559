package activities

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/landbridge/landbridge/internal/api"
)

var denied = map[string]error{
	api.TypeForbidden:    apierrors.NewForbidden(someSecrets, "cacerts", rbacSays(`User "worker" cannot get resource "secrets" in API group "" in the namespace "istio-system"`)),
	api.TypeUnauthorized: apierrors.NewUnauthorized("who?"),
}

// tries notes denials, each so long after the beginning, and returns whether each is final.
func tries(d *denials, times ...time.Duration) (final []bool) {
	began := time.Now()
	for _, at := range times {
		final = append(final, d.over(deniedRun{"run-1", "west"}, began.Add(at)))
	}
	return final
}

func TestDenials_AMinute_ThenFinal(t *testing.T) {
	for name, c := range map[string]struct {
		at   []time.Duration
		want []bool
	}{
		"a single one":             {[]time.Duration{0}, []bool{false}},
		"for less than a minute":   {[]time.Duration{0, 10 * time.Second, 59 * time.Second}, []bool{false, false, false}},
		"for a minute":             {[]time.Duration{0, 30 * time.Second, 60 * time.Second, 61 * time.Second}, []bool{false, false, true, true}},
		"two long after the other": {[]time.Duration{0, time.Hour, time.Hour + 30*time.Second}, []bool{false, false, false}},
	} {
		require.Equal(t, c.want, tries(&denials{}, c.at...), name)
	}
}

// The minute is one cluster's in one run: neither another cluster nor the next run is
// impatient for it.
func TestDenials_OfAnotherClusterOrRun_AreTheirOwn(t *testing.T) {
	d, now := &denials{}, time.Now()
	for _, at := range []time.Duration{0, time.Minute} {
		require.Equal(t, at > 0, d.over(deniedRun{"run-1", "west"}, now.Add(at)))
	}
	require.False(t, d.over(deniedRun{"run-1", "east"}, now.Add(time.Minute)))
	require.False(t, d.over(deniedRun{"run-2", "west"}, now.Add(time.Minute)))
	require.False(t, d.over(deniedRun{"run-3", "west"}, now.Add(time.Hour)))
	require.Len(t, d.of, 1, "what is long over is forgotten")
}

func TestClassify_ADenial_IsTriedAgain_UnlessItsStepHasNoMinute(t *testing.T) {
	for typ, err := range denied {
		for limit, final := range map[time.Duration]bool{15 * time.Minute: false, 40 * time.Second: true} {
			var suite testsuite.WorkflowTestSuite
			suite.SetLogger(quiet())
			env := suite.NewTestWorkflowEnvironment()
			env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&Classify{}}})
			s := &steps{err: err, times: 1}
			env.RegisterActivity(s)
			env.RegisterWorkflow(oneStep)
			env.ExecuteWorkflow(oneStep, limit)
			if !final {
				require.NoError(t, env.GetWorkflowError(), typ)
				require.Equal(t, 2, s.tried)
				continue
			}
			var app *temporal.ApplicationError
			require.True(t, errors.As(env.GetWorkflowError(), &app))
			require.Equal(t, typ, app.Type())
			require.Equal(t, 1, s.tried, "somebody waits for a look")
		}
	}
}
