package fleet

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestLinks_EachForm_Expands(t *testing.T) {
	for text, want := range map[string]string{
		"  links: mesh\n":                                                "east.north east.west north.east north.west west.east west.north",
		"  links: {hub: {cluster: east}}\n":                              "east.north east.west north.east west.east",
		"  links: {hub: {cluster: east, direction: out}}\n":              "east.north east.west",
		"  links:\n    hub:\n      cluster: east\n      direction: in\n": "north.east west.east",
		"  links: [{from: west, to: east}, {from: east, to: west}]\n":    "east.west west.east",
		"  links: []\n": "",
		"  links: {groups: [{clusters: [east, north]}, {clusters: [west]}]}\n":             "east.north east.west north.east west.east",
		"  links: {groups: [{clusters: [east, north], hub: north}, {clusters: [west]}]}\n": "east.north north.east north.west west.north",
	} {
		require.Equal(t, want, strings.Join(ids(parse(t, small+text).Links()), " "), text)
	}
}

func TestSources_OfEachCluster_AreThoseOfItsLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, "fleet")
		var got []Link
		for _, to := range f.Spec.Clusters {
			for _, from := range f.Sources(to.Name) {
				got = append(got, Link{From: from.Name, To: to.Name})
			}
		}
		require.ElementsMatch(t, f.Links(), got)
	})
}

func ids(links []Link) []string {
	var out []string
	for _, l := range links {
		out = append(out, l.ID())
	}
	return out
}

func TestLink_HasANameForLabelsAndOneForPeople(t *testing.T) {
	l := Link{From: "east", To: "west"}
	require.Equal(t, "east.west", l.ID())
	require.Equal(t, "east -> west", l.String())
}

// drawFleet draws a valid fleet of up to six clusters, with links of any form.
func drawFleet(t *rapid.T, label string) *Fleet {
	all := []string{"c01", "c02", "c03", "c04", "c05", "c06"}
	names := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, len(all), rapid.ID[string]).Draw(t, label+" clusters")
	f := &Fleet{APIVersion: APIVersion, Kind: Kind, Metadata: Metadata{Name: "prod"}}
	for _, n := range names {
		f.Spec.Clusters = append(f.Spec.Clusters, Cluster{Name: n, Network: n, Kubeconfig: Kubeconfig{Path: n}})
	}
	f.Spec.Links = drawLinks(t, label, names)
	f.SetDefaults()
	if err := f.Validate(); err != nil {
		t.Fatalf("drew a fleet that is not valid: %v", err)
	}
	return f
}

func drawLinks(t *rapid.T, label string, names []string) Links {
	switch rapid.SampledFrom([]string{"mesh", "hub", "list", "groups"}).Draw(t, label+" form") {
	case "hub":
		return Links{Hub: &Hub{Cluster: rapid.SampledFrom(names).Draw(t, label+" hub"),
			Direction: rapid.SampledFrom([]string{"both", "in", "out"}).Draw(t, label+" direction")}}
	case "groups":
		n := rapid.IntRange(1, len(names)).Draw(t, label+" in the first group")
		groups := []Group{{Clusters: names[:n], Hub: rapid.SampledFrom(names[:n]).Draw(t, label+" its hub")}}
		if n < len(names) {
			groups = append(groups, Group{Clusters: names[n:]})
		}
		return Links{Groups: groups}
	case "list":
		list := []Link{}
		for _, from := range names {
			for _, to := range names {
				if from != to && rapid.Bool().Draw(t, label+" "+from+"."+to) {
					list = append(list, Link{From: from, To: to})
				}
			}
		}
		return Links{List: list}
	}
	return Links{Mesh: true}
}

func TestLinks_AnyForm_SurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, "fleet")
		data, err := json.Marshal(f)
		require.NoError(t, err)
		var back Fleet
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, *f, back)
		require.Equal(t, f.Links(), back.Links())
		require.NoError(t, back.Validate())
	})
}

// What a fleet is in JSON is also a fleet file, since YAML is more than JSON.
func TestLinks_AnyForm_SurvivesTheFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, "fleet")
		data, err := json.MarshalIndent(f, "", " ")
		require.NoError(t, err)
		back, err := Parse("fleet.yaml", data)
		require.NoError(t, err)
		require.Equal(t, f, back)
	})
}

func TestLinks_Any_AreSortedDistinctAndBetweenTwoClustersOfTheFleet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t, "fleet")
		links := f.Links()
		require.True(t, slices.IsSorted(ids(links)), links)
		require.Len(t, slices.Compact(slices.Clone(links)), len(links))
		for _, l := range links {
			require.NotEqual(t, l.From, l.To)
			for _, name := range []string{l.From, l.To} {
				_, ok := f.Cluster(name)
				require.True(t, ok, name)
			}
		}
		if n := len(f.Spec.Clusters); f.Spec.Links.Mesh {
			require.Len(t, links, n*(n-1))
		}
	})
}

func TestBySource_GroupsEveryLinkOnceInOrder(t *testing.T) {
	require.Empty(t, BySource(nil))
	rapid.Check(t, func(t *rapid.T) {
		links := drawFleet(t, "fleet").Links()
		groups := BySource(links)
		require.Equal(t, links, slices.Concat(groups...))
		for i, g := range groups {
			for _, l := range g {
				require.Equal(t, g[0].From, l.From)
			}
			require.True(t, i == 0 || groups[i-1][0].From != g[0].From, "one group for a source")
		}
	})
}

func TestLinks_ZeroValue_IsNull(t *testing.T) {
	data, err := json.Marshal(Links{})
	require.NoError(t, err)
	require.JSONEq(t, "null", string(data))
	back := Links{Mesh: true}
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, Links{}, back)
}

func TestLinks_WhatIsNoForm_IsRefused(t *testing.T) {
	for _, text := range []string{`"star"`, `1`, `true`, `{}`, `{"hub": null}`, `{"hub": 1}`, `[1]`, `{"list": []}`, `[`} {
		var l Links
		require.Error(t, json.Unmarshal([]byte(text), &l), text)
	}
}

func TestGroups_EachMistake(t *testing.T) {
	for text, want := range map[string]string{
		"{groups: []}":                          "spec.links.groups: there is no group",
		"{groups: [{clusters: []}]}":            "spec.links.groups[0].clusters: a group needs at least one cluster",
		"{groups: [{clusters: [east, south]}]}": `no cluster of this fleet is called "south"`,
		"{groups: [{clusters: [east, north]}, {clusters: [west, east]}]}": "east is in spec.links.groups[0] already; a cluster is in one group",
		"{groups: [{clusters: [east]}, {clusters: [west], hub: east}]}":   `spec.links.groups[1].hub: "east" is none of the clusters of this group`,
		"{groups: [{clusters: [east]}], hub: {cluster: east}}":            "want mesh, hub: {cluster: …}, groups: [{clusters: […]}] or a list of {from, to}",
	} {
		_, err := Parse("fleet.yaml", []byte(small+"  links: "+text+"\n"))
		require.ErrorContains(t, err, want, text)
	}
}

// Whoever forgets the hub of a group gets no link that the file did not have.
func TestGroups_WithoutAMember_HaveNoLinkMore(t *testing.T) {
	f := parse(t, small+"  links: {groups: [{clusters: [east, north]}, {clusters: [west]}]}\n")
	require.Equal(t, []string{"east.west", "west.east"}, ids(ptr(f.Without("north")).Links()))
	require.Empty(t, ids(ptr(f.Without("east")).Links()), "north does not take its place")
}
