package workflows

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// heardBy has the channel oncall hear of these events of a fleet, or of all of them.
func heardBy(in api.FleetInput, on ...string) api.FleetInput {
	in.Fleet.Spec.Notifications = []fleet.Notification{{Channel: "oncall", Events: on}}
	in.Fleet.SetDefaults()
	in.Request = fleet.Request{Reason: "CHG-7", RequestedBy: "anna"}
	return in
}

// told returns the notifications so far.
func (f *fake) told() (out []api.NotifyInput) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if in, ok := c.in.(api.NotifyInput); ok {
			out = append(out, in)
		}
	}
	return out
}

// toldOnce returns the only notification.
func (f *fake) toldOnce() api.NotifyInput {
	f.t.Helper()
	told := f.told()
	require.Len(f.t, told, 1)
	return told[0]
}

func TestNotify_ARolloutIsDone_WhoHearsOfThatIsTold(t *testing.T) {
	in := heardBy(api.FleetInput{Fleet: testFleet("east", "west")})
	in.Fleet.Spec.Notifications = append(in.Fleet.Spec.Notifications, fleet.Notification{Channel: "audit", Events: []string{fleet.OnDone}},
		fleet.Notification{Channel: "alerts", Events: []string{fleet.OnFailed, fleet.OnDrifted}})
	f := newFake(t)
	var ids []string
	var found []temporal.SearchAttributes
	f.SetOnChildWorkflowStartedListener(func(info *workflow.Info, ctx workflow.Context, _ converter.EncodedValues) {
		if info.WorkflowType.Name == api.NotifyFleet {
			ids, found = append(ids, info.WorkflowExecution.ID), append(found, workflow.GetTypedSearchAttributes(ctx))
		}
	})
	require.NoError(t, f.run(RolloutFleet, in))
	told := f.told()
	require.Len(t, told, 2)
	require.ElementsMatch(t, []string{"oncall", "audit"}, []string{told[0].Channel, told[1].Channel})
	n := told[0]
	require.Equal(t, "done", n.Event)
	require.Equal(t, "rollout", n.What)
	require.Equal(t, "the rollout of the fleet test is done", n.Text)
	require.Equal(t, fleet.Request{Reason: "CHG-7", RequestedBy: "anna"}, n.Request)
	require.Equal(t, "test", n.Fleet)
	require.Equal(t, "default-test-run-id", n.Run)
	require.NotEmpty(t, n.Workflow)
	require.NotZero(t, n.At)
	require.Empty(t, n.Failures)
	require.Empty(t, n.Next)
	require.Empty(t, n.Wave)
	require.Equal(t, in.Fleet.Spec.TaskQueue, n.TaskQueue)
	require.NotEqual(t, told[0].ID, told[1].ID)
	require.NotContains(t, n.ID, ".")
	require.Len(t, ids, 2)
	for i, id := range ids {
		require.True(t, strings.HasPrefix(id, n.Workflow+".notify."), id)
		name, _ := found[i].GetKeyword(api.FleetKey)
		require.Equal(t, "test", name)
	}
}

func TestNotify_AWaveWaits_IsToldWithWhatToType(t *testing.T) {
	f := newFake(t)
	f.on = failing("EnsureIstio", "east", 1)
	in := heardBy(inWaves(fleet.ApprovalWaves, "east", "west"))
	f.RegisterDelayedCallback(func() {
		n := f.toldOnce()
		require.Equal(t, "waiting", n.Event)
		require.Equal(t, "rest", n.Wave)
		require.Equal(t, "the rollout of the fleet test waits for the approval of wave rest", n.Text)
		require.Equal(t, "landbridge approve test --wave rest", n.Next)
		require.Equal(t, []string{"cluster east, step istio: no (undone)"}, n.Failures)
	}, time.Hour)
	said := f.update(2*time.Hour, api.UpdateApprove, anna(""))
	err := f.run(RolloutFleet, in)
	require.Equal(t, api.TypePartly, errorType(t, err))
	require.Equal(t, "wave rest begins", *said)
	require.Len(t, f.told(), 2)
	require.Equal(t, "failed", f.told()[1].Event)
}

func TestNotify_AWaveOfACleanupWaits_IsTold(t *testing.T) {
	in := heardBy(inWaves(fleet.ApprovalWaves, "east", "west"), fleet.OnWaiting)
	f := newFake(t)
	knownFleet(f, in)
	f.update(time.Hour, api.UpdateApprove, anna(""))
	require.NoError(t, f.run(CleanupFleet, in))
	n := f.toldOnce()
	require.Equal(t, "the cleanup of the fleet test waits for the approval of wave canary", n.Text)
	require.Equal(t, "cleanup", n.What)
	require.Equal(t, "landbridge approve test --wave canary", n.Next)
}

