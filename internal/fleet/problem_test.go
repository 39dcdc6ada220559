package fleet

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInvalidError_IsOneLineForEachProblemWithoutAFile(t *testing.T) {
	f := parse(t, small)
	f.Spec.Clusters[1].Name = "East"
	f.Spec.Istio.Platform = "windows"
	err := f.Validate()
	require.EqualError(t, err, `fleet: spec.istio.platform: want gke, k3d, k3s, microk8s, minikube or openshift, got "windows"
fleet: spec.clusters[1].name: "East" is not a DNS label: lower case letters, digits and -, starting and ending with a letter or digit`)
}

// However long a value is, and whatever is in it, a problem is one line that fits
// on a screen or two.
func TestInvalidError_HugeOrOddValues_StayOneShortLine(t *testing.T) {
	for _, text := range []string{
		"  istio: {version: \"" + strings.Repeat("x", 5000) + "\"}\n",
		"  istio: {" + strings.Repeat("x", 5000) + ": 1}\n",
		"  istio: {\"a\\nb\": 1}\n",
		"  rollout: {maxParallel: \"a\\nb\\tc\"}\n",
		"  rollout:\n    maxParallel: |\n      " + strings.Repeat("long ", 1000) + "\n",
		"  \"\\x1b[31m\": red\n",
	} {
		_, err := Parse("fleet.yaml", []byte(small+text))
		requirePlaces(t, []byte(small+text), err)
		require.Less(t, len(err.Error()), 1500, text)
		require.NotContains(t, err.Error(), "\x1b", text)
	}
}

// One mistake is told once: what follows from it is not.
func TestProblems_WhatFollowsFromAWrongShape_IsNotTold(t *testing.T) {
	for text, want := range map[string]string{
		"  istio: {manage: \"no\", revision: stable, values: {a: b}}\n":                             "spec.istio.manage",
		"  gateways: {eastWest: {manage: 0, service: {name: mine}}}\n":                              "spec.gateways.eastWest.manage",
		"  gateways: {dataPlanePort: \"1\", apiPort: 15443}\n":                                      "spec.gateways.dataPlanePort",
		"  ca: {rootLifetime: long, intermediateLifetime: 999999h}\n":                               "spec.ca.rootLifetime",
		"  rollout: {approval: waves, waves: canary}\n":                                             "spec.rollout.waves",
		"  rollout: {approval: waves, wave: [{clusters: [east]}]}\n":                                "spec.rollout.wave",
		"  - {name: 7, network: s, kubeconfig: {path: s}}\n  links: [{from: east, to: south}]\n":    "spec.clusters[3].name",
		"  - {nam: south, network: s, kubeconfig: {path: s}}\n  links: [{from: east, to: south}]\n": "spec.clusters[3].nam",
		"  - {name: south, network: s, kubeconf: {path: s}}\n":                                      "spec.clusters[3].kubeconf",
		"  - south\n  ca: {root: {cluster: south}}\n":                                               "spec.clusters[3]",
		"  links: {hub: east}\n":                   "spec.links.hub",
		"  links: {hub: {clusters: east}}\n":       "spec.links.hub.clusters",
		"  links: [{from: east, to: [west]}]\n":    "spec.links[0].to",
		"  links: [{from: east, towards: west}]\n": "spec.links[0].towards",
		"  links: [east]\n":                        "spec.links[0]",
		"  rollout: {waves: [{name: canary, cluster: [east]}, {name: 5, clusters: [west, 7, east]}]}\n": "spec.rollout.waves[0].cluster spec.rollout.waves[1].name spec.rollout.waves[1].clusters[1]",
	} {
		_, err := Parse("fleet.yaml", []byte(small+text))
		var invalid *InvalidError
		require.True(t, errors.As(err, &invalid), text)
		var paths []string
		for _, p := range invalid.Problems {
			paths = append(paths, p.Path)
		}
		require.Equal(t, want, strings.Join(paths, " "), "%s%v", text, err)
	}
}

func TestParent_OfAPath(t *testing.T) {
	for path, want := range map[string]string{"": "", "spec": "", "spec.istio": "spec", "spec.clusters[1]": "spec.clusters", "spec.clusters[1].name": "spec.clusters[1]"} {
		require.Equal(t, want, parent(path))
	}
}
