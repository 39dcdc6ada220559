package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWaves_WhatNoWaveNames_ComesLast(t *testing.T) {
	for text, want := range map[string][]Wave{
		"": {{Name: "rest", Clusters: []string{"east", "west", "north"}}},
		"  rollout: {waves: [{name: canary, clusters: [west]}]}\n": {
			{Name: "canary", Clusters: []string{"west"}}, {Name: "rest", Clusters: []string{"east", "north"}}},
		"  rollout: {waves: [{clusters: [west]}, {clusters: [north, east]}]}\n": {
			{Name: "wave-1", Clusters: []string{"west"}}, {Name: "wave-2", Clusters: []string{"north", "east"}}},
	} {
		f := parse(t, small+text)
		require.Equal(t, want, f.Waves(), text)
	}
}

func TestWaves_OfAFleet_AreNotItsOwnList(t *testing.T) {
	f := parse(t, small+"  rollout: {waves: [{name: canary, clusters: [west]}]}\n")
	f.Waves()[0].Name = "other"
	require.Equal(t, "canary", f.Spec.Rollout.Waves[0].Name)
}

func TestWaves_ApprovalOfTheOnlyWave_IsRefused(t *testing.T) {
	_, err := Parse("fleet.yaml", []byte(small+"  rollout: {approval: waves}\n"))
	require.ErrorContains(t, err, "fleet.yaml:9:13: spec.rollout.approval: there is only one wave")
	parse(t, small+"  rollout: {approval: waves, waves: [{clusters: [west]}]}\n")
}
