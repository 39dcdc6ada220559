package workflows

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// renewing has each source's token renewed: the one before is in force until then.
func renewing(c fakeCall, result any) {
	if r, ok := result.(*api.EnsureReaderTokenResult); ok {
		r.Secret, r.Sealed, r.Before, r.Older = "new", "the new one", "the one before", 1
		r.Issued, r.Ends = time.Now(), time.Now().Add(24*time.Hour)
	}
}

// rotating is a fleet of three that was rolled out with proofs, and whose tokens are renewed.
func rotating() func(fakeCall, any) {
	l := newLived()
	l.Spec.Rollout.SkipProof, l.Spec.Credentials.Tokens.Lifetime = false, fleet.Duration(24*time.Hour)
	l.Spec.CA.IntermediateLifetime = l.Spec.CA.RootLifetime
	return func(c fakeCall, result any) {
		l.answers(c, result)
		renewing(c, result)
	}
}

// aboutTokens keeps the steps of a rotation.
func aboutTokens(c fakeCall) bool {
	return strings.Contains(c.name, "ReaderToken") || strings.HasSuffix(c.name, "RemoteSecret") || c.name == "CheckLink"
}

func linkRotated(skipProof bool) api.LinkInput {
	f := testFleet("east", "west")
	f.Spec.Rollout.SkipProof = skipProof
	return api.LinkInput{Link: fleet.Link{From: "east", To: "west"}, Source: testRef("east"), Target: api.Target{ClusterRef: testRef("west")},
		LinkSettings: api.LinkSettings{Rollout: f.Spec.Rollout}}
}

func TestRotate_ANewToken_IsProvenBeforeTheOldOneGoes(t *testing.T) {
	for name, workflow := range map[string]any{"rollout": RolloutLink, "rotation": RotateLink} {
		f := newFake(t)
		f.answer = renewing
		require.NoError(t, f.run(workflow, linkRotated(false)), name)
		require.Equal(t, []string{"EnsureReaderToken west (east.west)", "EnsureRemoteSecret east (east.west)", "CheckLink east (east.west)", "RetireReaderTokens west (east.west)"},
			f.names(aboutTokens), name)
	}
}

func TestRotate_WithoutProof_TheOldOneStaysUntilTheNextTime(t *testing.T) {
	f := newFake(t)
	f.answer = renewing
	require.NoError(t, f.run(RotateLink, linkRotated(true)))
	require.NotContains(t, f.names(nil), "RetireReaderTokens west (east.west)")

	f = newFake(t)
	f.action, f.answer = fleet.Keep, renewing
	require.NoError(t, f.run(RotateLink, linkRotated(true)))
	require.Contains(t, f.names(nil), "RetireReaderTokens west (east.west)", "by then the new one has been in force for long")
}

// A rotation that fails leaves the old token in force, wherever it fails; once the new one is
// proven, that one stays.
func TestRotate_EachStepFails_AProvenTokenIsInForce(t *testing.T) {
	for name, workflow := range map[string]any{"rollout": RolloutLink, "rotation": RotateLink} {
		for _, failing := range []string{"EnsureReaderToken", "EnsureRemoteSecret", "CheckLink", "RetireReaderTokens"} {
			f, failed := newFake(t), false
			f.answer = renewing
			f.on = func(c fakeCall) error {
				if c.name == failing && !failed { // what is put back afterwards works
					failed = true
					return broken(c)
				}
				return nil
			}
			require.Error(t, f.run(workflow, linkRotated(false)), name, failing)
			inForce, removed := "the one before", false
			for _, c := range f.calls {
				if in, ok := c.in.(api.EnsureRemoteSecretInput); ok {
					inForce = in.Sealed
				}
				if in, ok := c.in.(api.RemoveInput); ok && c.name == "RemoveReaderToken" {
					require.Equal(t, in.Run, in.OnlyRun, "only the new one")
					removed = true
				}
				if c.name == "RemoveRemoteSecret" {
					require.Equal(t, c.in.(api.RemoveInput).Run, c.in.(api.RemoveInput).OnlyRun, "%s, %s: it was there before", name, failing)
				}
			}
			if failing == "RetireReaderTokens" {
				require.Equal(t, "the new one", inForce, name)
				require.False(t, removed, name)
				continue
			}
			require.Equal(t, "the one before", inForce, "%s, %s", name, failing)
			require.True(t, removed, "%s, %s", name, failing)
		}
	}
}

// Where the old token cannot be put back, the source has the new one: that must not go.
func TestRotate_TheOldTokenCannotBePutBack_TheNewOneStays(t *testing.T) {
	for _, failing := range []string{"CheckLink", "EnsureRemoteSecret"} {
		f := newFake(t)
		f.answer = renewing
		f.on = func(c fakeCall) error {
			if in, ok := c.in.(api.EnsureRemoteSecretInput); c.name == failing || ok && in.Sealed == "the one before" {
				return broken(c)
			}
			return nil
		}
		require.Error(t, f.run(RotateLink, linkRotated(false)), failing)
		require.NotContains(t, f.names(nil), "RemoveReaderToken west (east.west)", failing)
	}
}

