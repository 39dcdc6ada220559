package activities

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// each tells a story of every pair.
func each(t *testing.T, story func(t *testing.T, p pair, w *world)) {
	t.Helper()
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			story(t, p, p.world(t))
		})
	}
}

// actions returns what was done with which object.
func actions(changes []fleet.Change) (out []string) {
	for _, c := range changes {
		out = append(out, string(c.Action)+" "+c.Kind+" "+c.Namespace+"/"+c.Name)
	}
	return out
}

func requireAll(t *testing.T, changes []fleet.Change, want ...fleet.Action) {
	t.Helper()
	require.NotEmpty(t, changes)
	for _, c := range changes {
		require.Contains(t, want, c.Action, "%s %s/%s: %s", c.Kind, c.Namespace, c.Name, c.Note)
	}
}

func TestPairs_Fresh_MakesObjectsThatSayWhoseTheyAre(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		in := p.input(w, p.link())
		before := w.snapshot()
		changes, err := w.call("Ensure"+p.name, in)
		require.NoError(t, err)
		requireAll(t, changes, fleet.Create)
		made := added(before, w.snapshot())
		require.NotEmpty(t, made)
		for _, obj := range made {
			labels := obj.GetLabels()
			require.Equal(t, "prod", labels[fleet.LabelFleet], nameOf(obj))
			require.NotEmpty(t, labels[fleet.LabelComponent], nameOf(obj))
			if len(p.links) > 0 {
				require.Equal(t, p.link().ID(), labels[fleet.LabelLink], nameOf(obj))
			}
			if !isHelm(obj) {
				require.Equal(t, fleet.ManagedBy, labels[fleet.LabelManagedBy], nameOf(obj))
				require.Equal(t, firstRun, obj.GetAnnotations()[fleet.AnnotationRun], nameOf(obj))
			}
		}
	})
}

func TestPairs_Repeated_WriteNothing(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		in := p.input(w, p.link())
		_, err := w.call("Ensure"+p.name, in)
		require.NoError(t, err)
		writes, after := len(w.Writes()), w.snapshot()
		changes, err := w.by("run-2").repeat(p, in)
		require.NoError(t, err)
		require.NotContains(t, fmt.Sprint(w.Writes()[writes:]), "patch", "no more than the lock is written")
		require.Equal(t, after, w.snapshot())
		if p.name == "CACerts" { // its key was used up, so that it looks like the end of a try
			requireAll(t, changes, fleet.Update)
			return
		}
		requireAll(t, changes, fleet.Keep)
	})
}

// A try that nobody heard of made the objects: the next try must say that this run did,
// or the workflow drops the undo.
func TestPairs_SecondTryOfARun_SaysAgainWhatTheRunMade(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		in := p.input(w, p.link())
		first, err := w.call("Ensure"+p.name, in)
		require.NoError(t, err)
		second, err := w.call("Ensure"+p.name, in)
		require.NoError(t, err)
		if p.name == "Root" { // it makes its place only where there is no root
			first = slices.DeleteFunc(first, func(c fleet.Change) bool { return c.Kind == "Namespace" })
		}
		require.Subset(t, actions(second), actions(first))
		require.True(t, fleet.Changes{Changes: second}.Created())
	})
}

// The same for what existed before: what this run adopted, its undo gives back.
func TestPairs_SecondTryOfARun_SaysAgainWhatTheRunAdopted(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		if p.existing != adopted {
			t.Skip("it adopts nothing")
		}
		in := p.input(w, p.link())
		for _, obj := range p.made(t) {
			somebodyElses(obj)
			w.Put(obj)
		}
		before := w.snapshot()
		for range 2 {
			changes, err := w.call("Ensure"+p.name, in)
			require.NoError(t, err)
			require.True(t, fleet.Changes{Changes: changes}.Created(), "%v", actions(changes))
		}
		_, err := p.remove(w, firstRun)
		require.NoError(t, err)
		require.Equal(t, before, w.snapshot())
	})
}

func TestPairs_DryRun_WritesNothingAndSaysTheSame(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		real := p.world(t)
		did, err := p.ensure(real)
		require.NoError(t, err)

		w.ref.DryRun = true
		writes := len(w.Writes())
		would, err := p.ensure(w)
		require.NoError(t, err)
		require.ElementsMatch(t, actions(did), actions(would))
		again, err := p.ensure(w)
		require.NoError(t, err)
		require.Equal(t, would, again, "a plan that is kept is compared, field by field")
		removed, err := p.remove(w, "")
		require.NoError(t, err)
		require.Empty(t, removed, "there is nothing yet")
		require.Empty(t, w.Writes()[writes:])

		real.ref.DryRun = true
		writes = len(real.Writes())
		removed, err = p.remove(real, "")
		require.NoError(t, err)
		requireAll(t, removed, fleet.Remove)
		require.Len(t, removed, len(did))
		require.Empty(t, real.Writes()[writes:])
	})
}

