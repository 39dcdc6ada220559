package workflows

import (
	"context"
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// removed notes what a step took away, or would.
func noteRemoved(r *api.CleanupResult, s api.ClusterRef, changes []fleet.Change) {
	r.Removed += len(changes)
	for _, ch := range changes {
		if s.DryRun {
			r.Objects = append(r.Objects, api.ClusterObject{Cluster: s.Cluster, Kind: ch.Kind, Namespace: ch.Namespace, Name: ch.Name})
		}
	}
}

// CleanupFleet takes a fleet away, in the exact reverse of RolloutFleet. It
// works from the fleet file, the clusters' inventories and labels alone. It goes on
// past a failure, and its error, of TypeLeftOver, lists what is left.
func CleanupFleet(ctx workflow.Context, in api.FleetInput) (api.CleanupResult, error) {
	status, err := newFleetStatus(ctx, in)
	if err != nil {
		return api.CleanupResult{}, err
	}
	c := &cleanup{in: in, status: status, run: workflow.GetInfo(ctx).WorkflowExecution.RunID,
		result: api.CleanupResult{Fleet: in.Fleet.Metadata.Name}}
	err = c.do(ctx)
	if err == nil && len(c.failures) > 0 {
		err = status.fail(api.TypeLeftOver, "the cleanup could not take everything away", c.failures)
	}
	status.phase(ctx, endPhase(ctx, err))
	return c.result, err
}

type cleanup struct {
	in       api.FleetInput
	run      string
	status   *fleetStatus
	failures []api.Failure
	result   api.CleanupResult
	// remembered says that the settings are those of a cluster's record.
	remembered bool
}

func (c *cleanup) do(ctx workflow.Context) error {
	// Which clusters there are: those of the file, and those that they remember.
	c.status.phase(ctx, "inventories")
	clusters := c.discover(ctx)
	if c.in.FromInventories {
		c.in.Fleet.Spec.Clusters = clusters // one of them may keep the root
	}
	c.status.clusters(clusters)

	// The links' steps, on every cluster: the tunnels are shut first.
	c.status.phase(ctx, "links")
	c.each(ctx, clusters, func(ctx workflow.Context, i int) (api.CleanupResult, error) {
		var out api.CleanupResult
		err := runChild(ctx, c.childID(ctx, ".links.", clusters[i]), "links of "+clusters[i].Name,
			attributes(api.FleetKey.ValueSet(c.in.Fleet.Metadata.Name), api.ClusterKey.ValueSet(clusters[i].Name)),
			CleanupLinks, c.input(clusters[i]), &out)
		return out, err
	})

	// Then what the clusters have of their own.
	c.status.phase(ctx, "clusters")
	c.each(ctx, clusters, func(ctx workflow.Context, i int) (api.CleanupResult, error) {
		c.status.cluster(ctx, i, api.Running, nil)
		var out api.CleanupResult
		err := runChild(ctx, c.childID(ctx, ".cluster.", clusters[i]), "cluster "+clusters[i].Name,
			attributes(api.FleetKey.ValueSet(c.in.Fleet.Metadata.Name), api.ClusterKey.ValueSet(clusters[i].Name)),
			CleanupCluster, c.input(clusters[i]), &out)
		c.status.cluster(ctx, i, endState(err), err)
		return out, err
	})
	for _, cl := range clusters {
		c.result.Clusters = append(c.result.Clusters, cl.Name)
	}

	// The root goes with its last user.
	if ctx.Err() != nil || len(c.failures) > 0 {
		if !c.in.DryRun {
			releaseAll(ctx, c.in, clusters, c.run)
		}
		return ctx.Err()
	}
	if !c.in.Fleet.Spec.CA.Managed() {
		return ctx.Err()
	}
	c.status.phase(ctx, "root")
	var out fleet.Changes
	root := c.in.RootRef(c.run).ClusterRef
	if err := fleetCall(ctx, cleanupCall(c.in.Fleet.Spec.Rollout), "3 root", a.RemoveRoot, api.RemoveInput{ClusterRef: root}, &out); err != nil {
		c.failures = append(c.failures, leftover("root", "3 root", err))
	}
	noteRemoved(&c.result, root, out.All())
	return ctx.Err()
}

// discover asks every cluster for what it remembers, and those that it names in
// turn. A cluster that cannot be asked is among the failures, and tried all the
// same: it may be back by then.
func (c *cleanup) discover(ctx workflow.Context) []fleet.Cluster {
	clusters := slices.Clone(c.in.Fleet.Spec.Clusters)
	for asked := 0; asked < len(clusters) && ctx.Err() == nil; {
		wave := clusters[asked:]
		asked = len(clusters)
		found := make([]api.CheckInventoryResult, len(wave))
		errs := make([]error, len(wave))
		inParallel(ctx, len(wave), c.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
			errs[i] = fleetCall(ctx, preflight(), "0 read record", a.CheckInventory, api.CheckInventoryInput{ClusterRef: c.in.Ref(wave[i], c.run)}, &found[i])
		})
		refused := map[string]bool{}
		for i := range wave {
			if errs[i] != nil {
				if f := leftover("cluster "+wave[i].Name, "0 read record", errs[i]); f.Type == api.TypeOtherFleet || f.Type == api.TypeLocked {
					refused[wave[i].Name] = true
					c.failures = append(c.failures, f)
				}
			}
			if found[i].Inventory == nil {
				continue
			}
			if c.in.FromInventories && !c.remembered {
				c.in.Fleet.Remembers(*found[i].Inventory)
				c.remembered = true
			}
			for _, peer := range found[i].Inventory.Spec.Clusters {
				if !slices.ContainsFunc(clusters, func(o fleet.Cluster) bool { return o.Name == peer.Name }) {
					clusters = append(clusters, peer)
				}
			}
		}
		// What belongs to another fleet, or is being changed, is not touched.
		before := len(clusters)
		clusters = slices.DeleteFunc(clusters, func(o fleet.Cluster) bool { return refused[o.Name] })
		asked -= before - len(clusters)
	}
	return clusters
}

