package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// RolloutFleet rolls out a fleet: preflight, root, clusters, links. A cluster or
// link that fails is undone while the others go on; the error is then of
// TypePartly or TypeFailed and names each. Nothing was changed where the error
// is of TypePreflight.
func RolloutFleet(ctx workflow.Context, in api.FleetInput) (api.FleetResult, error) {
	return rolloutFleet(ctx, in)
}

// PlanFleet says what RolloutFleet would do, object by object, and changes nothing.
func PlanFleet(ctx workflow.Context, in api.FleetInput) (api.FleetResult, error) {
	in.DryRun = true
	return rolloutFleet(ctx, in)
}

func rolloutFleet(ctx workflow.Context, in api.FleetInput) (api.FleetResult, error) {
	status, err := newFleetStatus(ctx, in)
	if err != nil {
		return api.FleetResult{}, err
	}
	r := newRollout(ctx, in, status)
	if !in.DryRun {
		if err = r.steer(ctx); err != nil {
			return r.result, err
		}
	}
	// Step 1. Look before anything is changed.
	r.status.phase(ctx, "preflight")
	if err = r.preflight(ctx); err == nil {
		err = r.do(ctx)
		if !in.DryRun {
			r.release(ctx)
		}
	}
	r.over = true
	r.sum()
	if err == nil && len(r.failures) > 0 {
		err = r.failed()
	}
	status.phase(ctx, endPhase(ctx, err))
	if ctx.Err() == nil { // an update that was taken must be answered
		_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	}
	return r.result, err
}

// rollout is a rollout under way.
type rollout struct {
	in     api.FleetInput
	run    string
	status *fleetStatus
	waves  []fleet.Wave
	// root is the root's certificate, undoRoot takes back one that this run made.
	root     string
	undoRoot func(workflow.Context) []string

	checks   []api.CheckClusterResult
	stale    fleet.Stale
	clusters map[string]api.ClusterResult // those that are done
	// errs are how the clusters failed, by their index.
	errs []error
	// begun are the links that were, linkFailures how they failed, by their unit.
	begun        map[string]bool
	linkFailures map[string]api.Failure

	// gate is shut by a pause, again is what a retry asked for, working is what
	// clusters are being worked on, skipped what was left out by a decision.
	gate    *gate
	again   []string
	working *pool
	skipped map[string]bool
	over    bool

	// stopped are clusters of waves that were not begun.
	stopped  []api.Failure
	failures []api.Failure
	result   api.FleetResult
}

func newRollout(ctx workflow.Context, in api.FleetInput, status *fleetStatus) *rollout {
	return &rollout{in: in, status: status, run: workflow.GetInfo(ctx).WorkflowExecution.RunID, waves: in.Fleet.Waves(),
		clusters: map[string]api.ClusterResult{}, errs: make([]error, len(in.Fleet.Spec.Clusters)), begun: map[string]bool{},
		linkFailures: map[string]api.Failure{}, gate: &gate{}, skipped: map[string]bool{},
		result: api.FleetResult{Fleet: in.Fleet.Metadata.Name, Clusters: []api.ClusterDone{}, Links: []string{}}}
}

func (r *rollout) do(ctx workflow.Context) error {
	// What left the fleet file goes first: a tunnel that is not wanted is shut.
	if err := r.prune(ctx); err != nil {
		return err
	}

	// Steps 2 and 3. The root, made once and kept, unless the meshes have theirs.
	r.undoRoot = func(workflow.Context) []string { return nil }
	if r.in.Fleet.Spec.CA.Managed() {
		if err := r.makeRoot(ctx); err != nil {
			return err
		}
	}

	// Steps 3 to 11, wave by wave.
	err := r.rolloutWaves(ctx)
	r.rootUnused(ctx)
	return err
}

