package activities

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// What a person made by the guide becomes the fleet's where the fleet file wants that, of
// the steps that the guide has names for, and an undo or a cleanup gives it back. What Helm
// keeps of a release has other revisions then.
func TestPairs_MadeByHand_IsAdoptedAndGivenBack(t *testing.T) {
	guides := []string{"EastWestGateway", "Exposure", "EgressGateway", "EgressConfig", "RemoteSecret"}
	each(t, func(t *testing.T, p pair, w *world) {
		w.ref.Adopt = true
		in := p.input(w, p.link())
		for _, obj := range p.made(t) {
			if !isHelm(obj) || obj.GetKind() == kinds.Secrets.Kind { // a release's objects are as its manifest says
				somebodyElses(obj)
				labels := obj.GetLabels()
				maps.DeleteFunc(labels, func(k, _ string) bool { return strings.HasPrefix(k, "landbridge-") })
				obj.SetLabels(labels)
			}
			w.Put(obj)
		}
		before := w.withoutReleases()
		if !slices.Contains(guides, p.name) {
			if p.existing == refused {
				_, err := w.call("Ensure"+p.name, in)
				require.ErrorContains(t, err, "was not made by Landbridge")
			}
			return
		}
		for _, onlyRun := range []string{firstRun, ""} {
			changes, err := w.call("Ensure"+p.name, in)
			require.NoError(t, err)
			require.Contains(t, actions(changes)[0]+actions(changes)[len(changes)-1], string(fleet.Adopt))
			require.NotEqual(t, before, w.withoutReleases())
			_, err = p.remove(w, onlyRun)
			require.NoError(t, err)
			require.Equal(t, before, w.withoutReleases())
		}
	})
}

// withoutReleases returns a snapshot without what Helm keeps.
func (w *world) withoutReleases() map[string]map[string]any {
	out := w.snapshot()
	maps.DeleteFunc(out, func(name string, _ map[string]any) bool { return strings.Contains(name, "/sh.helm.release.") })
	return out
}
