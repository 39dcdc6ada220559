package workflows

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
)

// sentenceOf returns what a canceled run tells people.
func sentenceOf(t *testing.T, err error) (sentence string) {
	t.Helper()
	var canceled *temporal.CanceledError
	require.ErrorAs(t, err, &canceled)
	require.NoError(t, canceled.Details(&sentence))
	return sentence
}

// canceledDuring runs a workflow that is canceled in Temporal while it asks for an activity.
func canceledDuring(f *fake, call string, workflow any, in api.FleetInput) error {
	f.on = func(c fakeCall) error {
		if c.String() == call || c.name == call {
			f.CancelWorkflow()
			return temporal.NewCanceledError()
		}
		return nil
	}
	return f.run(workflow, in)
}

// A run that is canceled ends as canceled, whatever it was doing: not as a preflight that
// found a problem, and not as half a rollout.
func TestFleet_CanceledAtEachActivity_EndsCanceled(t *testing.T) {
	for name, c := range map[string]struct {
		workflow any
		in       api.FleetInput
		before   string
	}{
		"rollout":      {RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")}, "the rollout was canceled in Temporal; what was open is undone"},
		"shared":       {RolloutFleet, api.FleetInput{Fleet: sharedFleet("east", "west")}, "the rollout was canceled in Temporal; what was open is undone"},
		"cleanup":      {CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west")}, "the cleanup was canceled in Temporal; what is left stays\n"},
		"verification": {VerifyFleet, api.FleetInput{Fleet: testFleet("east", "west")}, ""},
	} {
		fresh := func() *fake {
			f := newFake(t)
			if name == "cleanup" || name == "verification" {
				knownFleet(f, c.in)
			}
			return f
		}
		first := fresh()
		require.NoError(t, first.run(c.workflow, c.in))
		for _, call := range first.names(nil) {
			if slices.Contains([]string{"ReleaseInventory", "RefreshSchedule", "SetRotation"}, strings.Fields(call)[0]) {
				break // all is done: it is too late
			}
			t.Run(name+"/"+call, func(t *testing.T) {
				err := canceledDuring(fresh(), call, c.workflow, c.in)
				require.True(t, temporal.IsCanceledError(err), "%v", err)
				if c.before != "" {
					require.Contains(t, sentenceOf(t, err), c.before)
				}
			})
		}
	}
}

// Somebody who cancels in the Temporal UI gives no name. Whatever was going on, the cleanup
// tells what it left.
func TestCleanup_CanceledInTemporalWhileAnything_TellsWhatStays(t *testing.T) {
	const none, cut = "the cleanup did not come to it", "the cleanup was cut off while it removed this"
	for during, want := range map[string]string{"CheckInventory": none, "CheckWorkloads": none, "EndSchedule": none, "RemoveReader": cut, "RemoveIstio": cut} {
		t.Run(during, func(t *testing.T) {
			in := api.FleetInput{Fleet: testFleet("east", "west")}
			f := newFake(t)
			knownFleet(f, in)
			sentence := sentenceOf(t, canceledDuring(f, during, CleanupFleet, in))
			require.Contains(t, sentence, "the cleanup was canceled in Temporal; what is left stays\n")
			for _, cluster := range []string{"east", "west"} {
				require.Contains(t, sentence, "\ncluster "+cluster+": "+want)
			}
		})
	}
}
