package workflows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// inWaves returns a fleet with east as the first wave and the others as the second.
func inWaves(approval string, names ...string) api.FleetInput {
	f := testFleet(names...)
	f.Spec.Rollout.Waves = []fleet.Wave{{Name: "canary", Clusters: names[:1]}}
	f.Spec.Rollout.Approval = approval
	return api.FleetInput{Fleet: f}
}

// update sends an update after a while, and returns the answer.
func (f *fake) update(after time.Duration, name string, in api.DecisionInput) *string {
	answer := "no answer"
	f.RegisterDelayedCallback(func() {
		f.UpdateWorkflow(name, uuid.NewString(), &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { answer = "refused: " + err.Error() },
			OnComplete: func(v any, err error) {
				if answer = fmt.Sprint(v); err != nil {
					answer = "failed: " + err.Error()
				}
			},
		}, in)
	}, after)
	return &answer
}

func anna(unit string) api.DecisionInput {
	id := api.Unit{}
	if unit != "" {
		var err error
		if id, err = api.ParseUnit(unit); err != nil {
			panic(err)
		}
	}
	return api.DecisionInput{Unit: id, By: "anna", Reason: "CHG-7"}
}

// failing lets the step of a cluster fail as many times as given.
func failing(name, cluster string, times int) func(fakeCall) error {
	return func(c fakeCall) error {
		if c.name == name && c.ref.Cluster == cluster && times > 0 {
			times--
			return broken(c)
		}
		return nil
	}
}

func TestWaves_TheCanaryIsProvenBeforeTheRestBegins(t *testing.T) {
	f := newFake(t)
	in := inWaves(fleet.ApprovalNone, "east", "west", "north")
	in.Fleet.Spec.Rollout.Waves[0].Clusters = []string{"east", "west"}
	require.NoError(t, f.run(RolloutFleet, in))
	calls := f.names(nil)
	first := slices.Index(calls, "EnsureInventory north")
	require.Contains(t, calls[:first], "CheckLink east (east.west)")
	require.Contains(t, calls[:first], "CheckLink west (west.east)")
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Len(t, r.Links, 6)
	require.Equal(t, 6, r.Proven)
}

func TestWaves_OneFails_TheNextDoNotBegin(t *testing.T) {
	f := newFake(t)
	f.on = failing("EnsureIstio", "east", 1)
	err := f.run(RolloutFleet, inWaves(fleet.ApprovalNone, "east", "west", "north"))
	require.Equal(t, api.TypeFailed, errorType(t, err))
	require.ErrorContains(t, err, "cluster west: left out, since a wave before rest failed")
	require.NotContains(t, f.names(nil), "EnsureInventory west")
	require.Contains(t, f.names(removes), "RemoveRoot")
	var s api.Status
	f.status(&s)
	require.Equal(t, []api.WaveState{{Name: "canary", Clusters: 1, State: api.Failed}, {Name: "rest", Clusters: 2, State: api.Skipped}}, s.Waves)
}

func TestApproval_HoldsTheNextWaveUntilSomebodySaysSo(t *testing.T) {
	f := newFake(t)
	early := f.update(0, api.UpdateApprove, anna(""))
	nobody := f.update(time.Hour, api.UpdateApprove, api.DecisionInput{})
	f.RegisterDelayedCallback(func() {
		require.NotContains(t, f.names(inEarnest), "EnsureInventory west")
		var s api.Status
		f.status(&s)
		require.Equal(t, "rest", s.WaitsFor)
		require.Equal(t, "waiting for approval", s.Phase)
	}, 2*time.Hour)
	said := f.update(3*time.Hour, api.UpdateApprove, anna(""))
	require.NoError(t, f.run(RolloutFleet, inWaves(fleet.ApprovalWaves, "east", "west")))
	require.Equal(t, "refused: no wave waits for an approval", *early)
	require.Equal(t, "refused: nobody is named as the one who decides; set the field by", *nobody)
	require.Equal(t, "wave rest begins", *said)
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Len(t, r.Links, 2)
	require.Equal(t, "approve wave rest, by anna: CHG-7", r.Decisions[0].String())
}

