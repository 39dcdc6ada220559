package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// forceVersionFlag adds the flag with which a version of Istio is taken as it is.
func forceVersionFlag(cmd *cobra.Command, force *bool) {
	cmd.Flags().BoolVar(force, "force-version", false, "go on with a version of Istio that skips a minor release, or goes back")
}

// showChosen tells which version of Istio is rolled out where the fleet file names none.
func showChosen(w io.Writer, chosen string) {
	if chosen != "" {
		fmt.Fprintf(w, "\nIstio %s\n", chosen)
	}
}

// showIstio tells what an alias stands for, which versions change, and which clusters
// and parts of them run different versions.
func showIstio(w io.Writer, clusters []api.ClusterIstio) {
	var aliases, steps, parts, planes, forgetful grouped
	for _, c := range clusters {
		if c.Alias != "" {
			aliases.add(c.Alias+" is "+c.Wanted+" now", c.Cluster)
		}
		if c.Istiod != "" && c.Wanted != "" && c.Istiod != c.Wanted {
			steps.add("from "+c.Istiod+" to "+c.Wanted, c.Cluster)
		}
		if runs := cmp.Or(c.Wanted, c.Istiod); fleet.ForgetsClusters(runs) {
			forgetful.add(runs, c.Cluster)
		}
		planes.add(c.Istiod, c.Cluster)
		parts.add(behind(c.IstioVersions), c.Cluster)
	}
	for _, line := range []struct {
		title string
		of    grouped
	}{{"Istio", aliases}, {"Istio changes", steps}, {"parts of Istio run different versions", parts},
		{"an istiod before v1.31.0 can go on without another cluster after a remote secret changed, until it restarts (`landbridge verify` sees it)", forgetful}} {
		if len(line.of) > 0 {
			fmt.Fprintf(w, "\n%s: %s\n", line.title, line.of)
		}
	}
	showSkew(w, planes)
}

// behind tells which parts of a cluster's Istio run another version than its istiod.
func behind(i api.IstioVersions) string {
	var parts []string
	for _, part := range []struct{ name, version string }{{"CNI plugin", i.CNI}, {"gateways", i.Gateways}} {
		if part.version != "" && i.Istiod != "" && part.version != i.Istiod {
			parts = append(parts, part.name+" "+part.version)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "istiod " + i.Istiod + ", " + strings.Join(parts, ", ")
}

// showSkew tells that control planes of the fleet run different versions.
func showSkew(w io.Writer, planes grouped) {
	if len(planes) < 2 {
		return
	}
	slices.SortStableFunc(planes, func(a, b group) int {
		v, _ := fleet.ParseIstioVersion(a.what)
		u, _ := fleet.ParseIstioVersion(b.what)
		return v.Compare(u)
	})
	fmt.Fprintf(w, "\n%s\n", attention.Styled("control planes run different versions of Istio: "+planes.String()))
}

// group holds the clusters of which the same is to be told.
type group struct {
	what     string
	clusters []string
}

type grouped []group

// add adds a cluster to what is told of it. Of nothing, nothing is told.
func (g *grouped) add(what, cluster string) {
	if what == "" {
		return
	}
	at := slices.IndexFunc(*g, func(have group) bool { return have.what == what })
	if at < 0 {
		*g, at = append(*g, group{what: what}), len(*g)
	}
	(*g)[at].clusters = append((*g)[at].clusters, cluster)
}

// maxNamed limits how many clusters a line names.
const maxNamed = 8

// String returns "v1.30.7 (east, west), v1.31.3 (north)".
func (g grouped) String() string {
	var out []string
	for _, one := range g {
		out = append(out, one.what+" ("+someOf(one.clusters)+")")
	}
	return strings.Join(out, ", ")
}

// someOf names the first of many.
func someOf(names []string) string {
	if n := len(names) - maxNamed; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), n)
	}
	return strings.Join(names, ", ")
}
