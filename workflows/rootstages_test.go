package workflows

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Whose key is not here cannot vouch for another root; and who would be left behind is named.
func TestRotateRoot_WhereTheRootIsNotTheFleets_IsRefusedBeforeAnythingIsChanged(t *testing.T) {
	existing := func(r *rooted) { r.Spec.CA = fleet.CA{Manage: new(bool)} }
	issuer := func(r *rooted) {
		r.Spec.CA = fleet.CA{Issuer: fleet.Issuer{CFSSL: fleet.CFSSL{URL: "https://cfssl.example.com"}}}
	}
	certManager := func(r *rooted) {
		r.Spec.CA = fleet.CA{Issuer: fleet.Issuer{CertManager: fleet.CertManager{Cluster: "east", Name: "fleet-ca"}, Root: testRoot(t)}}
	}
	for want, c := range map[string]struct {
		is func(*rooted)
		on func(fakeCall, any)
	}{
		"whoever made these CAs has every cluster trust the next root beside the old one": {is: existing},
		"is its issuer's (spec.ca.issuer): Landbridge has no key of it":                   {is: issuer},
		"clean it up, then roll it out with that one; nothing was changed":                {is: certManager},
		"cluster west: its istiod has a CA that is not Landbridge's": {on: func(c fakeCall, result any) {
			if out, ok := result.(*api.CheckClusterResult); ok && c.ref.Cluster == "west" {
				out.CA = &api.ForeignCA{CACerts: true}
			}
		}},
		"cluster north: it does not remember the fleet: roll the fleet out first": {on: func(c fakeCall, result any) {
			if out, ok := result.(*api.CheckClusterResult); ok && c.ref.Cluster == "north" {
				out.Memory = fleet.Memory{}
			}
		}},
	} {
		r := newRooted(t)
		if c.is != nil {
			c.is(r)
		}
		f, in := newFake(t), byName("east")
		f.answer = func(call fakeCall, result any) {
			r.answers(call, result)
			if c.on != nil {
				c.on(call, result)
			}
		}
		in.Rotate = &api.Rotation{Root: &api.RootRotation{}}
		require.ErrorContains(t, f.run(RotateFleet, in), want)
		require.Empty(t, f.names(ensures), want)
		require.NotContains(t, f.names(nil), "MakeNextRoot", want)
		require.NotContains(t, strings.Join(f.names(nil), " "), "RememberRoot", want)
	}
}

func TestRotateRoot_AClusterThatDoesNotAnswer_OrIsNew_HoldsItUp(t *testing.T) {
	r := newRooted(t)
	_, _, err := r.step(false, 0, func(_ *fake, c fakeCall) error {
		if c.name == "CheckCluster" && c.ref.Cluster == "north" {
			return withType(fmt.Errorf("no"), api.TypeUnreachable)
		}
		return nil
	})
	require.ErrorContains(t, err, "cluster north: it does not answer, and a root is changed in every cluster or in none")
	r.at(fleet.RootAlone)
}

func TestMoveAndExportRoot_WhileItIsChanged_AreRefused(t *testing.T) {
	r := newRooted(t).bring(fleet.RootTrusted)
	for _, work := range []any{MoveRoot, ImportRoot, ExportRoot} {
		f := newFake(t)
		f.answer = r.answers
		require.ErrorContains(t, f.run(work, api.FleetInput{Fleet: r.Fleet}), "the root is being changed (cluster east: both roots are trusted, and the old one signs): finish that first, or go back")
		require.NotContains(t, f.names(nil), "SealRoot")
		require.NotContains(t, f.names(nil), "ReceiveRoot")
	}
}

// Tokens end: they are renewed however far the clusters are.
func TestRotateTokens_WhileTheClustersAreNotEquallyFar_AreRenewed(t *testing.T) {
	for phase := fleet.RootAlone; phase < fleet.RootReplaced; phase++ {
		r := newRooted(t).bring(phase)
		_, _, err := r.step(false, 0, r.broke("WaitIntermediate", "north", breaks{}))
		require.Error(t, err)
		f, in := newFake(t), byName("east")
		r.lives(f, nil)
		in.Rotate = &api.Rotation{}
		require.NoError(t, f.run(RotateFleet, in))
		require.Contains(t, strings.Join(f.names(nil), " "), "EnsureReaderToken")
		require.NotContains(t, strings.Join(f.names(nil), " "), "EnsureCACerts")
	}
}

// In the middle of a change a rollout gives clusters what belongs to the phase, and never the
// roots of before; while the clusters are not equally far, it changes nothing.
func TestRollout_WhileTheRootIsChanged_KeepsBothRoots(t *testing.T) {
	for phase := fleet.RootTrusted; phase <= fleet.RootSigns; phase++ {
		r := newRooted(t).bring(phase)
		was := maps.Clone(r.known)
		f := newFake(t)
		r.lives(f, nil)
		require.NoError(t, f.run(RolloutFleet, api.FleetInput{Fleet: r.Fleet}))
		r.at(phase)
		require.Equal(t, was, r.known, "since when it is so")
	}
}

func TestRolloutAndPlan_WhileTheClustersAreNotEquallyFar_SayWhatToDo(t *testing.T) {
	for phase := fleet.RootAlone; phase < fleet.RootReplaced; phase++ {
		r := newRooted(t).bring(phase)
		_, _, err := r.step(false, 0, r.broke("WaitIntermediate", "north", breaks{}))
		require.Error(t, err)
		for _, work := range []any{RolloutFleet, PlanFleet} {
			f := newFake(t)
			r.lives(f, nil)
			err := f.run(work, api.FleetInput{Fleet: r.Fleet})
			require.ErrorContains(t, err, "the root is being changed to "+newRoot+", and the clusters are not equally far: `landbridge rotate test --root` goes on, `landbridge rotate test --root --undo` goes back")
			require.Empty(t, f.names(ensures))
		}
	}
}