// What a wave would change is looked at when its turn comes. Whoever repeats a rollout is
// not asked for waves that are as they should be.
func TestApproval_OfAWaveThatChangesNothing_IsNotWaitedFor(t *testing.T) {
	for changed, waits := range map[string]bool{"": false, "east": false, "west": true} {
		f := newFake(t)
		f.action = fleet.Keep
		f.answer = func(c fakeCall, result any) {
			known(c, result)
			if r, ok := result.(*fleet.Changes); ok && c.name == "EnsureExposure" && c.ref.Cluster == changed {
				r.Changes = []fleet.Change{{Action: fleet.Update, Kind: "Gateway", Name: "east-west"}}
			}
		}
		said := f.update(time.Hour, api.UpdateApprove, anna(""))
		require.NoError(t, f.run(RolloutFleet, inWaves(fleet.ApprovalWaves, "east", "west")))
		require.Equal(t, waits, *said == "wave rest begins", "changed: %q: %s", changed, *said)
	}
}

// known has each cluster remember a fleet of east and west.
func known(c fakeCall, result any) { remember(testFleet("east", "west"), c, result) }

// A cluster that joins changes, which no plan has to find out.
func TestApproval_OfAWaveThatJoins_IsWaitedForWithoutAPlan(t *testing.T) {
	f := newFake(t)
	f.action = fleet.Keep
	said := f.update(time.Hour, api.UpdateApprove, anna(""))
	require.NoError(t, f.run(RolloutFleet, inWaves(fleet.ApprovalWaves, "east", "west")))
	require.Equal(t, "wave rest begins", *said)
	require.Empty(t, f.names(func(c fakeCall) bool { return c.ref.DryRun }))
}

// Where the plan cannot tell what a wave would change, somebody is asked.
func TestApproval_PlanFails_IsWaitedFor(t *testing.T) {
	f := newFake(t)
	f.action, f.answer = fleet.Keep, known
	f.on = func(c fakeCall) error {
		if c.ref.DryRun && c.name == "EnsureExposure" {
			return broken(c)
		}
		return nil
	}
	said := f.update(time.Hour, api.UpdateApprove, anna(""))
	require.NoError(t, f.run(RolloutFleet, inWaves(fleet.ApprovalWaves, "east", "west")))
	require.Equal(t, "wave rest begins", *said)
}

func TestRetry_WhileAWaveWaits_TakesUpTheClusterAndItsLinks(t *testing.T) {
	f := newFake(t)
	f.on = failing("EnsureIstio", "east", 1)
	wrong := f.update(time.Hour, api.UpdateRetry, anna("cluster west"))
	said := f.update(2*time.Hour, api.UpdateRetry, anna("cluster east"))
	f.update(3*time.Hour, api.UpdateApprove, anna(""))
	in := inWaves(fleet.ApprovalWaves, "east", "west", "north")
	in.Fleet.Spec.Rollout.Waves[0].Clusters = []string{"east", "west"}
	require.NoError(t, f.run(RolloutFleet, in))
	require.Equal(t, "refused: cluster west is done; only what failed can be retried (failed so far: cluster east)", *wrong)
	require.Equal(t, "cluster east is retried", *said)
	calls := f.names(inEarnest)
	require.Less(t, slices.Index(calls, "CheckLink west (west.east)"), slices.Index(calls, "EnsureInventory north"), "the link of the cluster that was taken up is proven first")
}

// A cluster that failed is rolled out again while others of its wave still run.
func TestRetry_WhileOthersStillRun(t *testing.T) {
	f := newFake(t)
	east, tries := failing("EnsureIstio", "east", 1), 0
	f.on = func(c fakeCall) error {
		if c.name == "WaitIstio" && c.ref.Cluster == "west" && tries < 5 { // half a minute
			tries++
			return temporal.NewApplicationError("not yet", api.TypeOther)
		}
		return east(c)
	}
	said := f.update(10*time.Second, api.UpdateRetry, anna("cluster east"))
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	require.Equal(t, "cluster east is retried", *said)
}

