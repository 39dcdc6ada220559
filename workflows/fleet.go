package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/fleet"
)

// FleetResult is what a rollout did, or a plan would do.
type FleetResult struct {
	Fleet    string        `json:"fleet"`
	Root     certs.Facts   `json:"root"`
	Clusters []ClusterDone `json:"clusters"`
	Links    []string      `json:"links"`
	// Proven is how many of the links were proven.
	Proven int `json:"proven"`
	// Pruned was taken away; Stale is still there and wants --prune.
	Pruned fleet.Stale `json:"pruned"`
	Stale  fleet.Stale `json:"stale"`
	// Plan is what would be done, unit by unit. Only PlanFleet fills it.
	Plan []PlannedUnit `json:"plan,omitempty"`
}

// ClusterDone is a cluster that is rolled out.
type ClusterDone struct {
	Name          string               `json:"name"`
	Version       string               `json:"version"`
	TLSServerName string               `json:"tlsServerName"`
	Address       activities.Address   `json:"address"`
	Counts        map[fleet.Action]int `json:"counts"`
}

// PlannedUnit is what would be done to one cluster, link or the root.
type PlannedUnit struct {
	Unit    string         `json:"unit"`
	Changes []fleet.Change `json:"changes"`
}

// RolloutFleet rolls out a fleet: preflight, root, clusters, links. A cluster or
// link that fails is undone while the others go on; the error is then of
// TypePartly or TypeFailed and names each. Nothing was changed where the error
// is of TypePreflight.
func RolloutFleet(ctx workflow.Context, in FleetInput) (FleetResult, error) {
	return rolloutFleet(ctx, in)
}

// PlanFleet says what RolloutFleet would do, object by object, and changes nothing.
func PlanFleet(ctx workflow.Context, in FleetInput) (FleetResult, error) {
	in.DryRun = true
	return rolloutFleet(ctx, in)
}

func rolloutFleet(ctx workflow.Context, in FleetInput) (FleetResult, error) {
	status, err := newFleetStatus(ctx, in.Fleet)
	if err != nil {
		return FleetResult{}, err
	}
	r := &rollout{in: in, status: status, run: workflow.GetInfo(ctx).WorkflowExecution.RunID,
		result: FleetResult{Fleet: in.Fleet.Metadata.Name, Clusters: []ClusterDone{}, Links: []string{}}}
	// Step 1. Look before anything is changed.
	r.status.phase(ctx, "preflight")
	if err = r.preflight(ctx); err == nil {
		err = r.do(ctx)
		if !in.DryRun {
			r.release(ctx)
		}
	}
	if err == nil && len(r.failures) > 0 {
		err = r.failed()
	}
	status.phase(ctx, endPhase(ctx, err))
	return r.result, err
}

// rollout is a rollout under way.
type rollout struct {
	in     FleetInput
	run    string
	status *fleetStatus

	checks   []activities.CheckClusterResult
	stale    fleet.Stale
	clusters map[string]ClusterResult // those that are done
	failures []Failure
	result   FleetResult
}

func (r *rollout) do(ctx workflow.Context) error {
	// What left the fleet file goes first: a tunnel that is not wanted is shut.
	if err := r.prune(ctx); err != nil {
		return err
	}

	// Steps 2 and 3. The root, made once and kept.
	r.status.phase(ctx, "root")
	l := newLedger("root", r.in.Fleet.Spec.Rollout)
	root, err := step(ctx, l, apiCall(r.in.Fleet.Spec.Rollout), "3 root", a.EnsureRoot, a.RemoveRoot,
		activities.EnsureRootInput{RootSite: r.in.rootSite(r.run), CA: r.in.Fleet.Spec.CA})
	if err != nil {
		return l.settle(ctx, err)
	}
	r.result.Root = root.Facts
	r.plan("root", root.Changes.Changes)

	// Steps 3 to 8, on every cluster.
	r.status.phase(ctx, "clusters")
	r.rolloutClusters(ctx, root.CertPEM)
	if len(r.clusters) == 0 && r.in.Fleet.Spec.Rollout.OnFailure == fleet.OnFailureUndo {
		l.undo(ctx) // a root of this run that nobody uses
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}

	// Steps 8 to 11, for every link.
	r.status.phase(ctx, "links")
	r.rolloutLinks(ctx)
	return ctx.Err()
}