// each runs a child per cluster and gathers what they left.
func (c *cleanup) each(ctx workflow.Context, clusters []fleet.Cluster, work func(workflow.Context, int) (api.CleanupResult, error)) {
	outs := make([]api.CleanupResult, len(clusters))
	errs := make([]error, len(clusters))
	inParallel(ctx, len(clusters), c.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		if errs[i] = ctx.Err(); errs[i] == nil {
			outs[i], errs[i] = work(ctx, i)
		}
	})
	for i := range clusters {
		c.result.Removed += outs[i].Removed
		c.result.Objects = append(c.result.Objects, outs[i].Objects...)
		if errs[i] == nil {
			continue
		}
		if list := api.Failures(errs[i]); len(list) > 0 {
			c.failures = append(c.failures, list...)
			continue
		}
		c.failures = append(c.failures, leftover("cluster "+clusters[i].Name, "", errs[i]))
	}
}

func (c *cleanup) childID(ctx workflow.Context, kind string, cl fleet.Cluster) string {
	return workflow.GetInfo(ctx).WorkflowExecution.ID + kind + cl.Name
}

func (c *cleanup) input(cl fleet.Cluster) api.CleanupInput {
	return cleanupInput(c.in, cl, c.run)
}

func cleanupInput(in api.FleetInput, c fleet.Cluster, run string) api.CleanupInput {
	return api.CleanupInput{ClusterRef: in.Ref(c, run), Rollout: in.Fleet.Spec.Rollout,
		KeepIstio: !in.Fleet.Spec.Istio.Managed(), KeepCA: !in.Fleet.Spec.CA.Managed()}
}

// CleanupLinks takes away what all links have on one cluster, as source and as
// target, in the reverse order of RolloutLink.
func CleanupLinks(ctx workflow.Context, in api.CleanupInput) (api.CleanupResult, error) {
	r, err := newRemoval(ctx, "links of "+in.ClusterRef.Cluster, in.Rollout)
	if err != nil {
		return api.CleanupResult{}, err
	}
	here := api.RemoveInput{ClusterRef: in.ClusterRef}
	r.removeLinks(ctx, here, here)
	return r.end(ctx)
}

// CleanupLink takes one link away, in the reverse order of RolloutLink.
func CleanupLink(ctx workflow.Context, in api.CleanupLinkInput) (api.CleanupResult, error) {
	r, err := newRemoval(ctx, "link "+in.Link.String(), in.Rollout)
	if err != nil {
		return api.CleanupResult{}, err
	}
	source := api.RemoveInput{ClusterRef: in.Source, Link: in.Link.ID()}
	target := api.RemoveInput{ClusterRef: in.Target, Link: in.Link.ID()}
	r.removeLinks(ctx, source, target)
	return r.end(ctx)
}

