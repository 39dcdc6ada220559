package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// driftChecked runs a check of a fleet whose clusters remember that oncall hears of it, and in
// which every object differs, or none.
func driftChecked(t *testing.T, in func(*lived) api.FleetInput, drifted bool, schedule string) *fake {
	f, l := newFake(t), newLived()
	l.Spec.Notifications = []fleet.Notification{{Channel: "oncall"}}
	l.SetDefaults()
	f.answer = l.answers
	if !drifted {
		f.action = fleet.Keep
	}
	if schedule != "" {
		require.NoError(t, f.SetTypedSearchAttributesOnStart(temporal.NewSearchAttributes(scheduledBy.ValueSet(schedule))))
	}
	require.Equal(t, drifted, driftOf(t, f, in(l)).Drifted)
	return f
}

func whole(l *lived) api.FleetInput { return api.FleetInput{Fleet: l.Fleet} }
func named(*lived) api.FleetInput   { return byName("west") }

// A schedule knows the fleet's name and its clusters; these remember who hears of it.
func TestNotify_TheScheduleFindsDrift_IsToldWithWhatDiffers(t *testing.T) {
	n := driftChecked(t, named, true, "landbridge.test.drift").toldOnce()
	require.Equal(t, "drifted", n.Event)
	require.Equal(t, "drift check", n.What)
	require.Equal(t, "the scheduled check of the fleet test found drift", n.Text)
	require.Equal(t, "landbridge drift test", n.Next)
	require.NotEmpty(t, n.Failures)
	require.Contains(t, n.Failures[0], ": not as it was rolled out: ")
}

func TestNotify_TheScheduleFindsNoDrift_NobodyIsTold(t *testing.T) {
	require.Empty(t, driftChecked(t, named, false, "landbridge.test.drift").told())
}

// Whoever types `landbridge drift` reads the answer.
func TestNotify_SomebodyFindsDriftByHand_NobodyIsTold(t *testing.T) {
	for _, in := range []func(*lived) api.FleetInput{whole, named} {
		require.Empty(t, driftChecked(t, in, true, "").told())
		require.Empty(t, driftChecked(t, in, true, "a.schedule.of.somebody").told())
	}
}

func TestNotify_TheScheduleRepairs_IsToldOfTheDriftAndOfTheRollout(t *testing.T) {
	f := driftChecked(t, func(*lived) api.FleetInput {
		in := byName("west")
		in.SelfHeal = true
		return in
	}, true, "landbridge.test.drift")
	told := f.told()
	require.Len(t, told, 2)
	require.Equal(t, "the scheduled check of the fleet test found drift; a rollout repairs what it can", told[0].Text)
	require.Equal(t, "the rollout of the fleet test is done", told[1].Text)
	require.Equal(t, "drift", told[1].Request.Reason)
}

func TestNotify_EachKindOfDrift_IsALine(t *testing.T) {
	ends := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	require.Equal(t, []string{
		"cluster north: it does not answer",
		"link east -> west: the path breaks at tunnel: refused; look there",
		"cluster east: not as it was rolled out: 2 objects",
		"the certificate of root ends at 2026-12-24T18:00:00Z",
		"cluster south: it left the fleet file and still exists",
		"link east -> south: it left the fleet file and still exists",
		"cluster west: it remembers another rollout than the last one",
	}, driftLines(api.DriftResult{
		Unreachable: []api.Failure{{Unit: api.Member("north"), Message: "it does not answer"}},
		Unproven:    []api.CheckLinkResult{{Link: "east -> west", Hop: "tunnel", Why: "refused", Look: "look there"}},
		Changes:     []api.PlannedUnit{{Unit: api.Member("east"), Changes: make([]fleet.Change, 2)}},
		Expiring:    []api.Expiring{{Of: "root", CertificateFacts: api.CertificateFacts{NotAfter: ends}}},
		Stale:       fleet.Stale{Clusters: []fleet.Cluster{{Name: "south"}}, Links: []fleet.Link{{From: "east", To: "south"}}},
		Differ:      []string{"west"},
	}))
}

// The schedule that renews credentials looks every few hours, and mostly finds none that is due.
func TestNotify_ARotationOfWhatIsDue_IsToldWhereItRenewedSomething(t *testing.T) {
	for name, answers := range map[string]func(fakeCall, any){"renewed": renewing, "nothing due": nil} {
		f, l := newFake(t), newLived()
		l.Spec.Notifications = []fleet.Notification{{Channel: "oncall"}}
		l.Spec.Credentials.Tokens.Lifetime = fleet.Duration(24 * time.Hour)
		l.SetDefaults()
		f.answer = func(c fakeCall, result any) {
			l.answers(c, result)
			if answers != nil {
				answers(c, result)
			}
		}
		in := byName("west")
		in.Rotate = &api.Rotation{Due: true}
		require.NoError(t, f.run(RotateFleet, in))
		if answers == nil {
			require.Empty(t, f.told(), name)
		} else {
			require.Equal(t, "the rotation of the fleet test is done", f.toldOnce().Text)
		}
	}
}
