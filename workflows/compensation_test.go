package workflows

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// compensated lists the workflows that have compensations.
var compensated = map[string]struct{ workflow, in any }{
	"cluster": {RolloutCluster, clusterInput()},
	"link":    {RolloutLink, linkInput()},
}

// happy lists the calls of a workflow in which no step fails.
func happy(t *testing.T, workflow, in any) []string {
	t.Helper()
	f := newFake(t)
	require.NoError(t, f.run(workflow, in))
	calls := f.names(nil)
	require.NotEmpty(t, calls)
	return calls
}

func TestUnit_EachStepFails_UndoesWhatWasBegunNewestFirst(t *testing.T) {
	for name, u := range compensated {
		calls := happy(t, u.workflow, u.in)
		for _, failing := range calls {
			t.Run(name+"/"+failing, func(t *testing.T) {
				f := newFake(t)
				f.on = func(c fakeCall) error {
					if c.String() == failing {
						return broken(c)
					}
					return nil
				}
				err := f.run(u.workflow, u.in)
				f.undidAll(calls)
				failures := api.Failures(err)
				require.Len(t, failures, 1)
				require.Equal(t, api.TypeForbidden, failures[0].Type)
				require.Equal(t, api.StateUndone, failures[0].State)
				require.NotEmpty(t, failures[0].Step)
				require.True(t, strings.HasPrefix(failures[0].Unit.String(), name+" "))
				require.Less(t, len(err.Error()), 2048)
			})
		}
	}
}

func TestUnit_CanceledAtEachStep_UndoesWhatWasBegunNewestFirst(t *testing.T) {
	for name, u := range compensated {
		calls := happy(t, u.workflow, u.in)
		for _, at := range calls {
			t.Run(name+"/"+at, func(t *testing.T) {
				f := newFake(t)
				f.on = func(c fakeCall) error {
					if c.String() == at {
						f.CancelWorkflow()
						return temporal.NewCanceledError()
					}
					return nil
				}
				err := f.run(u.workflow, u.in)
				require.True(t, temporal.IsCanceledError(err), "%v", err)
				f.undidAll(calls)
			})
		}
	}
}

func TestUnit_NothingWasNew_NothingIsUndone(t *testing.T) {
	for name, u := range compensated {
		t.Run(name, func(t *testing.T) {
			alone := happy(t, u.workflow, u.in)
			alone = slices.DeleteFunc(alone, func(c string) bool {
				return !strings.HasPrefix(c, "EnsureIstio") && !strings.HasPrefix(c, "EnsureRemoteSecret")
			})
			require.Len(t, alone, 1)
			f := newFake(t)
			f.action = fleet.Update
			f.on = func(c fakeCall) error {
				if c.String() == alone[0] {
					return broken(c)
				}
				return nil
			}
			require.Error(t, f.run(u.workflow, u.in))
			// The step that failed may have made something; only its own undo runs.
			require.Equal(t, undone(alone), emptyAsNil(f.names(removes)))
		})
	}
}

func TestUnit_UndoOnlyTouchesThisRun(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "EnsureExposure" {
			return broken(c)
		}
		return nil
	}
	require.Error(t, f.run(RolloutCluster, clusterInput()))
	for _, c := range f.calls {
		if removes(c) {
			require.Equal(t, "run-1", c.in.(api.RemoveInput).OnlyRun, c.name)
		}
	}
}

// An undo removes what is new. What was there and was changed stays so, and is named.
func TestUnit_FailsAfterAnUpdate_IsNotCalledUndone(t *testing.T) {
	f := newFake(t)
	f.answer = func(c fakeCall, result any) {
		if did, ok := result.(*fleet.Changes); ok && c.name == "EnsureIstio" {
			did.Changes = []fleet.Change{{Action: fleet.Update, Kind: "IstioCNI", Name: "default"}, {Action: fleet.Keep, Kind: "Istio", Name: "default"},
				{Action: fleet.Update, Kind: "ConfigMap", Namespace: fleet.SystemNamespace, Name: "landbridge-inventory"}}
		}
	}
	f.on = func(c fakeCall) error {
		if c.name == "WaitIstio" {
			return broken(c)
		}
		return nil
	}
	failure := api.Failures(f.run(RolloutCluster, clusterInput()))[0]
	require.Equal(t, api.StateUpdated, failure.State)
	require.Equal(t, []string{"IstioCNI default"}, failure.Left)
	require.Contains(t, failure.String(), "(what it created is undone; what it updated stays: IstioCNI default)")
}

func TestUnit_KeepOnFailure_LeavesEverything(t *testing.T) {
	in := clusterInput()
	in.Rollout.OnFailure = fleet.OnFailureKeep
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "WaitLoadBalancer" {
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutCluster, in)
	require.Empty(t, f.names(removes))
	require.Equal(t, api.StateKept, api.Failures(err)[0].State)
}

func TestUnit_UndoThatCannotWork_SaysWhatIsLeftAndGoesOn(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "WaitLoadBalancer" || c.name == "RemoveIstio" {
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutCluster, clusterInput())
	failure := api.Failures(err)[0]
	require.Equal(t, api.StateLeft, failure.State)
	require.Equal(t, []string{"istio: no"}, failure.Left)
	require.Contains(t, f.names(removes), "RemoveInventory east", "the undo goes on past what does not work")
}

func TestUnit_ATransientFaultIsRetried(t *testing.T) {
	tries := 0
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "EnsureIstio" {
			if tries++; tries < 3 {
				return temporal.NewApplicationError("later", api.TypeUnreachable)
			}
		}
		return nil
	}
	require.NoError(t, f.run(RolloutCluster, clusterInput()))
	require.Equal(t, 3, tries)
}

func TestUnit_StatusTellsStepsAndReason(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "EnsureIstio" {
			return broken(c)
		}
		return nil
	}
	require.Error(t, f.run(RolloutCluster, clusterInput()))
	var s api.Status
	f.status(&s)
	require.Equal(t, api.Member("east"), s.Units[0].Unit)
	require.Equal(t, api.Undone, s.Units[0].State)
	states := map[string]string{}
	for _, st := range s.Units[0].Steps {
		states[st.Step] = string(st.State) + " " + st.Message
	}
	require.Equal(t, "done ", states["5 cacerts"])
	require.Equal(t, "failed no", states["6 istio"])
	require.Equal(t, "done ", states["undo 6 istio"])
}

func emptyAsNil(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

// A unit that was canceled, and of which something is left, is not undone.
func TestUnit_CanceledAndNotUndoneWhole_IsFailed(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		switch c.name {
		case "WaitLoadBalancer":
			f.CancelWorkflow()
			return temporal.NewCanceledError()
		case "RemoveIstio":
			return broken(c)
		}
		return nil
	}
	err := f.run(RolloutCluster, clusterInput())
	require.Equal(t, api.StateLeft, api.Failures(err)[0].State)
	var s api.Status
	f.status(&s)
	require.Equal(t, api.Failed, s.Units[0].State)
}
