package workflows

import (
	"cmp"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rooted is a fleet of three whose members remember how far they are in a change of the root,
// and whose cacerts have the last that was written.
type rooted struct {
	*lived
	t      *testing.T
	known  map[string]fleet.KnownRoot
	trust  map[string]string
	signer map[string]string
	before map[string][2]string
	// place is the root in the place that keeps the root, and ended the one that stayed when the
	// change was over.
	place, ended string
	// acted says that a step which breaks has acted.
	acted bool
}

const oldRoot, newRoot = "sha256:0", "sha256:1"

// vouches stands for the cross-certificate, by which the old root vouches for the new one.
const vouches = "the new one, signed by the old one"

// pems are the certificates of the two roots.
var pems = map[string]string{oldRoot: "old\n", newRoot: "new\n"}

func newRooted(t *testing.T) *rooted {
	r := &rooted{lived: newLived(), t: t, known: map[string]fleet.KnownRoot{}, trust: map[string]string{}, signer: map[string]string{}, before: map[string][2]string{}, place: oldRoot}
	r.Spec.Rollout.SkipProof = false
	for _, c := range r.Spec.Clusters {
		r.known[c.Name] = fleet.KnownRoot{Fingerprint: oldRoot}
		r.trust[c.Name], r.signer[c.Name] = pems[oldRoot], pems[oldRoot]
	}
	return r
}

// answers has the clusters and the root's place act as they do.
func (r *rooted) answers(c fakeCall, result any) {
	r.lived.answers(c, result)
	renewing(c, result)
	signing(c, result)
	switch out := result.(type) {
	case *api.CheckClusterResult:
		out.Memory.Root = r.known[c.ref.Cluster]
	case *api.CheckInventoryResult:
		out.Memory.Root = r.known[c.ref.Cluster]
	case *api.CheckIntermediateResult:
		out.Known = r.known[c.ref.Cluster]
	case *api.CheckRootResult:
		out.Facts.Fingerprint = r.place
	case *api.MakeNextRootResult:
		*out = api.MakeNextRootResult{OldPEM: pems[oldRoot], NextRoot: api.NextRoot{NextPEM: pems[newRoot], CrossPEM: vouches}, TrustPEM: pems[oldRoot] + pems[newRoot], Old: oldRoot, Next: newRoot}
	case *api.EnsureRootResult:
		in := c.in.(api.EnsureRootInput)
		known := oldRoot
		if len(in.Known) == 1 {
			known = in.Known[0].Fingerprint
		}
		out.CertPEM, out.Facts.Fingerprint = pems[known], known
		if in.Next.Phase.Both() {
			out.TrustPEM = pems[oldRoot] + pems[newRoot]
		}
		if in.Next.Phase.NextSigns() {
			out.CertPEM = pems[newRoot]
		}
	case *api.SignIntermediateResult:
		out.CertPEM = cmp.Or(c.in.(api.SignIntermediateInput).RootPEM, pems[oldRoot])
	}
}

// lives has the fleet answer a run of a workflow, and notes what each step wrote, unless it broke
// before it acted.
func (r *rooted) lives(f *fake, on func(*fake, fakeCall) error) {
	f.answer = func(c fakeCall, result any) {
		r.answers(c, result)
	}
	f.on = func(c fakeCall) (err error) {
		if on != nil {
			err = on(f, c)
		}
		if err == nil || r.acted {
			r.does(c)
			r.eachTrustsEach(c)
		}
		return err
	}
}

// does notes what an activity wrote.
func (r *rooted) does(c fakeCall) {
	name := c.ref.Cluster
	switch in := c.in.(type) {
	case api.RememberRootInput:
		r.follows(r.known[name], in)
		r.known[name] = in.Root
	case api.EnsureIntermediateKeyInput:
		r.fits(name, in.RootPEM, in.TrustPEM)
	case api.EnsureInventoryInput:
		if !in.DryRun {
			r.known[name] = in.Memory.Root
		}
	case api.EnsureCACertsInput:
		if in.DryRun || in.Current {
			return
		}
		r.fits(name, in.RootPEM, in.TrustPEM)
		require.Equal(r.t, in.RootPEM, in.CertPEM, "the one that signs now has signed it")
		r.before[name] = [2]string{r.trust[name], r.signer[name]}
		r.trust[name], r.signer[name] = in.RootPEM, in.RootPEM
		if in.TrustPEM != "" {
			r.trust[name] = in.TrustPEM
		}
	case api.PutBackCACertsInput:
		if was, ok := r.before[name]; ok {
			r.trust[name], r.signer[name] = was[0], was[1]
		}
	case api.EndRootChangeInput:
		r.ended, r.place = in.Stays, in.Stays
	}
}

// follows requires what a cluster accepts of its inventory: a next root only with its proof, one
// phase at a time, and no way back from the last one.
func (r *rooted) follows(was fleet.KnownRoot, in api.RememberRootInput) {
	if was.Next.Fingerprint == "" && in.Root.Next.Fingerprint != "" {
		require.Equal(r.t, api.NextRoot{NextPEM: pems[newRoot], CrossPEM: vouches}, in.NextRoot)
	}
	if in.Root.Fingerprint != was.Fingerprint {
		require.Equal(r.t, fleet.RootReplaced, was.Next.Phase)
		require.Equal(r.t, fleet.KnownRoot{Fingerprint: was.Next.Fingerprint, Changed: in.Root.Changed}, in.Root)
		require.NotZero(r.t, in.Root.Changed)
		return
	}
	require.LessOrEqual(r.t, max(was.Stage(), in.Root.Stage())-min(was.Stage(), in.Root.Stage()), fleet.RootPhase(1))
}

// fits requires the roots that belong to what a cluster remembers: it refuses others.
func (r *rooted) fits(name, signer, trust string) {
	known := r.known[name]
	want := ""
	for _, root := range known.Trusted() {
		want += pems[root]
	}
	require.Equal(r.t, pems[known.Signer()], signer, name)
	require.Equal(r.t, want, cmp.Or(trust, signer), name)
}

// eachTrustsEach requires what a change of the root rests upon, after every single step.
func (r *rooted) eachTrustsEach(c fakeCall) {
	for a, signer := range r.signer {
		for b, trust := range r.trust {
			require.Contains(r.t, trust, signer, "after %s, %s does not trust %s", c, b, a)
		}
	}
}

// step runs one rotation of the root, which the test may break.
func (r *rooted) step(undo bool, lifetime time.Duration, on func(*fake, fakeCall) error) (*fake, api.FleetResult, error) {
	r.t.Helper()
	f, in := newFake(r.t), byName("east")
	r.lives(f, on)
	in.Rotate = &api.Rotation{Root: &api.RootRotation{Undo: undo, WorkloadLifetime: lifetime}}
	err := f.run(RotateFleet, in)
	var out api.FleetResult
	if err == nil {
		require.NoError(r.t, f.GetWorkflowResult(&out))
	}
	return f, out, err
}

// at requires that every member is in a phase, and has what belongs to it.
func (r *rooted) at(phase fleet.RootPhase) {
	r.t.Helper()
	trust, signer, known := pems[oldRoot], pems[oldRoot], oldRoot
	if phase.Both() {
		trust += pems[newRoot]
	}
	if phase.NextSigns() {
		signer = pems[newRoot]
	}
	if phase == fleet.RootReplaced {
		trust, known = pems[newRoot], newRoot
	}
	for name, is := range r.known {
		require.Equal(r.t, known, is.Fingerprint, name)
		require.Equal(r.t, phase.Both(), is.Next.Fingerprint != "", name)
		if phase.Both() {
			require.Equal(r.t, phase, is.Next.Phase, name)
			require.True(r.t, is.Next.Done, name)
		}
		require.Equal(r.t, trust, r.trust[name], name)
		require.Equal(r.t, signer, r.signer[name], name)
	}
}

// copied returns the same fleet, for another course of events.
func (r *rooted) copied() *rooted {
	c := newRooted(r.t)
	c.place = r.place
	c.known, c.trust, c.signer = maps.Clone(r.known), maps.Clone(r.trust), maps.Clone(r.signer)
	return c
}

// allAt says whether every member has ended a phase.
func (r *rooted) allAt(phase fleet.RootPhase) bool {
	for _, k := range r.known {
		if at := k.Next.Phase; phase == fleet.RootReplaced && k.Fingerprint != newRoot || phase != fleet.RootReplaced && (at != phase || !k.Next.Done) {
			return false
		}
	}
	return true
}

// bring brings a fleet that nobody changed to a phase.
func (r *rooted) bring(to fleet.RootPhase) *rooted {
	r.t.Helper()
	for range to {
		_, _, err := r.step(false, 0, nil)
		require.NoError(r.t, err)
	}
	r.at(to)
	return r
}