func TestRetry_OfALink(t *testing.T) {
	f := newFake(t)
	f.on = failing("CheckLink", "east", 1)
	said := f.update(time.Hour, api.UpdateRetry, anna("link east -> west"))
	f.update(2*time.Hour, api.UpdateApprove, anna(""))
	in := inWaves(fleet.ApprovalWaves, "east", "west", "north")
	in.Fleet.Spec.Rollout.Waves[0].Clusters = []string{"east", "west"}
	require.NoError(t, f.run(RolloutFleet, in))
	require.Equal(t, "link east -> west is retried", *said)
}

func TestSkip_OfAClusterThatFailed_ItsLinksAreLeftOutToo(t *testing.T) {
	f := newFake(t)
	f.on = failing("EnsureIstio", "east", 1)
	said := f.update(time.Hour, api.UpdateSkip, anna("cluster east"))
	later := f.update(time.Hour+1, api.UpdateSkip, anna("link north -> west"))
	unknown := f.update(time.Hour+2, api.UpdateSkip, anna("cluster nowhere"))
	f.update(2*time.Hour, api.UpdateApprove, anna(""))
	require.NoError(t, f.run(RolloutFleet, inWaves(fleet.ApprovalWaves, "east", "west", "north")))
	require.Equal(t, "cluster east is skipped", *said)
	require.Equal(t, "link north -> west is skipped", *later)
	require.Equal(t, "refused: the fleet has no cluster nowhere", *unknown)
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, []string{"west.north"}, r.Links)
	var names []string
	for _, u := range r.Skipped {
		names = append(names, u.String())
	}
	require.Equal(t, []string{"cluster east", "link east -> north", "link east -> west", "link north -> east", "link north -> west", "link west -> east"}, names)
}

