package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReconcile_WhatCannotBe_IsSaid(t *testing.T) {
	for written, want := range map[string]string{
		"{prune: true}":                      "",
		"{checkEvery: 1h, selfHeal: true}":   "",
		"{checkEvery: 1m}":                   "",
		"{checkEvery: 59s}":                  "spec.reconcile.checkEvery: want at least 1m0s, got 59s",
		"{selfHeal: true}":                   "spec.reconcile.selfHeal: only a check repairs; set spec.reconcile.checkEvery, or leave it out",
		"{checkEvery: -1h}":                  "spec.reconcile.checkEvery: want at least 1m0s, got -1h0m0s",
		"{checkEvery: soon, selfHeal: true}": "spec.reconcile.checkEvery: want a duration such as",
		"{suspended: true}":                  "spec.reconcile.suspended: unknown field",
	} {
		_, err := Parse("f", []byte("apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\nspec:\n  reconcile: "+written+
			"\n  clusters:\n  - {name: east, network: east, kubeconfig: {path: east}}\n"))
		if want == "" {
			require.NoError(t, err, written)
			continue
		}
		require.ErrorContains(t, err, want, written)
	}
}
