package workflows

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func TestRotateRoot_PhaseByPhase_EachTrustsEach(t *testing.T) {
	r := newRooted(t)
	for _, want := range []struct {
		to      fleet.RootPhase
		restart bool
	}{{fleet.RootTrusted, true}, {fleet.RootSigns, false}, {fleet.RootReplaced, true}} {
		f, done, err := r.step(false, 0, nil)
		require.NoError(t, err)
		r.at(want.to)
		require.Equal(t, want.to, done.RootChange.To)
		require.Equal(t, want.to-1, done.RootChange.From)
		require.Equal(t, oldRoot+" "+newRoot, done.RootChange.Old+" "+done.RootChange.Next)
		require.Equal(t, want.restart, slices.Contains(f.names(nil), "RestartIstiod west"), "only other roots need a restart")
		require.NotContains(t, f.names(nil), "EnsureReaderToken west")
	}
	require.Equal(t, newRoot, r.ended, "the old key is removed")
}

func TestRotateRoot_BackAgain_UntilTheLastPhase(t *testing.T) {
	for from := fleet.RootTrusted; from <= fleet.RootSigns; from++ {
		r := newRooted(t).bring(from)
		for to := from - 1; to >= fleet.RootAlone; to-- {
			_, done, err := r.step(true, 0, nil)
			require.NoError(t, err)
			r.at(to)
			require.Equal(t, to, done.RootChange.To)
		}
		require.Equal(t, oldRoot, r.ended)
		_, _, err := r.step(true, 0, nil)
		require.ErrorContains(t, err, "no change of the root is under way, or it is over")
	}
	_, _, err := newRooted(t).bring(fleet.RootReplaced).step(true, 0, nil)
	require.ErrorContains(t, err, "there is nothing to undo")
}

// What a phase gave to workloads must be everywhere before the next one builds on it.
func TestRotateRoot_TooEarly_ChangesNothing(t *testing.T) {
	for _, c := range []struct {
		from fleet.RootPhase
		undo bool
		back int
		wait bool
	}{
		{fleet.RootAlone, false, 0, false},
		{fleet.RootTrusted, false, 0, true},
		{fleet.RootSigns, false, 0, true},
		{fleet.RootTrusted, true, 0, false}, // nobody has a certificate of the new root yet
		{fleet.RootSigns, true, 0, false},   // everybody trusts both
		{fleet.RootSigns, true, 1, true},    // back in the first phase, with certificates of both
	} {
		r := newRooted(t).bring(c.from)
		for range c.back {
			_, _, err := r.step(true, 0, nil)
			require.NoError(t, err)
		}
		was := maps.Clone(r.known)
		f, _, err := r.step(c.undo, time.Hour, nil)
		if !c.wait {
			require.NoError(t, err, "%+v", c)
			continue
		}
		require.ErrorContains(t, err, "workloads may have certificates of before the phase in which both roots are trusted", "%+v", c)
		require.Equal(t, was, r.known)
		require.Empty(t, f.names(ensures))
	}
}

var stepsOfAPhase = []string{"MakeNextRoot", "RememberRoot", "EnsureIntermediateKey", "SignIntermediate", "EnsureCACerts", "RestartIstiod", "WaitIntermediate", "CheckLink", "RememberRoot done", "RetireCACerts", "EndRootChange"}

// how a step breaks.
type breaks struct {
	// cancel has the run canceled meanwhile, and acted says that the step has acted, and that only
	// its answer was lost.
	cancel, acted bool
}

// broke breaks a step of a member. What is undone afterwards works.
func (r *rooted) broke(name, cluster string, how breaks) func(*fake, fakeCall) error {
	broke := false
	r.acted = how.acted
	return func(f *fake, c fakeCall) error {
		if cluster != "" && c.ref.Cluster != cluster {
			return nil
		}
		switch in := c.in.(type) {
		case api.RememberRootInput:
			if ends := in.Root.Next.Done || in.Root.Next.Fingerprint == ""; broke || name != map[bool]string{false: "RememberRoot", true: "RememberRoot done"}[ends] {
				return nil
			}
		case api.CheckLinkInput:
			if name != c.name || in.Patience == 0 { // the looks before
				return nil
			}
		default:
			if name != c.name || broke && c.name == "RestartIstiod" {
				return nil
			}
		}
		broke = true
		if how.cancel {
			f.CancelWorkflow()
			return temporal.NewCanceledError()
		}
		return broken(c)
	}
}