// Steps that run when somebody pauses may end, and none begins until somebody resumes.
func TestPause_AtEachStep_NothingBeginsUntilItIsResumed(t *testing.T) {
	clean := newFake(t)
	require.NoError(t, clean.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	steps := clean.names(func(c fakeCall) bool { return c.ref.Cluster == "east" && c.name != "CheckCluster" })
	for _, at := range steps {
		t.Run(at, func(t *testing.T) {
			f := newFake(t)
			var paused, again, resumed *string
			f.on = func(c fakeCall) error {
				if c.String() != at || paused != nil {
					return nil
				}
				paused = f.update(0, api.UpdatePause, anna(""))
				var before []string
				f.RegisterDelayedCallback(func() { before = f.names(nil) }, time.Minute)
				f.RegisterDelayedCallback(func() {
					require.Equal(t, before, f.names(nil), "nothing begins while it is paused")
					var s api.Status
					f.status(&s)
					require.True(t, s.Paused)
					again = f.update(0, api.UpdatePause, anna(""))
					resumed = f.update(time.Minute, api.UpdateResume, anna(""))
				}, time.Hour)
				return temporal.NewApplicationError("it takes a second try", api.TypeOther)
			}
			require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
			require.ElementsMatch(t, append(clean.names(nil), at), f.names(nil), "every step is done once, this one after a second try")
			if last := strings.HasPrefix(at, "CheckLink") || strings.HasPrefix(at, "ReleaseInventory"); last && resumed == nil {
				return // nothing was left to begin
			}
			require.Contains(t, *paused, "paused: steps that run may end")
			require.Equal(t, "refused: the rollout is paused already", *again)
			require.Equal(t, "the rollout goes on", *resumed)
		})
	}
}

// The limit of a wait begins when the step may begin, and not before the night for which
// somebody pauses the rollout.
func TestPause_OverNight_TheWaitForALoadBalancerStillHasItsTime(t *testing.T) {
	f := newFake(t)
	var resumed, end time.Time
	paused := false
	f.on = func(c fakeCall) error {
		switch in := c.in.(type) {
		case api.EnsureEastWestGatewayInput: // the step before
			if in.Cluster == "east" && !paused {
				paused = true
				f.update(0, api.UpdatePause, anna(""))
				f.update(12*time.Hour, api.UpdateResume, anna(""))
				f.RegisterDelayedCallback(func() { resumed = f.Now() }, 12*time.Hour)
				return temporal.NewApplicationError("it takes a second try", api.TypeOther)
			}
		case api.WaitLoadBalancerInput:
			if in.Cluster == "east" {
				end = in.Until
			}
		}
		return nil
	}
	require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	require.WithinDuration(t, resumed.Add(15*time.Minute), end, time.Second)
}

// A rollout that somebody cancels, at each of its steps: what is open is undone, or kept.
// What is done stays, and the run ends as canceled, with the words of who did it.
func TestCancel_AtEachStep_UndoesOrKeepsWhatIsOpen(t *testing.T) {
	clean := newFake(t)
	require.NoError(t, clean.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")}))
	for _, at := range clean.names(ensures) {
		for _, keep := range []bool{false, true} {
			t.Run(fmt.Sprint(at, " keep=", keep), func(t *testing.T) {
				f := newFake(t)
				var said, again *string
				f.on = func(c fakeCall) error {
					if c.String() == at && said == nil {
						in := anna("")
						in.Keep = keep
						said = f.update(0, api.UpdateCancel, in)
						again = f.update(1, api.UpdateCancel, in)
						return temporal.NewApplicationError("it takes a second try", api.TypeOther)
					}
					return nil
				}
				err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")})
				var canceled *temporal.CanceledError
				require.ErrorAs(t, err, &canceled)
				var sentence string
				require.NoError(t, canceled.Details(&sentence))
				if *again != "no answer" && !strings.Contains(*again, "is about to end") { // the run may have ended by then
					require.Equal(t, "refused: the rollout is being canceled already, by anna", *again)
				}
				if keep {
					require.Equal(t, "the rollout is canceled: what is open is kept as it is, what is done stays", *said)
					require.Equal(t, "the rollout was canceled by anna: CHG-7; what was open is kept as it is", sentence)
					require.Empty(t, f.names(removes))
				} else {
					require.Equal(t, "the rollout is canceled: what is open is undone, what is done stays", *said)
					require.Equal(t, "the rollout was canceled by anna: CHG-7; what was open is undone", sentence)
				}
				var s api.Status
				f.status(&s)
				require.Equal(t, "canceled", s.Phase)
				for _, u := range s.Units {
					require.NotContains(t, []api.State{api.Pending, api.Waiting, api.Running}, u.State, u.Unit)
				}
			})
		}
	}
}

func TestCancel_WhileAWaveWaits_OrIsPaused(t *testing.T) {
	for _, keep := range []bool{false, true} {
		f := newFake(t)
		in := anna("")
		in.Keep = keep
		f.update(time.Hour, api.UpdatePause, anna(""))
		f.update(2*time.Hour, api.UpdateCancel, in)
		err := f.run(RolloutFleet, inWaves(fleet.ApprovalWaves, "east", "west"))
		require.True(t, temporal.IsCanceledError(err), err)
		require.Empty(t, f.names(removes), "the canary is done, and stays")
	}
}

// An approval that comes twice, late, or for another wave lets nothing begin that nobody
// looked at.
func TestApproval_OfANamedWave(t *testing.T) {
	f := newFake(t)
	of := func(wave string) api.DecisionInput {
		in := anna("")
		in.Wave = wave
		return in
	}
	other := f.update(time.Hour, api.UpdateApprove, of("last"))
	unknown := f.update(time.Hour+1, api.UpdateApprove, of("nowhere"))
	said := f.update(2*time.Hour, api.UpdateApprove, of("second"))
	again := f.update(3*time.Hour, api.UpdateApprove, of("second"))
	f.update(4*time.Hour, api.UpdateApprove, of("last"))
	in := inWaves(fleet.ApprovalWaves, "east", "west", "north")
	in.Fleet.Spec.Rollout.Waves = []fleet.Wave{{Name: "first", Clusters: []string{"east"}}, {Name: "second", Clusters: []string{"west"}}, {Name: "last", Clusters: []string{"north"}}}
	require.NoError(t, f.run(RolloutFleet, in))
	require.Equal(t, "refused: wave last does not wait for an approval, wave second does", *other)
	require.Equal(t, "refused: wave nowhere does not wait for an approval, wave second does", *unknown)
	require.Equal(t, "wave second begins", *said)
	require.Equal(t, "wave second was approved already, by anna", *again)
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Len(t, r.Decisions, 2)
}

func TestApproval_ByOthers_NotByWhoAsked(t *testing.T) {
	f := newFake(t)
	own := f.update(time.Hour, api.UpdateApprove, anna(""))
	ben := anna("")
	ben.By = "ben"
	said := f.update(2*time.Hour, api.UpdateApprove, ben)
	in := inWaves(fleet.ApprovalWaves, "east", "west")
	in.Fleet.Spec.Rollout.Approvers, in.RequestedBy = fleet.ApproversOthers, "anna"
	require.NoError(t, f.run(RolloutFleet, in))
	require.Equal(t, "refused: anna asked for this rollout, and spec.rollout.approvers wants somebody else to approve it", *own)
	require.Equal(t, "wave rest begins", *said)
}

// People once saw that a wave stayed failed after a retry that worked, and that a run
// showed pending links and waves after its end.
func TestStatus_AfterARetryThatWorked_EverythingIsDone(t *testing.T) {
	f := newFake(t)
	f.on = failing("EnsureIstio", "east", 1)
	f.update(time.Hour, api.UpdateRetry, anna("cluster east"))
	f.update(2*time.Hour, api.UpdateApprove, anna(""))
	in := inWaves(fleet.ApprovalWaves, "east", "west", "north")
	require.NoError(t, f.run(RolloutFleet, in))
	var s api.Status
	f.status(&s)
	require.Equal(t, []api.WaveState{{Name: "canary", Clusters: 1, State: api.Done}, {Name: "rest", Clusters: 2, State: api.Done}}, s.Waves)
	require.Equal(t, api.Tally{api.Done: 10}, s.Count(nil), "the root, three clusters, six links")
	require.Equal(t, api.Tally{api.Done: 2}, s.LinksBySource()["east"].Tally)
}

// However a run ends, no unit is left in a state from which it could go on.
func TestStatus_HoweverARunEnds_NothingIsPending(t *testing.T) {
	for name, on := range map[string]func(f *fake, c fakeCall) error{
		"a cluster fails": func(_ *fake, c fakeCall) error { return failing("EnsureIstio", "east", 1)(c) },
		"a link fails":    func(_ *fake, c fakeCall) error { return failing("CheckLink", "west", 1)(c) },
		"the root fails":  func(_ *fake, c fakeCall) error { return failing("EnsureRoot", "", 1)(c) },
		"it is canceled": func(f *fake, c fakeCall) error {
			if c.name == "WaitIstio" && c.ref.Cluster == "west" {
				f.CancelWorkflow()
				return temporal.NewCanceledError()
			}
			return nil
		},
	} {
		for _, workflow := range []any{RolloutFleet, CleanupFleet} {
			t.Run(name, func(t *testing.T) {
				f := newFake(t)
				f.on = func(c fakeCall) error { return on(f, c) }
				_ = f.run(workflow, inWaves(fleet.ApprovalNone, "east", "west", "north"))
				var s api.Status
				f.status(&s)
				for _, u := range s.Units {
					require.NotContains(t, []api.State{api.Pending, api.Waiting, api.Running}, u.State, u.Unit)
				}
				for _, w := range s.Waves {
					require.NotContains(t, []api.State{api.Pending, api.Waiting, api.Running}, w.State, w.Name)
				}
			})
		}
	}
}

func TestStatus_WhileAWaveWaits_ItsUnitsAreWaiting(t *testing.T) {
	f := newFake(t)
	f.RegisterDelayedCallback(func() {
		var s api.Status
		f.status(&s)
		require.Equal(t, api.Waiting, stateOf(s, "cluster west"))
		require.Equal(t, api.Waiting, stateOf(s, "link east -> west"))
		require.Equal(t, api.Waiting, s.Waves[1].State)
		require.Equal(t, api.Done, s.Waves[0].State)
	}, time.Hour)
	f.update(2*time.Hour, api.UpdateApprove, anna(""))
	require.NoError(t, f.run(RolloutFleet, inWaves(fleet.ApprovalWaves, "east", "west")))
}
