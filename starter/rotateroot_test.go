package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func TestRotate_FlagsThatDoNotFit_AreRefused(t *testing.T) {
	for want, f := range map[string]rotateFlags{
		"say what is to be renewed: --tokens, --intermediates or --root": {},
		"a root is changed in every cluster or in none":                  {root: true, cluster: "east"},
		"--undo and --workload-lifetime belong to --root":                {tokens: true, undo: true},
		"cannot be negative": {root: true, lifetime: -1},
		"a link has no intermediate; say whose is to be renewed with --cluster": {intermediates: true, link: "east.west"},
	} {
		require.ErrorContains(t, f.wrong(false), want)
	}
	require.NoError(t, (&rotateFlags{root: true}).wrong(true))
	require.Error(t, (&rotateFlags{tokens: true}).wrong(true))
}

func TestRotate_AsksForWhatItsFlagsSay(t *testing.T) {
	f := fleet.Fleet{Metadata: fleet.Metadata{Name: "prod"}}
	for want, flags := range map[string]rotateFlags{
		api.RenewsTokens: {tokens: true}, api.RenewsIntermediates: {intermediates: true}, api.RenewsRoot: {root: true}, api.RenewsRootUndo: {root: true, undo: true},
	} {
		got, err := flags.rotation(f)
		require.NoError(t, err)
		require.Equal(t, want, got.What())
	}
}

func TestPrintRootChanged_TellsWhatIsNext(t *testing.T) {
	at := time.Date(2026, 12, 1, 12, 0, 0, 0, time.Local)
	for to, want := range map[fleet.RootPhase]string{
		fleet.RootTrusted: "fleet prod: both roots are trusted, and the old one signs in all of 2 clusters, in 3s\n4 proofs of links passed\n  old root  sha256:0\n  new root  sha256:1\nnext: `landbridge rotate prod --root` after " +
			at.Format(time.RFC3339),
		fleet.RootReplaced: "the old root is removed with its key; back the new one up",
		fleet.RootAlone:    "the new root is removed with its key",
	} {
		var b bytes.Buffer
		printRootChanged(&b, api.FleetResult{Fleet: "prod", Clusters: make([]api.ClusterDone, 2), Proven: 4, RootChange: &api.RootChanged{Old: "sha256:0", Next: "sha256:1", To: to, OnAt: at}}, 3*time.Second)
		require.Contains(t, b.String(), want)
	}
}

// While two roots are trusted, the one that signs is shown, and how far each cluster is.
func TestPrintCA_WhileTheRootIsChanged_TellsHowFarEachClusterIs(t *testing.T) {
	is := func(phase fleet.RootPhase, done bool) api.ClusterCA {
		return api.ClusterCA{Name: "east", CheckIntermediateResult: api.CheckIntermediateResult{Root: "sha256:0", Known: fleet.KnownRoot{Fingerprint: "sha256:0", Next: fleet.NextRoot{Fingerprint: "sha256:1", Phase: phase, Done: done}}}}
	}
	for want, c := range map[string]api.ClusterCA{
		"cluster east: the root is being changed to sha256:1: both roots are trusted, and the old one signs\n":                is(fleet.RootTrusted, true),
		"cluster east: the root is being changed to sha256:1: both roots are trusted, and the new one signs (not finished)\n": is(fleet.RootSigns, false),
	} {
		var b bytes.Buffer
		printCA(&b, api.CAResult{Clusters: []api.ClusterCA{c}})
		require.Contains(t, b.String(), want)
	}
	var b bytes.Buffer
	printCA(&b, api.CAResult{Clusters: []api.ClusterCA{is(fleet.RootSigns, true)}})
	require.Regexp(t, `(?m)^east .*sha256:1`, b.String())
}
