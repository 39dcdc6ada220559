package chart

import (
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"

	"github.com/landbridge/landbridge/internal/fleet"
)

func TestSplit_EachObjectByKindAndName(t *testing.T) {
	got, err := split("---\n# Source: a.yaml\nkind: Service\nmetadata: {name: a}\n---\nkind: Service\nmetadata: {name: b}\n---\n# only a comment\n---\n")
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Contains(t, got[key{"Service", "a"}], "metadata: {name: a}")
	require.Contains(t, got, key{"Service", "b"})
	_, err = split("kind: [")
	require.ErrorContains(t, err, "read the release's manifest: ")
}

func TestCompare_OfBeforeAndAfter(t *testing.T) {
	a := map[key]string{{"Service", "a"}: "x", {"Service", "b"}: "x", {"Service", "c"}: "x"}
	b := map[key]string{{"Service", "a"}: "x", {"Service", "b"}: "y", {"Service", "d"}: "x"}
	for name, want := range map[string]fleet.Action{"a": fleet.Keep, "b": fleet.Update, "c": fleet.Remove, "d": fleet.Create} {
		require.Equal(t, want, compare(a, b, key{"Service", name}), name)
	}
}

func TestChanged_NamesTheFirstThing(t *testing.T) {
	is := func(change func(*release.Release)) *release.Release {
		r := &release.Release{Info: &release.Info{Status: release.StatusDeployed}, Labels: map[string]string{labelChart: "digest"},
			Chart: &chart.Chart{Metadata: &chart.Metadata{Version: "1.31.0"}}, Config: map[string]any{"labels": map[string]any{"a": "b"}, "port": float64(443)}}
		change(r)
		return r
	}
	want := &Chart{&chart.Chart{Metadata: &chart.Metadata{Version: "1.31.0"}}, "digest"}
	for why, r := range map[string]*release.Release{
		"":                               is(func(*release.Release) {}),
		"its last change did not finish": is(func(r *release.Release) { r.Info.Status = release.StatusPendingUpgrade }),
		"version":                        is(func(r *release.Release) { r.Chart.Metadata.Version = "1.30.0" }),
		"chart":                          is(func(r *release.Release) { r.Labels = nil }),
		"labels.a":                       is(func(r *release.Release) { r.Config["labels"] = map[string]any{"a": "c"} }),
		"extra":                          is(func(r *release.Release) { r.Config["extra"] = true }),
	} {
		require.Equal(t, why, changed(r, want, map[string]any{"labels": map[string]any{"a": "b"}, "port": 443}, nil))
	}
	require.Equal(t, "Service a is missing", changed(is(func(*release.Release) {}), want, nil, []string{"Service a"}))
	require.Equal(t, "Service a and Deployment b are missing", changed(is(func(*release.Release) {}), want, nil, []string{"Service a", "Deployment b"}))
}
