package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// remember returns what the clusters of a fleet remember after a rollout of it.
func remember(f *Fleet, left Stale, generation int64) (out []Remembered) {
	for _, c := range f.Spec.Clusters {
		out = append(out, Remembered{f.Part(c.Name, left), Memory{Member: Identity{Name: c.Name}, Left: left.Near(c.Name),
			Applied: Applied{Generation: generation, Digest: "sha256:0"}}})
	}
	return out
}

func parts(all []Remembered) (out []Fleet) {
	for _, r := range all {
		out = append(out, r.Part)
	}
	return out
}

// What the clusters remember together is the fleet that was rolled out last, without what
// had left the file by then; and they all agree on it.
func TestAssemble_AfterARollout_IsThatFleet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, now := drawFleet(t, "old"), drawFleet(t, "now")
		now.Spec.Istio.Namespace = "now"
		left := now.Stale(parts(remember(old, Stale{}, 1)))
		f, last, differ := Assemble(remember(now, left, 2))
		require.Equal(t, int64(2), last.Generation)
		require.Empty(t, differ)
		require.Equal(t, ids(now.Links()), ids(f.Links()))
		require.Len(t, f.Spec.Clusters, len(now.Spec.Clusters))
		for _, c := range now.Spec.Clusters {
			have, _ := f.Cluster(c.Name)
			require.Equal(t, c, have)
		}
		for _, c := range now.Spec.Clusters { // a repeat writes nothing
			require.True(t, same(now.Part(c.Name, left), f.Part(c.Name, left)), c.Name)
		}
		require.NoError(t, f.Validate())
	})
}

// The clusters that the newest rollout did not reach differ from it.
func TestAssemble_RolloutReachedSome_TheNewestDecidesAndTheOthersDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, now := drawFleet(t, "old"), drawFleet(t, "now")
		now.Spec.Istio.Namespace = "now"
		reached := remember(now, Stale{}, 2)
		n := rapid.IntRange(1, len(reached)).Draw(t, "reached")
		all, behind := reached[:n:n], []string{}
		for _, r := range remember(old, Stale{}, 1) {
			name := r.Memory.Member.Name
			if !containsName(reached[:n], name) {
				all, behind = append(all, r), append(behind, name)
			}
		}
		f, last, differ := Assemble(all)
		require.Equal(t, int64(2), last.Generation)
		require.Equal(t, "now", f.Spec.Istio.Namespace)
		require.ElementsMatch(t, behind, differ)
		for _, l := range f.Links() {
			if containsName(reached[:n], l.From) || containsName(reached[:n], l.To) {
				require.Contains(t, now.Links(), l)
			}
		}
	})
}

func containsName(all []Remembered, name string) bool {
	for _, r := range all {
		if r.Memory.Member.Name == name {
			return true
		}
	}
	return false
}

// Somebody who can write into one cluster cannot have a self-heal write into the others:
// the members do not agree any more.
func TestAssemble_SomebodyChangedAnInventory_IsSeen(t *testing.T) {
	f := parse(t, small)
	for what, change := range map[string]func(*Remembered){
		"settings":         func(r *Remembered) { r.Part.Spec.Istio.Values = map[string]any{"a": "b"} },
		"another cluster":  func(r *Remembered) { r.Part.Spec.Clusters[0].Kubeconfig.Path = "elsewhere" },
		"a link less":      func(r *Remembered) { r.Part.Spec.Links.List = r.Part.Spec.Links.List[1:] },
		"a new generation": func(r *Remembered) { r.Memory.Applied.Generation = 9 },
		"another digest":   func(r *Remembered) { r.Memory.Applied.Digest = "sha256:9" },
	} {
		for i := range f.Spec.Clusters {
			all := remember(f, Stale{}, 2)
			change(&all[i])
			_, _, differ := Assemble(all)
			require.NotEmpty(t, differ, what)
		}
	}
}

func TestApplied_Next_OnlyAnotherFileIsAnotherGeneration(t *testing.T) {
	f := parse(t, small)
	first := Applied{}.Next(f, noon, Request{RequestedBy: "anna"})
	require.Equal(t, int64(1), first.Generation)
	require.Regexp(t, `^sha256:[0-9a-f]{16}$`, first.Digest)
	require.Equal(t, first, first.Next(f, noon.AddDate(0, 0, 1), Request{RequestedBy: "ben"}))
	f.Spec.Protected = true
	second := first.Next(f, noon, Request{})
	require.Equal(t, int64(2), second.Generation)
	require.Equal(t, second, Newest([]Memory{{Applied: first}, {Applied: second}, {}}))
}
