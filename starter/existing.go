package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// withMeshes lets a worker read the clusters of a draft, and returns the fleet file with
// the meshes that they have already.
func (a *app) withMeshes(ctx context.Context, d *draft, data []byte) ([]byte, error) {
	f, err := fleet.Parse("the draft", data)
	if err != nil {
		return nil, usage(err)
	}
	var r api.InspectResult
	if err := a.look(ctx, api.InspectFleet, api.FleetInput{Fleet: *f}, &r, nil); err != nil {
		return nil, err
	}
	if err := d.adopt(r); err != nil {
		return nil, usage(err)
	}
	data, err = d.file()
	if err != nil {
		return nil, usage(err)
	}
	return data, nil
}

// adopt puts the meshes that were found into the draft. The draft describes them once
// for all clusters, so that meshes which differ are an error.
func (d *draft) adopt(r api.InspectResult) error {
	var first api.Istiod
	for i, c := range r.Clusters {
		switch {
		case c.Why != "":
			return fmt.Errorf("cluster %s could not be read: %s", c.Name, c.Why)
		case len(c.Mesh.Istiods) == 0:
			return fmt.Errorf("cluster %s runs no istiod in %s: install Istio there, leave the cluster out (--context), or leave out --existing to have Landbridge install it everywhere", c.Name, istioNamespace)
		}
		is := c.Mesh.Istiods[0]
		if i == 0 {
			first = is
		}
		if is.Revision != first.Revision || is.TrustDomain != first.TrustDomain {
			return fmt.Errorf("the meshes of %s (revision %s, trust domain %s) and %s (revision %s, trust domain %s) differ; make them alike, or put them into fleets of their own",
				r.Clusters[0].Name, first.Revision, first.TrustDomain, c.Name, is.Revision, is.TrustDomain)
		}
		d.Clusters[i].call(is.ClusterName)
		if c.Mesh.Network != "" {
			d.Clusters[i].Network = c.Mesh.Network
		}
	}
	d.Existing = []string{
		fmt.Sprintf("# The existing Istio: version %s, installed by %s.", cmp.Or(first.Version, "unknown"), cmp.Or(first.By, "unknown")),
		fmt.Sprintf("istio: {manage: false, revision: %s, trustDomain: %s}", first.Revision, first.TrustDomain),
		"ca: {manage: false}"}
	if lines := byGuide(r, first); lines != nil {
		d.Existing = lines
		return nil
	}
	if g, ok := sameGateway(r); ok {
		var labels []string
		for _, k := range slices.Sorted(maps.Keys(g.Labels)) {
			labels = append(labels, fmt.Sprintf("%s: %q", k, g.Labels[k]))
		}
		d.Existing = append(d.Existing, fmt.Sprintf("gateways: {eastWest: {manage: false, service: {name: %s}, labels: {%s}, serviceAccount: %s}}",
			g.Service, strings.Join(labels, ", "), g.ServiceAccount))
	}
	return nil
}

// byGuide returns the lines of spec for meshes that somebody set up by docs/guide.md, or
// nil where nobody did. Its gateways and links become the fleet's; Istio and the CAs stay.
func byGuide(r api.InspectResult, first api.Istiod) []string {
	var hosts []string
	var platform string
	var ends time.Time
	for _, c := range r.Clusters {
		g := c.Mesh.Guide
		if g == nil {
			continue
		}
		hosts, platform = append(hosts, g.DataPlaneHosts...), cmp.Or(platform, g.Platform)
		if !g.IntermediateEnds.IsZero() && (ends.IsZero() || g.IntermediateEnds.Before(ends)) {
			ends = g.IntermediateEnds
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	slices.Sort(hosts)
	for i, host := range hosts {
		hosts[i] = strconv.Quote(host)
	}
	if platform != "" {
		platform = ", platform: " + platform
	}
	until := ""
	if !ends.IsZero() {
		until = ", which end on " + ends.UTC().Format(time.DateOnly)
	}
	return []string{
		"# The gateways, links and remote secrets that were made by hand become the fleet's: the",
		"# plan shows what changes of them, and a cleanup gives them back as they were.",
		"adopt: true",
		fmt.Sprintf("# Istio stays as it is: version %s, installed by %s.", cmp.Or(first.Version, "unknown"), cmp.Or(first.By, "unknown")),
		fmt.Sprintf("istio: {manage: false, revision: %s, trustDomain: %s%s}", first.Revision, first.TrustDomain, platform),
		"# So do the CAs" + until + ". Landbridge has not the key of their root (the guide",
		"# deletes it), so it cannot renew them, nor give a cluster that joins a CA of the same",
		"# root: who has that key does both by hand; otherwise all clusters need CAs of a new root.",
		"ca: {manage: false}",
		fmt.Sprintf("gateways: {dataPlaneHosts: [%s]}", strings.Join(slices.Compact(hosts), ", ")),
	}
}

// call gives a cluster the name by which its istiod knows it, or else a cluster ID: a
// name is in the names of objects, and is short.
func (c *initCluster) call(id string) {
	switch {
	case id == "" || id == c.Name:
	case fleet.ClusterName(id):
		c.Name = id
	default:
		c.ClusterID = id
	}
}

// istioNamespace names the namespace in which init looks for a mesh.
const istioNamespace = "istio-system"

// sameGateway returns the east-west gateway that all clusters have under the same name,
// and whether there is one.
func sameGateway(r api.InspectResult) (api.MeshGateway, bool) {
	var found api.MeshGateway
	for i, c := range r.Clusters {
		if len(c.Mesh.EastWest) == 0 {
			return found, false
		}
		g := c.Mesh.EastWest[0]
		if i > 0 && (g.Service != found.Service || g.ServiceAccount != found.ServiceAccount || !maps.Equal(g.Labels, found.Labels)) {
			return found, false
		}
		found = g
	}
	return found, found.ServiceAccount != ""
}
