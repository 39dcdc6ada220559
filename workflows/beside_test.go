package workflows

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// inLanes runs lanes of a unit in a workflow.
func inLanes(t *testing.T, lanes ...lane) (*unitRun, error) {
	t.Helper()
	var u *unitRun
	f := newFake(t)
	began := f.Now()
	f.RegisterWorkflowWithOptions(func(ctx workflow.Context) (err error) {
		if u, err = newUnitRun(ctx, testRef("east"), api.Member("east"), limits{}); err != nil {
			return err
		}
		return u.beside(ctx, lanes...)
	}, workflow.RegisterOptions{Name: "lanes"})
	f.ExecuteWorkflow("lanes")
	require.True(t, f.IsWorkflowCompleted())
	require.Less(t, f.Now().Sub(began), time.Hour, "nobody waits for a lane that is canceled")
	return u, f.GetWorkflowError()
}

// sleeps is a lane that changes something, after some time.
func sleeps(d time.Duration, at int, name string) lane {
	return func(ctx workflow.Context, u *unitRun) error {
		u.next = at + 1
		u.compensations = append(u.compensations, compensation{row{name: name}, at, "east", nil})
		if err := workflow.Sleep(ctx, d); err != nil {
			return err
		}
		u.changes = append(u.changes, fleet.Change{Name: name})
		return nil
	}
}

func TestBeside_OneLaneFails_TheOthersAreCanceledAndItsErrorCounts(t *testing.T) {
	fails := func(workflow.Context, *unitRun) error { return errors.New("quota exceeded") }
	for _, lanes := range [][]lane{{sleeps(24*time.Hour, 1, "a"), fails}, {fails, sleeps(24*time.Hour, 1, "a")}} {
		u, err := inLanes(t, lanes...)
		require.ErrorContains(t, err, "quota exceeded")
		require.Len(t, u.compensations, 1, "what was under way is undone, too")
	}
}

func TestBeside_AllEnd_ChangesAreInTheLanesOrderAndUndosInTheTables(t *testing.T) {
	u, err := inLanes(t, sleeps(time.Minute, 5, "late"), sleeps(time.Second, 7, "last"), sleeps(2*time.Second, 3, "early"))
	require.NoError(t, err)
	var changes, undos []string
	for _, c := range u.changes {
		changes = append(changes, c.Name)
	}
	for _, c := range u.compensations {
		undos = append(undos, c.step.name)
	}
	require.Equal(t, []string{"late", "last", "early"}, changes, "a plan is the same each time")
	require.Equal(t, []string{"early", "late", "last"}, undos)
	require.Equal(t, 8, u.next, "no step before those of the lanes can follow")
}

// A cluster whose cloud takes its time holds up nobody: the links between the others are
// there before it is.
func TestFleet_OneCloudIsSlow_LinksOfTheOthersDoNotWait(t *testing.T) {
	f := newFake(t)
	var proven []string
	tries := 0
	f.on = func(c fakeCall) error {
		switch {
		case c.name == "CheckLink":
			proven = append(proven, c.String())
		case c.name == "WaitLoadBalancer" && c.ref.Cluster == "north":
			if tries++; tries < 3 {
				return temporal.NewApplicationError("pending", api.TypeNotReady)
			}
			require.ElementsMatch(t, []string{"CheckLink east (east.west)", "CheckLink west (west.east)"}, proven)
		}
		return nil
	}
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "north", "west")}))
	require.Len(t, proven, 6)
}

// The links of one source never run in two children at once, and those of a large fleet begin in
// a few parts.
func TestFleet_Many_LinksBeginInFewParts(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"}
	in := testFleet(names...)
	in.Spec.Rollout.MaxParallel = 2
	f := newFake(t)
	children, running := map[string]int{}, map[string]bool{}
	f.SetOnChildWorkflowStartedListener(func(i *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
		if i.WorkflowType.Name == "RolloutLinks" {
			require.False(t, running[i.WorkflowExecution.ID])
			children[i.WorkflowExecution.ID]++
			running[i.WorkflowExecution.ID] = true
		}
	})
	f.SetOnChildWorkflowCompletedListener(func(i *workflow.Info, _ converter.EncodedValue, _ error) { delete(running, i.WorkflowExecution.ID) })
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: in}))
	require.Len(t, children, len(names))
	for id, n := range children {
		require.LessOrEqual(t, n, mostParts+1, id)
	}
}