func TestNotify_ARolloutFails_IsToldWithTheReasons(t *testing.T) {
	f := newFake(t)
	f.on = failing("EnsureIstio", "east", 1)
	require.Error(t, f.run(RolloutFleet, heardBy(api.FleetInput{Fleet: testFleet("east", "west")})))
	n := f.toldOnce()
	require.Equal(t, "failed", n.Event)
	require.Equal(t, "the rollout of the fleet test failed: the rollout is partly done: 1 of 4 clusters and links", n.Text)
	require.Equal(t, "cluster east, step istio: no (undone)", n.Failures[0])
	require.Equal(t, "landbridge status test", n.Next)
}

func TestNotify_ThePreflightRefuses_IsAFailureToo(t *testing.T) {
	f := newFake(t)
	f.on = failing("CheckCluster", "east", 1)
	err := f.run(RolloutFleet, heardBy(api.FleetInput{Fleet: testFleet("east", "west")}))
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.Equal(t, "the rollout of the fleet test failed: the preflight found problems; nothing was changed", f.toldOnce().Text)
}

// Each workflow that changes a fleet, when it ends well and when it does not.
func TestNotify_EachChangeOfAFleet_TellsHowItEnded(t *testing.T) {
	for name, c := range map[string]struct {
		workflow any
		change   func(*api.FleetInput)
		breaks   string
		what     string
		text     string
	}{
		"rollout":  {RolloutFleet, func(*api.FleetInput) {}, "CheckCluster", "rollout", "the rollout of the fleet test"},
		"cleanup":  {CleanupFleet, func(*api.FleetInput) {}, "RemoveIstio", "cleanup", "the cleanup of the fleet test"},
		"rotation": {RotateFleet, func(in *api.FleetInput) { in.Rotate = &api.Rotation{} }, "CheckCluster", "rotation", "the rotation of the fleet test"},
		"restart":  {RestartFleet, func(in *api.FleetInput) { in.Restart = "east" }, "RestartIstiod", "restart", "the restart of istiod in cluster east of the fleet test"},
		"revoke": {RevokeFleet, func(in *api.FleetInput) { in.Revoke = []fleet.Link{{From: "east", To: "west"}} }, "RevokeLink",
			"revoke", "the revocation of 1 link of the fleet test"},
		"forget": {ForgetFleet, func(in *api.FleetInput) { in.Forget = "west" }, "EnsureInventory",
			"forget", "the removal of the lost cluster west of the fleet test"},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(breaks string) *fake {
				in := heardBy(api.FleetInput{Fleet: testFleet("east", "west")})
				c.change(&in)
				f := newFake(t)
				knownFleet(f, in)
				f.on = func(call fakeCall) error {
					switch {
					case call.name == breaks:
						return broken(call)
					case in.Forget != "" && call.ref.Cluster == in.Forget:
						return withType(errors.New("no answer"), api.TypeUnreachable)
					}
					return nil
				}
				require.Equal(t, breaks != "", f.run(c.workflow, in) != nil, "%v", f.GetWorkflowError())
				return f
			}
			n := run("").toldOnce()
			require.Equal(t, []string{"done", c.what, c.text + " is done"}, []string{n.Event, n.What, n.Text})
			n = run(c.breaks).toldOnce()
			require.Equal(t, []string{"failed", c.what}, []string{n.Event, n.What})
			require.True(t, strings.HasPrefix(n.Text, c.text+" failed: "), n.Text)
			require.NotEmpty(t, n.Failures)
		})
	}
}

func TestNotify_WhatAChannelDoesNotHearOf_IsNotTold(t *testing.T) {
	for event, on := range map[string][]string{"done": {fleet.OnWaiting, fleet.OnFailed, fleet.OnDrifted}, "failed": {fleet.OnWaiting, fleet.OnDone, fleet.OnDrifted}} {
		f := newFake(t)
		if event == "failed" {
			f.on = failing("EnsureIstio", "east", 1)
		}
		_ = f.run(RolloutFleet, heardBy(api.FleetInput{Fleet: testFleet("east", "west")}, on...))
		require.Empty(t, f.told(), event)
	}
}