// Each step of each phase fails or is canceled at the first and at the last member, before it has
// acted or after. The fleet stays whole (eachTrustsEach looks after every step), the same command
// goes on, and --undo goes back, until the last phase.
func TestRotateRoot_EachStepOfEachPhase_FailsOrIsCanceled_GoesOnOrBack(t *testing.T) {
	for phase := fleet.RootAlone; phase < fleet.RootReplaced; phase++ {
		there := newRooted(t).bring(phase)
		for _, step := range stepsOfAPhase {
			for _, at := range []string{"east", "west"} {
				if step == "MakeNextRoot" || step == "EndRootChange" || step == "SignIntermediate" {
					at = ""
				}
				for _, how := range []breaks{{}, {acted: true}, {cancel: true}, {cancel: true, acted: true}} {
					for _, undo := range []bool{false, true} {
						r := there.copied()
						if _, _, err := r.step(false, 0, r.broke(step, at, how)); err == nil { // this phase has no such step
							continue
						}
						r.goesOn(phase, undo, fmt.Sprintf("%d %s %s %+v undo %v", phase, step, at, how, undo))
					}
				}
			}
		}
	}
}

// goesOn requires that a phase which was broken off goes on with the same command, or back.
func (r *rooted) goesOn(phase fleet.RootPhase, undo bool, name string) {
	r.t.Helper()
	switch last := slices.ContainsFunc(slices.Collect(maps.Values(r.known)), func(k fleet.KnownRoot) bool {
		return k.Fingerprint == newRoot || k.Next.Phase == fleet.RootReplaced
	}); {
	case r.allAt(phase+1) && phase+1 < fleet.RootReplaced: // only what is tidied up afterwards failed
	case !undo:
		_, _, err := r.step(false, 24*time.Hour, nil)
		if err != nil && strings.Contains(err.Error(), "workloads may have certificates") {
			_, _, err = r.step(false, 0, nil) // no member had got anywhere
		}
		if r.place == newRoot && err != nil {
			require.ErrorContains(r.t, err, "and nothing of that is left to do: another change can begin after", name)
			err = nil
		}
		require.NoError(r.t, err, name)
		r.at(phase + 1)
	case phase == fleet.RootSigns && last:
		_, _, err := r.step(true, 0, nil)
		require.Error(r.t, err, name)
	default:
		for range phase + 2 {
			if _, _, err := r.step(true, 0, nil); err != nil {
				require.ErrorContains(r.t, err, "nothing to undo", name)
			}
		}
		r.at(fleet.RootAlone)
	}
}

// The run that ended the last phase could not remove the old root: the same command does it, and
// begins no other change.
func TestRotateRoot_TheOldKeyIsStillThere_TheSameCommandRemovesIt(t *testing.T) {
	for _, step := range []string{"EndRootChange", "RetireCACerts"} {
		r := newRooted(t).bring(fleet.RootSigns)
		_, _, err := r.step(false, 0, r.broke(step, "", breaks{}))
		require.Error(t, err)
		require.True(t, r.allAt(fleet.RootReplaced))
		require.Equal(t, oldRoot, r.place)
		f, done, err := r.step(false, 24*time.Hour, nil)
		require.NoError(t, err)
		require.Equal(t, api.RootChanged{Old: oldRoot, Next: newRoot, From: fleet.RootSigns, To: fleet.RootReplaced, OnAt: done.RootChange.OnAt}, *done.RootChange)
		require.Equal(t, newRoot, r.place)
		require.NotContains(t, f.names(nil), "MakeNextRoot")
		r.at(fleet.RootReplaced)
	}
}