// removeLinks has the steps of RolloutLink in their reverse order.
func (r *removal) removeLinks(ctx workflow.Context, source, target api.RemoveInput) {
	r.remove(ctx, "10 remote secret", a.RemoveRemoteSecret, source)
	r.remove(ctx, "10 reader token", a.RemoveReaderToken, target)
	r.remove(ctx, "11 egress configuration", a.RemoveEgressConfig, source)
	r.remove(ctx, "10 egress gateway", a.RemoveEgressGateway, source)
	r.remove(ctx, "8 access", a.RemoveAccess, target)
}

// CleanupCluster takes away what a cluster has of its own, in the reverse order
// of RolloutCluster.
func CleanupCluster(ctx workflow.Context, in api.CleanupInput) (api.CleanupResult, error) {
	r, err := newRemoval(ctx, "cluster "+in.ClusterRef.Cluster, in.Rollout)
	if err != nil {
		return api.CleanupResult{}, err
	}
	here := api.RemoveInput{ClusterRef: in.ClusterRef}
	r.remove(ctx, "10 sealing key", a.RemoveSealingKey, here)
	r.remove(ctx, "10 reader", a.RemoveReader, here)
	r.remove(ctx, "8 expose kube-apiserver", a.RemoveExposure, here)
	r.remove(ctx, "7 east-west gateway", a.RemoveEastWestGateway, here)
	if !in.KeepIstio {
		r.remove(ctx, "6 istio", a.RemoveIstio, here)
	}
	if !in.KeepCA {
		r.remove(ctx, "5 cacerts", a.RemoveCACerts, here)
	}
	r.remove(ctx, "4 namespaces", a.RemoveNamespaces, here)
	if !in.KeepCA {
		r.remove(ctx, "3 intermediate key", a.RemoveIntermediateKey, here)
	}
	// As long as something is left, the cluster remembers the fleet.
	if len(r.failures) == 0 {
		r.remove(ctx, "0 record", a.RemoveInventory, here)
	}
	return r.end(ctx)
}

// cleanupCluster removes a whole cluster that left the fleet file.
func cleanupCluster(ctx workflow.Context, in api.FleetInput, c fleet.Cluster, run, parent string) error {
	return runChild(ctx, parent+".cluster."+c.Name, "remove cluster "+c.Name,
		attributes(api.FleetKey.ValueSet(in.Fleet.Metadata.Name), api.ClusterKey.ValueSet(c.Name)),
		CleanupCluster, cleanupInput(in, c, run), nil)
}

// removal takes things away one after the other, past failures.
type removal struct {
	*compensation
	failures []api.Failure
	result   api.CleanupResult
	gone     unreachable
}

func newRemoval(ctx workflow.Context, unit string, r fleet.Rollout) (*removal, error) {
	l := newCompensation(unit, r)
	return &removal{compensation: l, gone: unreachable{}}, l.status.publish(ctx)
}

func (r *removal) remove(ctx workflow.Context, name string, do func(context.Context, api.RemoveInput) (fleet.Changes, error), in api.RemoveInput) {
	if r.gone.skip(ctx, in.Cluster) {
		f := &r.failures[r.gone[in.Cluster]]
		f.Left = append(f.Left, name)
		return
	}
	out, err := call(ctx, r.compensation, cleanupCall(r.rollout), name, do, in)
	noteRemoved(&r.result, in.ClusterRef, out.All())
	if err != nil {
		f := leftover(r.unit, name, err)
		if r.gone.note(in.Cluster, f.Type, len(r.failures)) {
			f.Left = []string{name}
		}
		r.failures = append(r.failures, f)
	}
}

func (r *removal) end(ctx workflow.Context) (api.CleanupResult, error) {
	out := r.result
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	if len(r.failures) == 1 {
		return out, failUnit(api.TypeLeftOver, r.failures[0])
	}
	if len(r.failures) > 1 {
		return out, fail(api.TypeLeftOver, fmt.Sprintf("%s: %d steps left something", r.unit, len(r.failures)), r.failures)
	}
	return out, nil
}

func leftover(unit, step string, err error) api.Failure {
	f := api.Failure{Unit: unit, Step: step, State: api.StateLeft}
	f.Type, f.Message = describe(err)
	return f
}