func TestRotateFleet_RenewsWhatIsAskedFor_AndChangesNothingElse(t *testing.T) {
	link := fleet.Link{From: "east", To: "west"}
	for name, c := range map[string]struct {
		rotate *api.Rotation
		links  int
	}{
		"all":        {&api.Rotation{}, 6},
		"one link":   {&api.Rotation{Links: []fleet.Link{link}}, 1},
		"what's due": {&api.Rotation{Due: true}, 6},
	} {
		f, in := newFake(t), byName("east")
		f.answer, in.Rotate = rotating(), c.rotate
		require.NoError(t, f.run(RotateFleet, in), name)
		tokens := 0
		for _, call := range f.calls {
			if !ensures(call) {
				continue
			}
			require.Contains(t, []string{"EnsureSealingKey", "EnsureReaderToken", "EnsureRemoteSecret"}, call.name, name)
			if in, ok := call.in.(api.EnsureReaderTokenInput); ok {
				tokens++
				require.Equal(t, c.rotate.Due, in.IssuedBefore.IsZero(), name)
			}
		}
		require.Equal(t, c.links, tokens, name)
		var r api.FleetResult
		require.NoError(t, f.GetWorkflowResult(&r))
		require.Equal(t, c.links, r.Renewed, name)
		require.Equal(t, c.links, r.Tokens.Ending, name)
	}
}

// The schedule follows what the clusters really gave, and goes where nothing ends any more.
func TestRollout_WhereCredentialsEnd_SetsUpTheirSchedule(t *testing.T) {
	ends := func(f fleet.Fleet, life time.Duration) fleet.Fleet {
		f.Spec.Credentials.Tokens.Lifetime = fleet.Duration(life)
		return f
	}
	yearly := testFleet("east", "west") // its intermediates end
	plain := testFleet("east", "west")
	plain.Spec.CA.IntermediateLifetime = plain.Spec.CA.RootLifetime
	for name, c := range map[string]struct {
		file, before fleet.Fleet
		want         []time.Duration
	}{
		"30 days, of which the clusters give one": {ends(plain, 720*time.Hour), plain, []time.Duration{4 * time.Hour}},
		"an hour":                {ends(plain, time.Hour), plain, []time.Duration{10 * time.Minute}},
		"no more":                {plain, ends(plain, 720*time.Hour), []time.Duration{0}},
		"neither before nor now": {plain, plain, nil},
		"a year's certificates":  {yearly, yearly, []time.Duration{7 * 24 * time.Hour}},
		"and tokens of an hour":  {ends(yearly, time.Hour), yearly, []time.Duration{10 * time.Minute}},
		"no more of these":       {plain, yearly, []time.Duration{0}},
	} {
		f := newFake(t)
		f.answer = func(call fakeCall, result any) {
			remember(c.before, call, result)
			if c.file.Spec.Credentials.Tokens.Lifetime > 0 {
				renewing(call, result)
			}
		}
		require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: c.file}), name)
		var got []time.Duration
		for _, call := range f.calls {
			if in, ok := call.in.(api.SetRotationInput); ok {
				got = append(got, in.Every.Round(time.Minute))
			}
		}
		require.Equal(t, c.want, got, name)
	}
}

func TestRollout_ItsScheduleCannotBeSet_IsAnError(t *testing.T) {
	file, f := testFleet("east", "west"), newFake(t)
	file.Spec.Credentials.Tokens.Lifetime = fleet.Duration(time.Hour)
	f.on = func(c fakeCall) error {
		if c.name == "SetRotation" {
			return broken(c)
		}
		return nil
	}
	require.ErrorContains(t, f.run(RolloutFleet, api.FleetInput{Fleet: file}), "the schedule that renews credentials could not be set, and they end")
}

func TestCheckTokens_WhileTheFleetChanges_LooksAtNone(t *testing.T) {
	for _, busy := range []bool{true, false} {
		f, live := newFake(t), rotating()
		f.answer = func(c fakeCall, result any) {
			live(c, result)
			if r, ok := result.(*api.LastChange); ok {
				*r = api.LastChange{Type: api.RolloutFleet, Run: "r", Running: busy}
			}
		}
		require.NoError(t, f.run(CheckTokens, byName("east")))
		var r api.RotationCheck
		require.NoError(t, f.GetWorkflowResult(&r))
		require.Equal(t, busy, r.Busy != nil)
		require.Equal(t, map[bool]int{false: 6}[busy], r.Renewed)
		require.Equal(t, !busy, len(f.names(ensures)) > 0)
	}
}