// preflight checks every cluster and reports all that stands in the way at once.
func (r *rollout) preflight(ctx workflow.Context) error {
	if err := r.in.Fleet.Validate(); err != nil {
		return r.status.fail(api.TypePreflight, "the fleet cannot be rolled out; nothing was changed", []api.Failure{{Unit: "fleet", Type: api.TypeInvalid, Message: err.Error()}})
	}
	clusters := r.in.Fleet.Spec.Clusters
	r.checks = make([]api.CheckClusterResult, len(clusters))
	errs := make([]error, len(clusters))
	inParallel(ctx, len(clusters), r.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		c := clusters[i]
		in := api.CheckClusterInput{ClusterRef: r.in.Ref(c, r.run), IstioVersion: r.in.Fleet.Spec.Istio.Version, TLSServerName: c.APIServer.TLSServerName}
		if spec := r.in.Fleet.Spec; spec.Existing() {
			in.Existing = &api.Existing{Istio: withoutValues(spec.Istio), CA: spec.CA, Gateways: spec.Gateways, Network: c.Network}
		}
		errs[i] = fleetCall(ctx, preflight(), "1 preflight", a.CheckCluster, in, &r.checks[i])
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var problems []api.Failure
	seen := map[string]string{}
	for i, c := range clusters {
		unit := "cluster " + c.Name
		if errs[i] != nil {
			problems = append(problems, failureOf(unit, errs[i]))
		}
		for _, p := range r.checks[i].Problems {
			problems = append(problems, api.Failure{Unit: unit, Type: api.TypePreflight, Message: p})
		}
		if first, twice := seen[r.checks[i].UID]; twice && r.checks[i].UID != "" {
			problems = append(problems, api.Failure{Unit: unit, Type: api.TypePreflight,
				Message: fmt.Sprintf("it is the same API server as cluster %s; each cluster needs its own: check the kubeconfigs", first)})
		}
		seen[r.checks[i].UID] = c.Name
	}
	if !r.in.Fleet.Spec.CA.Managed() {
		problems = append(problems, r.rootsDiffer()...)
	}
	if len(problems) > 0 {
		return r.status.fail(api.TypePreflight, "preflight found what stands in the way; nothing was changed", problems)
	}
	var inventories []fleet.Fleet
	for _, c := range r.checks {
		if c.Inventory != nil {
			inventories = append(inventories, *c.Inventory)
		}
	}
	r.stale = r.in.Fleet.Stale(inventories)
	return nil
}

// rolloutClusters is steps 3 to 8 on some clusters, by their index.
func (r *rollout) rolloutClusters(ctx workflow.Context, which []int) {
	f := r.in.Fleet
	links := f.Links()
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	r.working = &pool{queue: which, work: func(ctx workflow.Context, i int) {
		c := f.Spec.Clusters[i]
		if r.skipped[clusterUnit(c.Name)] {
			return
		}
		if r.errs[i] = ctx.Err(); r.errs[i] != nil {
			return
		}
		r.status.cluster(ctx, i, api.Running, nil)
		var result api.ClusterResult
		r.errs[i] = r.gate.runChild(ctx, parent+".cluster."+c.Name, clusterUnit(c.Name),
			attributes(api.FleetKey.ValueSet(f.Metadata.Name), api.ClusterKey.ValueSet(c.Name), api.PhaseKey.ValueSet(api.Running)),
			RolloutCluster, api.ClusterInput{
				ClusterRef: r.in.Ref(c, r.run), Root: r.in.RootRef(r.run), RootPEM: r.root, Network: c.Network,
				Part: f.Part(c.Name, r.stale), Rollout: f.Spec.Rollout,
				IsSource: slices.ContainsFunc(links, func(l fleet.Link) bool { return l.From == c.Name }),
				IsTarget: slices.ContainsFunc(links, func(l fleet.Link) bool { return l.To == c.Name }),
			}, &result)
		if r.errs[i] == nil {
			r.clusters[c.Name] = result
		}
		r.status.cluster(ctx, i, endState(r.errs[i]), r.errs[i])
	}}
	r.working.run(ctx, f.Spec.Rollout.MaxParallel)
	r.working = nil
	for _, i := range which {
		if done, ok := r.clusters[f.Spec.Clusters[i].Name]; ok {
			r.plan(clusterUnit(f.Spec.Clusters[i].Name), done.Changes.WithoutFields().Changes)
		}
	}
}

// rolloutLinks rolls out the links that have not begun and whose clusters are
// done, by one child per source.
func (r *rollout) rolloutLinks(ctx workflow.Context) {
	f := r.in.Fleet
	inputs := r.linkInputs()
	results := make([]api.LinksResult, len(inputs))
	errs := make([]error, len(inputs))
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	inParallel(ctx, len(inputs), f.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		if errs[i] = ctx.Err(); errs[i] != nil {
			return
		}
		source := inputs[i].Source.Cluster
		r.status.source(ctx, source, api.Running, 0, nil)
		errs[i] = r.gate.runChild(ctx, parent+".links."+source, linksUnit(source),
			attributes(api.FleetKey.ValueSet(f.Metadata.Name), api.ClusterKey.ValueSet(source), api.PhaseKey.ValueSet(api.Running)),
			RolloutLinks, inputs[i], &results[i])
		r.status.source(ctx, source, endState(errs[i]), len(results[i].Done), results[i].Failures)
	})
	for i, in := range inputs {
		if errs[i] != nil {
			// Each of them can be taken up again by itself.
			for _, t := range in.Targets {
				unit := linkUnit(fleet.Link{From: in.Source.Cluster, To: t.ClusterRef.Cluster})
				f := failureOf(unit, errs[i])
				f.Unit = unit
				r.linkFailures[unit] = f
			}
		}
		for _, failure := range results[i].Failures {
			r.linkFailures[failure.Unit] = failure
		}
		r.result.Links = append(r.result.Links, results[i].Done...)
		r.result.Proven += results[i].Proven
		for _, t := range in.Targets {
			link := fleet.Link{From: in.Source.Cluster, To: t.ClusterRef.Cluster}
			if c, ok := results[i].Changes[link.ID()]; ok {
				r.plan(linkUnit(link), c.Changes)
			}
		}
	}
}

