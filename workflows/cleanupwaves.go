package workflows

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// removeWaves removes the clusters wave by wave, the last one first. Where the fleet file
// wants approvals, each wave after the first waits for one. What fails stops no other wave: a
// dead cluster would keep the fleet from going. A dry run removes nothing between the waves,
// and is one wave.
func (c *cleanup) removeWaves(ctx workflow.Context, clusters []fleet.Cluster) error {
	waves := []fleet.Wave{{Name: fleet.RestWave}}
	if len(c.in.Fleet.Spec.Rollout.Waves) > 0 && !c.in.DryRun {
		waves = c.in.Fleet.WavesDown(clusters)
		c.waves = waves
	}
	for _, cl := range clusters {
		u := c.add(api.Member(cl.Name))
		u.wave = max(0, slices.IndexFunc(waves, func(w fleet.Wave) bool { return slices.Contains(w.Clusters, cl.Name) }))
		if len(c.waves) > 0 {
			u.Wave = waves[u.wave].Name
		}
		c.result.Clusters = append(c.result.Clusters, cl.Name)
	}
	for n := range waves {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n > 0 && c.in.Fleet.Spec.Rollout.Approval == fleet.ApprovalWaves {
			if err := c.hold(ctx, n); err != nil {
				return err
			}
		}
		c.removeWave(ctx, clusters, n)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, u := range c.list {
		if u.State == api.Skipped {
			c.result.Skipped = append(c.result.Skipped, u.Unit)
		}
	}
	return nil
}

// hold waits for the approval of wave n, or until somebody skipped all of it.
func (c *cleanup) hold(ctx workflow.Context, n int) error {
	defer func() { c.WaitsFor = "" }()
	if c.waitFor(c.waves[n].Name, n); !c.waits() {
		return nil
	}
	c.phase(ctx, api.PhaseApproval)
	c.tellWaiting(ctx)
	return workflow.Await(ctx, func() bool { return !c.waits() })
}

// removeWave removes the clusters of wave n: first the steps of their links, here and on
// the clusters that stay for now, so that no source reads a target that goes, then their own.
func (c *cleanup) removeWave(ctx workflow.Context, clusters []fleet.Cluster, n int) {
	found := func(cl fleet.Cluster) temporal.SearchAttributes {
		return attributes(api.FleetKey.ValueSet(c.Fleet), api.ClusterKey.ValueSet(cl.Name))
	}
	goes := slices.DeleteFunc(slices.Clone(clusters), func(cl fleet.Cluster) bool {
		u := c.member(cl.Name)
		return u.wave != n || u.State != api.Pending
	})
	c.phase(ctx, "links")
	for _, cl := range goes {
		c.member(cl.Name).move(api.Running)
	}
	c.letGuideIn(ctx, goes)
	c.removeLinksAcross(ctx, clusters)
	c.onEach(ctx, goes, func(cl fleet.Cluster) child {
		return child{api.LinksWorkflowID(c.id, cl.Name), "links of " + cl.Name, found(cl), CleanupLinks}
	})
	c.phase(ctx, "clusters")
	c.onEach(ctx, goes, func(cl fleet.Cluster) child {
		return child{api.Member(cl.Name).WorkflowID(c.id), api.Member(cl.Name).String(), found(cl), CleanupCluster}
	})
	for _, cl := range goes {
		if u := c.member(cl.Name); u.State == api.Running {
			u.move(api.Done)
		}
	}
}

// removeLinksAcross removes the links between clusters that go now and those that stay,
// from both.
func (c *cleanup) removeLinksAcross(ctx workflow.Context, clusters []fleet.Cluster) {
	ends := map[string]fleet.Cluster{}
	for _, cl := range clusters {
		ends[cl.Name] = cl
	}
	goes := func(name string) bool { return c.member(name).State == api.Running }
	stays := func(name string) bool {
		s := c.member(name).State
		return s == api.Pending || s == api.Waiting || s == api.Skipped
	}
	var links []fleet.Link
	for _, f := range append([]fleet.Fleet{c.in.Fleet}, c.inventories...) {
		for _, l := range f.Links() {
			_, from := ends[l.From]
			_, to := ends[l.To]
			if from && to && !slices.Contains(links, l) && (goes(l.From) && stays(l.To) || stays(l.From) && goes(l.To)) {
				links = append(links, l)
			}
		}
	}
	outs, errs := make([]api.CleanupResult, len(links)), make([]error, len(links))
	inParallel(ctx, len(links), c.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		l := links[i]
		if errs[i] = ctx.Err(); errs[i] != nil {
			return
		}
		errs[i] = c.gate.removeLink(ctx, c.id,
			api.CleanupLinkInput{Source: c.in.Ref(ends[l.From], c.run), Target: c.in.Ref(ends[l.To], c.run), Link: l, Rollout: c.in.Fleet.Spec.Rollout}, &outs[i])
	})
	for i, l := range links {
		gone := l.From
		if !goes(gone) {
			gone = l.To
		}
		c.collect(gone, outs[i], errs[i])
	}
}
