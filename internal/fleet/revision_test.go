package fleet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRev_IsTheNameThatSailGivesTheRevision(t *testing.T) {
	no := false
	for want, i := range map[string]Istio{
		"default":         {Name: "default", Version: "v1.31.3", UpdateStrategy: UpdateInPlace},
		"default-v1-31-3": {Name: "default", Version: "v1.31.3", UpdateStrategy: UpdateRevisions},
		"mesh-v1-30-5":    {Name: "mesh", Version: "v1.30.5", UpdateStrategy: UpdateRevisions},
		"stable":          {Manage: &no, Name: "default", Version: "v1.31.3", Revision: "stable"},
	} {
		require.Equal(t, want, i.Rev())
	}
}

// The version may stand at the clusters, and the strategy at the fleet, or the other way round.
func TestRevisions_OfClustersWithSettingsOfTheirOwn(t *testing.T) {
	const head = "apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\nspec:\n"
	clusters := strings.NewReplacer("{name: east", "{name: east, network: e, kubeconfig: {path: e}", "{name: west", "{name: west, network: w, kubeconfig: {path: w}")
	for _, c := range []struct{ file, problem string }{
		{"  istio: {updateStrategy: RevisionBased}\n  clusters: [{name: east, istio: {version: v1.31.3}}, {name: west, istio: {version: v1.30.5}}]", ""},
		{"  istio: {version: v1.31.3}\n  clusters: [{name: east, istio: {updateStrategy: RevisionBased}}, {name: west}]", ""},
		{"  istio: {updateStrategy: RevisionBased}\n  clusters: [{name: east, istio: {version: v1.31.3}}, {name: west}]", "spec.istio.updateStrategy: RevisionBased needs istio.version"},
		{"  istio: {updateStrategy: RevisionBased, version: v1.31.3}\n  clusters: [{name: east, istio: {version: v1.31-latest}}, {name: west}]", "spec.clusters[0].istio.updateStrategy: RevisionBased needs a version such as"},
		{"  istio: {updateStrategy: RevisionBased}\n  clusters: [{name: east}, {name: west}]", "spec.istio.updateStrategy: RevisionBased needs istio.version"},
		{"  istio: {updateStrategy: RevisionBased, version: v1.31.3}\n  ca: {manage: false}\n  clusters: [{name: east, istio: {manage: false}}, {name: west}]", ""},
	} {
		_, err := Parse("fleet.yaml", []byte(head+clusters.Replace(c.file)+"\n"))
		if c.problem == "" {
			require.NoError(t, err, c.file)
			continue
		}
		require.ErrorContains(t, err, c.problem, c.file)
		require.Equal(t, 1, strings.Count(err.Error(), "RevisionBased needs"), "%s: said once: %v", c.file, err)
	}
}
