package chart

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"istio.io/istio/manifests"

	"github.com/landbridge/landbridge/internal/fleet"
)

func TestLoad_EmbeddedAndDirectory_AreTheSameChart(t *testing.T) {
	embeddedChart, err := Load(fleet.Chart{}, "", "v1.31.0")
	require.NoError(t, err)
	require.Equal(t, "gateway", embeddedChart.Name())
	require.Equal(t, "1.31.0", embeddedChart.Metadata.Version, "the chart is shown with Istio's version")

	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "istio"), manifests.FS))
	fromDir, err := Load(fleet.Chart{Directory: "istio/" + embedded}, dir, "v1.31.0")
	require.NoError(t, err)
	require.Equal(t, embeddedChart.Digest, fromDir.Digest)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "istio", embedded, "values.yaml"), []byte("{}\n"), 0o600))
	changedChart, err := Load(fleet.Chart{Directory: "istio/" + embedded}, dir, "v1.31.0")
	require.NoError(t, err)
	require.NotEqual(t, embeddedChart.Digest, changedChart.Digest)
}

func TestLoad_WhatCannotBeHad_SaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		src  fleet.Chart
		dir  string
		want string
	}{
		"no directory given to the worker": {fleet.Chart{Directory: "x"}, "", "without --chart-dir"},
		"nothing there":                    {fleet.Chart{Directory: "x"}, t.TempDir(), "load the gateway chart"},
		"above the worker's directory":     {fleet.Chart{Directory: "../x"}, t.TempDir(), "load the gateway chart"},
		"nobody answers":                   {fleet.Chart{OCI: "oci://127.0.0.1:1/gateway@sha256:0000000000000000000000000000000000000000000000000000000000000000"}, "", "load the gateway chart"},
	} {
		_, err := Load(c.src, c.dir, "v1.31.0")
		var bad *SourceError
		require.ErrorAs(t, err, &bad, name)
		require.ErrorContains(t, err, c.want, name)
	}
}
