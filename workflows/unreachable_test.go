package workflows

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// silences lists the ways in which a look at a cluster ends without an answer.
var silences = map[string]error{
	"no API server": temporal.NewApplicationError("cluster west: the API server at 192.0.2.1:6443 cannot be reached: connection refused", api.TypeUnreachable),
	"no worker":     temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START, nil),
	"no end":        temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil),
}

// silent lets the preflight of a cluster end without an answer until it answers.
func silent(f *fake, cluster string, with error, answers *bool) {
	f.on = func(c fakeCall) error {
		if c.name == "CheckCluster" && c.ref.Cluster == cluster && (answers == nil || !*answers) {
			return with
		}
		return nil
	}
}

func unitsOf(list []api.Failure) (out []string) {
	for _, f := range list {
		out = append(out, f.Unit.String())
	}
	return out
}

func TestUnreachable_FailsAloneWithItsLinks_TheOthersAreRolledOut(t *testing.T) {
	for name, with := range silences {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			silent(f, "west", with, nil)
			err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "north", "west")})
			require.Equal(t, api.TypePartly, errorType(t, err))
			require.ErrorContains(t, err, "cluster west, step preflight: it does not answer, tried for ")
			require.NotContains(t, err.Error(), "undone")
			calls := f.names(nil)
			require.Contains(t, calls, "CheckLink north (north.east)", "the other links are made and proven")
			for _, c := range calls {
				require.True(t, !strings.Contains(c, "west") || c == "CheckCluster west", "nothing more is tried on it: %s", c)
			}
			var s api.Status
			f.status(&s)
			require.Equal(t, api.Failed, stateOf(s, "cluster west"))
			for _, link := range []string{"link east -> west", "link north -> west", "link west -> east", "link west -> north"} {
				require.Equal(t, api.Skipped, stateOf(s, link), link)
			}
			require.Equal(t, api.Done, stateOf(s, "link north -> east"))
		})
	}
}

func TestUnreachable_AllOfThem_IsAFailedPreflight(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error { return silences["no API server"] }
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "west")})
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.Empty(t, f.names(ensures))
}

// What else is wrong is told with it, and stops everything as before.
func TestUnreachable_AndAProblem_NothingChanges(t *testing.T) {
	f := newFake(t)
	silent(f, "west", silences["no API server"], nil)
	f.answer = func(c fakeCall, result any) {
		if r, ok := result.(*api.CheckClusterResult); ok && c.ref.Cluster == "north" {
			r.Problems = []string{"it belongs to the fleet staging"}
		}
	}
	err := f.run(RolloutFleet, api.FleetInput{Fleet: testFleet("east", "north", "west")})
	require.Equal(t, api.TypePreflight, errorType(t, err))
	require.ElementsMatch(t, []string{"cluster north", "cluster west"}, unitsOf(api.Failures(err)))
	require.Empty(t, f.names(func(c fakeCall) bool { return ensures(c) && !c.ref.DryRun }))
}

// A member that was never heard may know a root. None is made beside it.
func TestUnreachable_TheRootIsUnknown_NothingChanges(t *testing.T) {
	for name, c := range map[string]struct {
		edit   func(*fleet.Fleet)
		kept   bool
		known  bool
		refuse string
	}{
		"it keeps the root":              {func(f *fleet.Fleet) { f.Spec.CA.Root.Cluster = "west" }, true, true, "cluster west keeps it (spec.ca.root.cluster) and does not answer"},
		"nobody knows one":               {func(*fleet.Fleet) {}, false, false, "none is made while a cluster that may know one does not answer (west)"},
		"the worker has one":             {func(*fleet.Fleet) {}, true, false, ""},
		"another member knows one":       {func(*fleet.Fleet) {}, false, true, ""},
		"the meshes have an existing CA": {func(f *fleet.Fleet) { no := false; f.Spec.CA.Manage = &no }, false, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			silent(f, "west", silences["no API server"], nil)
			f.answer = func(call fakeCall, result any) {
				switch r := result.(type) {
				case *api.EnsureRootResult:
					if !c.kept && call.ref.DryRun {
						r.CertPEM, r.Facts = "", api.CertificateFacts{}
					}
				case *api.CheckClusterResult:
					if c.known {
						r.Root = "sha256:0"
					}
				}
			}
			in := api.FleetInput{Fleet: testFleet("east", "north", "west")}
			c.edit(&in.Fleet)
			err := f.run(RolloutFleet, in)
			if c.refuse == "" {
				require.Equal(t, api.TypePartly, errorType(t, err), "%v", err)
				return
			}
			require.Equal(t, api.TypePreflight, errorType(t, err))
			require.ErrorContains(t, err, c.refuse)
			require.ErrorContains(t, err, "nothing was changed")
			require.Empty(t, f.names(func(c fakeCall) bool { return ensures(c) && !c.ref.DryRun }))
		})
	}
}