// preflight checks every cluster and reports all that stands in the way at once.
func (r *rollout) preflight(ctx workflow.Context) error {
	if err := r.in.Fleet.Validate(); err != nil {
		return r.status.fail(TypePreflight, "the fleet cannot be rolled out; nothing was changed", []Failure{{Unit: "fleet", Type: activities.TypeInvalid, Message: err.Error()}})
	}
	clusters := r.in.Fleet.Spec.Clusters
	r.checks = make([]activities.CheckClusterResult, len(clusters))
	errs := make([]error, len(clusters))
	inParallel(ctx, len(clusters), r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		c := clusters[i]
		errs[i] = fleetCall(ctx, preflight(), "1 preflight", a.CheckCluster, activities.CheckClusterInput{Site: r.in.site(c, r.run),
			IstioVersion: r.in.Fleet.Spec.Istio.Version, TLSServerName: c.APIServer.TLSServerName}, &r.checks[i])
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var problems []Failure
	seen := map[string]string{}
	for i, c := range clusters {
		unit := "cluster " + c.Name
		if errs[i] != nil {
			problems = append(problems, failureOf(unit, errs[i]))
		}
		for _, p := range r.checks[i].Problems {
			problems = append(problems, Failure{Unit: unit, Type: TypePreflight, Message: p})
		}
		if first, twice := seen[r.checks[i].UID]; twice && r.checks[i].UID != "" {
			problems = append(problems, Failure{Unit: unit, Type: TypePreflight,
				Message: fmt.Sprintf("it is the same API server as cluster %s; each cluster needs its own: check the kubeconfigs", first)})
		}
		seen[r.checks[i].UID] = c.Name
	}
	if len(problems) > 0 {
		return r.status.fail(TypePreflight, "preflight found what stands in the way; nothing was changed", problems)
	}
	var records []fleet.Fleet
	for _, c := range r.checks {
		if c.Record != nil {
			records = append(records, *c.Record)
		}
	}
	r.stale = r.in.Fleet.Stale(records)
	return nil
}

func (r *rollout) rolloutClusters(ctx workflow.Context, rootPEM string) {
	f := r.in.Fleet
	links := f.Links()
	results := make([]ClusterResult, len(f.Spec.Clusters))
	errs := make([]error, len(f.Spec.Clusters))
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	inParallel(ctx, len(f.Spec.Clusters), f.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		c := f.Spec.Clusters[i]
		if errs[i] = ctx.Err(); errs[i] != nil {
			return
		}
		r.status.cluster(ctx, i, Running, nil)
		errs[i] = runChild(ctx, parent+".cluster."+c.Name, "cluster "+c.Name,
			attributes(FleetKey.ValueSet(f.Metadata.Name), ClusterKey.ValueSet(c.Name), PhaseKey.ValueSet(Running)),
			RolloutCluster, ClusterInput{
				Site: r.in.site(c, r.run), Root: r.in.rootSite(r.run), RootPEM: rootPEM, Network: c.Network,
				Part: f.Part(c.Name, r.stale), Rollout: f.Spec.Rollout,
				IsSource: slices.ContainsFunc(links, func(l fleet.Link) bool { return l.From == c.Name }),
				IsTarget: slices.ContainsFunc(links, func(l fleet.Link) bool { return l.To == c.Name }),
			}, &results[i])
		r.status.cluster(ctx, i, endState(errs[i]), errs[i])
	})
	r.clusters = map[string]ClusterResult{}
	for i, c := range f.Spec.Clusters {
		if errs[i] != nil {
			r.failures = append(r.failures, failureOf("cluster "+c.Name, errs[i]))
			continue
		}
		r.clusters[c.Name] = results[i]
		r.plan("cluster "+c.Name, results[i].Changes.Changes)
		r.result.Clusters = append(r.result.Clusters, ClusterDone{c.Name, r.checks[i].Version, r.checks[i].TLSServerName, results[i].Address, count(results[i].Changes)})
	}
}