// somebodyElses removes what says that an object is Landbridge's. A person's namespace lacks the
// label of the network, too.
func somebodyElses(obj *unstructured.Unstructured) {
	labels, annotations := obj.GetLabels(), obj.GetAnnotations()
	for _, l := range []string{fleet.LabelFleet, fleet.LabelLink, fleet.LabelComponent} {
		delete(labels, l)
	}
	if obj.GetKind() == kinds.Namespaces.Kind {
		delete(labels, fleet.LabelNetwork)
	}
	for _, a := range []string{fleet.AnnotationRun, fleet.AnnotationApplied} {
		delete(annotations, a)
	}
	obj.SetLabels(labels)
	obj.SetAnnotations(annotations)
}

// made returns the objects that a pair's step makes, in a world of its own.
func (p pair) made(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	w := p.world(t)
	in := p.input(w, p.link())
	before := w.snapshot()
	_, err := w.call("Ensure"+p.name, in)
	require.NoError(t, err)
	return added(before, w.snapshot())
}

func TestPairs_ExistsAndIsNotOurs_StaysAsItWas(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		in := p.input(w, p.link())
		for _, obj := range p.made(t) {
			somebodyElses(obj)
			w.Put(obj)
		}
		before, writes := w.snapshot(), len(w.Writes())
		changes, err := w.call("Ensure"+p.name, in)
		switch p.existing {
		case refused:
			var notOurs *kube.NotOursError
			require.ErrorAs(t, err, &notOurs)
			require.ErrorContains(t, err, "was not made by Landbridge")
		case kept:
			require.NoError(t, err)
			requireAll(t, changes, fleet.Keep)
			require.Empty(t, w.Writes()[writes:])
		case adopted:
			require.NoError(t, err)
			requireAll(t, changes, fleet.Keep, fleet.Adopt)
			require.NotEqual(t, before, w.snapshot())
		}
		_, err = p.remove(w, "")
		require.NoError(t, err)
		require.Equal(t, before, w.snapshot(), "cleanup leaves it as it was")
	})
}

func TestPairs_OfAnotherFleet_IsRefusedByItsName(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		in := p.input(w, p.link())
		for _, obj := range p.made(t) {
			labels := obj.GetLabels()
			labels[fleet.LabelFleet] = "other"
			obj.SetLabels(labels)
			if obj.GetName() == fleet.InventoryName {
				require.NoError(t, unstructured.SetNestedField(obj.Object, `{"metadata":{"name":"other"}}`, "data", "fleet.json"))
			}
			w.Put(obj)
		}
		before := w.snapshot()
		_, err := w.call("Ensure"+p.name, in)
		require.ErrorContains(t, err, "belongs to the fleet other")
		_, _ = p.remove(w, "")
		require.Equal(t, before, w.snapshot(), "nothing of another fleet is touched")
	})
}

func TestPairs_Undo_RemovesWhatItsOwnRunMade(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		in := p.input(w, p.link())
		before := w.snapshot()
		did, err := w.call("Ensure"+p.name, in)
		require.NoError(t, err)
		after := w.snapshot()

		changes, err := p.remove(w.by("run-2"), "run-2")
		require.NoError(t, err)
		require.Empty(t, changes, "another run made it")
		require.Equal(t, after, w.snapshot())

		changes, err = p.remove(w.by(firstRun), firstRun)
		require.NoError(t, err)
		requireAll(t, changes, fleet.Remove)
		require.Len(t, changes, len(did))
		for name := range before { // what the step used up does not come back
			if after[name] == nil {
				delete(before, name)
			}
		}
		require.Equal(t, before, w.snapshot())

		writes := len(w.Writes())
		changes, err = p.remove(w, firstRun)
		require.NoError(t, err)
		require.Empty(t, changes, "a second undo has nothing to do")
		require.Empty(t, w.Writes()[writes:])
	})
}

func TestPairs_RemoveOfNothing_IsDone(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		writes := len(w.Writes())
		changes, err := p.remove(w, "")
		require.NoError(t, err)
		require.Empty(t, changes)
		require.Empty(t, w.Writes()[writes:])
	})
}

func TestPairs_RemovalOfOneLink_LeavesAnothers(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		if len(p.links) == 0 {
			t.Skip("it belongs to no link")
		}
		other := p.input(w, p.links[1])
		_, err := w.call("Ensure"+p.name, other)
		require.NoError(t, err)
		in := p.input(w, p.link())
		before := w.snapshot()
		_, err = w.call("Ensure"+p.name, in)
		require.NoError(t, err)
		_, err = p.remove(w, "")
		require.NoError(t, err)
		require.Equal(t, before, w.snapshot())
	})
}

func TestPairs_TheInventoryIsGone_NothingIsWrittenBehindTheCleanup(t *testing.T) {
	each(t, func(t *testing.T, p pair, w *world) {
		if p.withoutInventory {
			t.Skip("it needs none")
		}
		in := p.input(w, p.link())
		require.NoError(t, w.Client.CoreV1().ConfigMaps(fleet.SystemNamespace).Delete(t.Context(), fleet.InventoryName, metav1.DeleteOptions{}))
		before := w.snapshot()
		_, err := w.call("Ensure"+p.name, in)
		var gone *inventory.GoneError
		require.ErrorAs(t, err, &gone)
		require.Equal(t, before, w.snapshot())
	})
}