// A member of a later wave that does not answer does not keep the waves before it.
func TestUnreachable_InALaterWave_TheWavesBeforeItGoOn(t *testing.T) {
	f := newFake(t)
	silent(f, "north", silences["no API server"], nil)
	in := inWaves(fleet.ApprovalNone, "east", "west", "north")
	in.Fleet.Spec.Rollout.Waves = []fleet.Wave{{Name: "a", Clusters: []string{"east"}}, {Name: "b", Clusters: []string{"west"}}, {Name: "c", Clusters: []string{"north"}}}
	err := f.run(RolloutFleet, in)
	require.Equal(t, api.TypePartly, errorType(t, err))
	require.Contains(t, f.names(nil), "CheckLink east (east.west)")
	require.NotContains(t, err.Error(), "since a wave before")
}

func TestUnreachable_InTheFirstWave_TheNextDoNotBegin(t *testing.T) {
	f := newFake(t)
	silent(f, "east", silences["no API server"], nil)
	err := f.run(RolloutFleet, inWaves(fleet.ApprovalNone, "east", "west", "north"))
	require.ErrorContains(t, err, "cluster west: left out, since a wave before rest failed")
	require.NotContains(t, f.names(nil), "EnsureInventory west")
}

// Nobody is asked to approve a wave of which nothing can begin.
func TestUnreachable_ItIsAWholeWave_WaitsForNoApproval(t *testing.T) {
	f := newFake(t)
	silent(f, "west", silences["no API server"], nil)
	err := f.run(RolloutFleet, inWaves(fleet.ApprovalWaves, "east", "west"))
	require.Equal(t, api.TypePartly, errorType(t, err))
}

// A member that answers again is looked at before it is rolled out, as in the preflight.
func TestUnreachable_Retried_IsLookedAtFirst(t *testing.T) {
	for name, problem := range map[string]string{"nothing is wrong": "", "something is wrong": "the worker may not get secrets"} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			answers := false
			silent(f, "east", silences["no API server"], &answers)
			f.answer = func(c fakeCall, result any) {
				if r, ok := result.(*api.CheckClusterResult); ok && c.ref.Cluster == "east" && problem != "" {
					r.Problems = []string{problem}
				}
			}
			early := f.update(time.Hour, api.UpdateRetry, anna("cluster east"))
			f.RegisterDelayedCallback(func() { answers = true }, 2*time.Hour)
			f.update(3*time.Hour, api.UpdateRetry, anna("cluster east"))
			f.update(4*time.Hour, api.UpdateApprove, anna(""))
			in := inWaves(fleet.ApprovalWaves, "east", "west", "north")
			in.Fleet.Spec.Rollout.Waves[0].Clusters = []string{"east", "west"}
			err := f.run(RolloutFleet, in)
			require.Equal(t, "cluster east is retried", *early)
			if problem == "" {
				require.NoError(t, err)
				require.Contains(t, f.names(nil), "CheckLink east (east.north)")
				require.Contains(t, f.names(nil), "ReleaseInventory east")
				return
			}
			require.Equal(t, api.TypePartly, errorType(t, err))
			require.ErrorContains(t, err, problem)
			require.NotContains(t, f.names(nil), "EnsureInventory east")
		})
	}
}

func TestUnreachable_APlan_IsThatOfTheOthers(t *testing.T) {
	f := newFake(t)
	silent(f, "west", silences["no API server"], nil)
	require.NoError(t, f.run(PlanFleet, api.FleetInput{Fleet: testFleet("east", "north", "west")}))
	var r api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.Equal(t, []string{"cluster west"}, unitsOf(r.Unreachable))
	require.Len(t, r.Plan, 5, "root, two clusters, two links")
}

// A check that heals starts no rollout for what no rollout repairs.
func TestUnreachable_Drift_TellsIt_AndHealsOnlyWhatElseDiffers(t *testing.T) {
	for name, c := range map[string]struct {
		action   fleet.Action
		unproven []string
		heals    bool
	}{
		"nothing else differs":        {fleet.Keep, nil, false},
		"its links are not proven":    {fleet.Keep, []string{"west -> east", "north -> west"}, false},
		"another link is not proven":  {fleet.Keep, []string{"north -> east"}, true},
		"something of another member": {fleet.Update, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.action = c.action
			silent(f, "west", silences["no API server"], nil)
			f.answer = func(call fakeCall, result any) {
				if r, ok := result.(*api.CheckLinkResult); ok {
					r.Link = call.in.(api.CheckLinkInput).Link.String()
					r.Proven = true
					for _, l := range c.unproven {
						r.Proven = r.Proven && l != r.Link
					}
				}
			}
			require.NoError(t, f.run(DriftFleet, api.FleetInput{Fleet: testFleet("east", "north", "west"), SelfHeal: true}))
			var r api.DriftResult
			require.NoError(t, f.GetWorkflowResult(&r))
			require.True(t, r.Drifted)
			require.Equal(t, []string{"cluster west"}, unitsOf(r.Unreachable))
			require.Equal(t, c.heals, r.NotHealed != "", "the rollout cannot reach it either")
		})
	}
}