func TestNotify_PlansAndDryRuns_TellNobody(t *testing.T) {
	in := heardBy(api.FleetInput{Fleet: testFleet("east", "west"), Forget: "west", Revoke: []fleet.Link{{From: "east", To: "west"}}, DryRun: true})
	for _, w := range []any{PlanFleet, RolloutFleet, CleanupFleet, ForgetFleet, RevokeFleet} {
		f := newFake(t)
		knownFleet(f, in)
		_ = f.run(w, in)
		require.Empty(t, f.told())
	}
}

// Whoever cancels a run knows how it ends.
func TestNotify_ARunIsCanceled_NobodyIsTold(t *testing.T) {
	for _, w := range []any{RolloutFleet, CleanupFleet} {
		for _, keep := range []bool{false, true} {
			in := heardBy(inWaves(fleet.ApprovalWaves, "east", "west"), fleet.OnDone, fleet.OnFailed)
			f := newFake(t)
			knownFleet(f, in)
			f.update(time.Hour, api.UpdateCancel, api.DecisionInput{By: "anna", Keep: keep})
			var canceled *temporal.CanceledError
			require.ErrorAs(t, f.run(w, in), &canceled)
			require.Empty(t, f.told())
		}
	}
	f := newFake(t)
	f.RegisterDelayedCallback(f.CancelWorkflow, 0) // in Temporal itself
	require.Error(t, f.run(RolloutFleet, heardBy(api.FleetInput{Fleet: testFleet("east", "west")})))
	require.Empty(t, f.told())
}

// A webhook that is down for a day, one that refuses, and a channel that no worker knows: the
// run ends as it would without.
func TestNotify_WebhookIsDown_TheRolloutIsDoneAllTheSame(t *testing.T) {
	for name, why := range map[string]error{
		"down":    temporal.NewApplicationError("the webhook at hooks.example.com does not answer", api.TypeUnreachable),
		"refuses": withType(errors.New("the webhook at hooks.example.com answers 404: no_team"), api.TypeInvalid),
		"unknown": withType(errors.New("the workers of task queue landbridge know no channel oncall"), api.TypeInvalid),
	} {
		f := newFake(t)
		f.on = func(c fakeCall) error {
			if c.name == "Notify" {
				return why
			}
			return nil
		}
		began := f.Now()
		var took time.Duration
		f.SetOnChildWorkflowStartedListener(func(info *workflow.Info, _ workflow.Context, _ converter.EncodedValues) {
			if info.WorkflowType.Name == api.NotifyFleet {
				took = f.Now().Sub(began)
			}
		})
		require.NoError(t, f.run(RolloutFleet, heardBy(api.FleetInput{Fleet: testFleet("east", "west")})), name)
		var r api.FleetResult
		require.NoError(t, f.GetWorkflowResult(&r))
		require.Len(t, r.Links, 2)
		require.Less(t, took, time.Hour)
		if name == "down" {
			require.Greater(t, len(f.told()), 1, "it is tried again")
		} else {
			require.Len(t, f.told(), 1)
		}
	}
}

// A channel that is told late does not hold an approval up.
func TestNotify_WebhookIsDown_TheWaveIsApprovedAllTheSame(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "Notify" {
			return temporal.NewApplicationError("down", api.TypeUnreachable)
		}
		return nil
	}
	said := f.update(time.Hour, api.UpdateApprove, anna(""))
	require.NoError(t, f.run(RolloutFleet, heardBy(inWaves(fleet.ApprovalWaves, "east", "west"))))
	require.Equal(t, "wave rest begins", *said)
}

func TestNotifyFleet_NobodyTookIt_SaysWhoDidNotHear(t *testing.T) {
	f := newFake(t)
	f.on = func(fakeCall) error {
		return withType(errors.New("the workers of task queue landbridge know no channel oncall: add it to the file of --notify-file"), api.TypeInvalid)
	}
	err := f.run(NotifyFleet, api.NotifyInput{ClusterRef: api.ClusterRef{Fleet: "test", TaskQueue: "landbridge"}, Channel: "oncall"})
	require.Equal(t, api.TypeInvalid, errorType(t, err))
	require.ErrorContains(t, err, "channel oncall did not hear of it: the workers of task queue landbridge know no channel oncall: add it to the file of --notify-file")
}

func TestNotify_ManyFailures_AreTenLines(t *testing.T) {
	var lines []string
	for range 14 {
		lines = append(lines, strings.Repeat("long\n", 200))
	}
	told := briefly(lines)
	require.Len(t, told, maxTold)
	require.Equal(t, "… and 5 more", told[9])
	require.LessOrEqual(t, len(told[0]), maxLine)
	require.NotContains(t, told[0], "\n")
	require.Len(t, briefly(lines[:10]), 10)
	require.Empty(t, briefly(nil))
}
