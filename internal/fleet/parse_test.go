package fleet

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files and the schema anew")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	require.Equal(t, string(want), got)
}

// Each testdata/bad/*.yaml has a golden file with all that is wrong with it.
func TestParse_BadFiles_AllProblemsWithLineAndColumn(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.Greater(t, len(files), 5)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			_, err = Parse("fleet.yaml", data)
			var invalid *InvalidError
			require.ErrorAs(t, err, &invalid)
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", err.Error()+"\n")
		})
	}
}

const small = `apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: prod}
spec:
  clusters:
  - {name: east, network: e, kubeconfig: {path: east.kubeconfig}}
  - {name: west, network: w, kubeconfig: {path: west.kubeconfig}}
  - {name: north, network: n, kubeconfig: {context: north}}
`

func parse(t *testing.T, text string) *Fleet {
	t.Helper()
	f, err := Parse("fleet.yaml", []byte(text))
	require.NoError(t, err)
	return f
}

func TestParse_SmallFile_GetsDefaults(t *testing.T) {
	f := parse(t, small)
	require.Equal(t, "v1.31.0", f.Spec.Istio.Version)
	require.Equal(t, "prod", f.Spec.Istio.MeshID)
	require.Equal(t, RSA4096, f.Spec.CA.KeyAlgorithm)
	require.Equal(t, "87600h0m0s", f.Spec.CA.RootLifetime.Std().String())
	require.Equal(t, DefaultTaskQueue, f.Spec.Clusters[2].TaskQueue)
	require.Equal(t, []string{"*.local"}, f.Spec.Gateways.DataPlaneHosts)
	require.Len(t, f.Links(), 6, "a mesh, where nothing is said")
}

func TestFleet_SurvivesJSON(t *testing.T) {
	for _, links := range []string{"  links: mesh\n", "  links: {hub: {cluster: east, direction: in}}\n", "  links: [{from: east, to: west}]\n"} {
		f := parse(t, small+links)
		data, err := json.Marshal(f)
		require.NoError(t, err)
		var back Fleet
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, *f, back)
		require.NoError(t, back.Validate())
	}
}

func TestLinks_EachForm_Expands(t *testing.T) {
	for text, want := range map[string]string{
		"  links: mesh\n":                                                "east.north east.west north.east north.west west.east west.north",
		"  links: {hub: {cluster: east}}\n":                              "east.north east.west north.east west.east",
		"  links: {hub: {cluster: east, direction: out}}\n":              "east.north east.west",
		"  links:\n    hub:\n      cluster: east\n      direction: in\n": "north.east west.east",
		"  links: [{from: west, to: east}, {from: east, to: west}]\n":    "east.west west.east",
		"  links: []\n": "",
	} {
		var ids []string
		for _, l := range parse(t, small+text).Links() {
			ids = append(ids, l.ID())
		}
		require.Equal(t, want, strings.Join(ids, " "), text)
	}
}

func TestPart_IsTheClusterAndItsNeighbours(t *testing.T) {
	f := parse(t, small+"  links: [{from: east, to: west}, {from: north, to: west}]\n")
	part := f.Part("east", Stale{})
	require.Equal(t, []Link{{"east", "west"}}, part.Links())
	require.Len(t, part.Spec.Clusters, 2)
	require.NoError(t, func() error { part.SetDefaults(); return part.Validate() }())
}

func TestStale_WhatClustersRememberAndTheFileDoesNotSay(t *testing.T) {
	old := parse(t, small+"  links: mesh\n")
	now := parse(t, strings.Replace(small, "  - {name: north, network: n, kubeconfig: {context: north}}\n", "", 1))
	stale := now.Stale([]Fleet{old.Part("east", Stale{}), old.Part("west", Stale{})})
	require.Equal(t, []Link{{"east", "north"}, {"north", "east"}, {"north", "west"}, {"west", "north"}}, stale.Links)
	require.Equal(t, "north", stale.Clusters[0].Name)
	require.True(t, old.Stale([]Fleet{old.Part("east", Stale{})}).Empty())
}

func TestSchema_FileIsFresh(t *testing.T) {
	got, err := generateSchema()
	require.NoError(t, err)
	golden(t, "schema.json", string(got))
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("spec: {clusters: {}, links: {hub: 1}}"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fleet, err := Parse("x", data)
		if err == nil && fleet.Validate() != nil {
			t.Fatalf("parsed, but does not validate: %v", fleet.Validate())
		}
	})
}