// rolloutLinks starts one child per source. Links of a cluster that failed are
// left out, and said so.
func (r *rollout) rolloutLinks(ctx workflow.Context) {
	f := r.in.Fleet
	inputs := r.linkInputs()
	results := make([]LinksResult, len(inputs))
	errs := make([]error, len(inputs))
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	inParallel(ctx, len(inputs), f.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		if errs[i] = ctx.Err(); errs[i] != nil {
			return
		}
		source := inputs[i].Source.Cluster
		r.status.source(ctx, source, Running, nil)
		errs[i] = runChild(ctx, parent+".links."+source, "links of "+source,
			attributes(FleetKey.ValueSet(f.Metadata.Name), ClusterKey.ValueSet(source), PhaseKey.ValueSet(Running)),
			RolloutLinks, inputs[i], &results[i])
		r.status.source(ctx, source, endState(errs[i]), results[i].Failures)
	})
	for i, in := range inputs {
		if errs[i] != nil {
			r.failures = append(r.failures, failureOf("links of "+in.Source.Cluster, errs[i]))
		}
		r.failures = append(r.failures, results[i].Failures...)
		r.result.Links = append(r.result.Links, results[i].Done...)
		r.result.Proven += results[i].Proven
		for _, t := range in.Targets {
			link := fleet.Link{From: in.Source.Cluster, To: t.Site.Cluster}
			if c, ok := results[i].Changes[link.ID()]; ok {
				r.plan("link "+link.String(), c.Changes)
			}
		}
	}
}

func (r *rollout) linkInputs() []LinksInput {
	f := r.in.Fleet
	settings := LinkSettings{activities.GatewaySettings{Istio: withoutValues(f.Spec.Istio), Gateways: f.Spec.Gateways}, f.Spec.Rollout}
	var ready []fleet.Link
	for _, link := range f.Links() {
		_, from := r.clusters[link.From]
		_, to := r.clusters[link.To]
		if !from || !to {
			r.status.skip(link)
			r.failures = append(r.failures, Failure{Unit: "link " + link.String(), Type: Skipped, Message: "left out, since a cluster of it failed"})
			continue
		}
		ready = append(ready, link)
	}
	var out []LinksInput
	for _, links := range fleet.BySource(ready) {
		source, _ := f.Cluster(links[0].From)
		in := LinksInput{LinkSettings: settings, Source: r.in.site(source, r.run), Recipient: r.clusters[source.Name].Recipient}
		for _, link := range links {
			i := slices.IndexFunc(f.Spec.Clusters, func(c fleet.Cluster) bool { return c.Name == link.To })
			in.Targets = append(in.Targets, Target{r.in.site(f.Spec.Clusters[i], r.run), r.checks[i].TLSServerName, r.clusters[link.To].Address})
		}
		out = append(out, in)
	}
	return out
}

// release lets the records go that this run held.
func (r *rollout) release(ctx workflow.Context) {
	releaseAll(ctx, r.in, r.in.Fleet.Spec.Clusters, r.run)
}

func releaseAll(ctx workflow.Context, in FleetInput, clusters []fleet.Cluster, run string) {
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	inParallel(free, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		var out activities.ReleaseRecordResult
		if err := fleetCall(ctx, releaseCall(), "release record", a.ReleaseRecord,
			activities.ReleaseRecordInput{Site: in.site(clusters[i], run)}, &out); err != nil {
			workflow.GetLogger(ctx).Warn("the record keeps naming this run", "cluster", clusters[i].Name, "error", err)
		}
	})
}

// failed is the one error of a rollout in which something failed.
func (r *rollout) failed() error {
	units := len(r.in.Fleet.Spec.Clusters) + len(r.in.Fleet.Links())
	done := len(r.result.Clusters) + len(r.result.Links)
	if done == 0 {
		return r.status.fail(TypeFailed, "the rollout failed", r.failures)
	}
	return r.status.fail(TypePartly, fmt.Sprintf("the rollout is partly done: %d of %d clusters and links", done, units), r.failures)
}

func (r *rollout) plan(unit string, changes []fleet.Change) {
	if r.in.DryRun {
		r.result.Plan = append(r.result.Plan, PlannedUnit{unit, changes})
	}
}

func count(c fleet.Changes) map[fleet.Action]int {
	out := map[fleet.Action]int{}
	for _, ch := range c.Changes {
		out[ch.Action]++
	}
	return out
}