// linkInputs are the links that are ready, by their source, and marks them as begun.
func (r *rollout) linkInputs() []api.LinksInput {
	f := r.in.Fleet
	settings := api.LinkSettings{GatewaySettings: api.GatewaySettings{Istio: withoutValues(f.Spec.Istio), Gateways: f.Spec.Gateways}, Rollout: f.Spec.Rollout}
	settings.Rollout.Waves = nil // no link needs them
	var ready []fleet.Link
	for _, link := range f.Links() {
		_, from := r.clusters[link.From]
		_, to := r.clusters[link.To]
		if unit := linkUnit(link); from && to && !r.begun[unit] && !r.skipped[unit] {
			r.begun[unit] = true
			ready = append(ready, link)
		}
	}
	var out []api.LinksInput
	for _, links := range fleet.BySource(ready) {
		source, _ := f.Cluster(links[0].From)
		in := api.LinksInput{LinkSettings: settings, Source: r.in.Ref(source, r.run), Recipient: r.clusters[source.Name].Recipient}
		for _, link := range links {
			i := slices.IndexFunc(f.Spec.Clusters, func(c fleet.Cluster) bool { return c.Name == link.To })
			in.Targets = append(in.Targets, api.Target{ClusterRef: r.in.Ref(f.Spec.Clusters[i], r.run), TLSServerName: r.checks[i].TLSServerName, Address: r.clusters[link.To].Address})
		}
		out = append(out, in)
	}
	return out
}

// sum puts together how all clusters and links ended, in the fleet's order.
func (r *rollout) sum() {
	f := r.in.Fleet
	for i, c := range f.Spec.Clusters {
		unit := clusterUnit(c.Name)
		switch done, ok := r.clusters[c.Name]; {
		case ok:
			r.result.Clusters = append(r.result.Clusters, api.ClusterDone{Name: c.Name, Version: r.checks[i].Version, TLSServerName: r.checks[i].TLSServerName, Address: done.Address, Counts: count(done.Changes), Certificate: done.Certificate})
		case r.skipped[unit]:
			r.result.Skipped = append(r.result.Skipped, unit)
		case r.errs[i] != nil:
			r.failures = append(r.failures, failureOf(unit, r.errs[i]))
		}
	}
	r.failures = append(r.failures, r.stopped...)
	for _, l := range f.Links() {
		unit := linkUnit(l)
		failure, failed := r.linkFailures[unit]
		switch {
		case r.skipped[unit] || r.skipped[clusterUnit(l.From)] || r.skipped[clusterUnit(l.To)]:
			r.status.skip(l)
			r.result.Skipped = append(r.result.Skipped, unit)
		case failed:
			r.failures = append(r.failures, failure)
		case !r.begun[unit] && len(r.checks) > 0 && len(r.failures) > 0:
			r.status.skip(l)
			r.failures = append(r.failures, api.Failure{Unit: unit, Type: api.Skipped, Message: "left out, since a cluster of it failed"})
		}
	}
	r.result.Decisions = r.status.Decisions
}

// release lets the inventories go that this run held.
func (r *rollout) release(ctx workflow.Context) {
	releaseAll(ctx, r.in, r.in.Fleet.Spec.Clusters, r.run)
}

func releaseAll(ctx workflow.Context, in api.FleetInput, clusters []fleet.Cluster, run string) {
	free, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	inParallel(free, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		var out api.ReleaseInventoryResult
		if err := fleetCall(ctx, releaseCall(), "release record", a.ReleaseInventory,
			api.ReleaseInventoryInput{ClusterRef: in.Ref(clusters[i], run)}, &out); err != nil {
			workflow.GetLogger(ctx).Warn("the record keeps naming this run", "cluster", clusters[i].Name, "error", err)
		}
	})
}

// failed is the one error of a rollout in which something failed.
func (r *rollout) failed() error {
	units := len(r.in.Fleet.Spec.Clusters) + len(r.in.Fleet.Links())
	done := len(r.result.Clusters) + len(r.result.Links)
	if done == 0 {
		return r.status.fail(api.TypeFailed, "the rollout failed", r.failures)
	}
	return r.status.fail(api.TypePartly, fmt.Sprintf("the rollout is partly done: %d of %d clusters and links", done, units), r.failures)
}

func (r *rollout) plan(unit string, changes []fleet.Change) {
	if r.in.DryRun {
		r.result.Plan = append(r.result.Plan, api.PlannedUnit{Unit: unit, Changes: changes})
	}
}

func count(c fleet.Changes) map[fleet.Action]int {
	out := map[fleet.Action]int{}
	for _, ch := range c.Changes {
		out[ch.Action]++
	}
	return out
}
