package workflows

import (
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// CleanupFleet removes a fleet, in the exact reverse of RolloutFleet, wave by wave where the
// fleet file has waves. It works from the fleet file, the inventories and labels alone. It
// goes on past a failure, and its error, of TypeLeftOver, lists what is left.
func CleanupFleet(ctx workflow.Context, in api.FleetInput) (api.CleanupResult, error) {
	c, err := newCleanup(ctx, in)
	if err != nil {
		return api.CleanupResult{}, err
	}
	work, end := workflow.WithCancel(ctx)
	c.cancel = end
	err = c.do(work)
	c.over = true
	for _, u := range c.list {
		u.leaveOut(false, "")
	}
	c.left = append(c.left, c.scheduled...)
	if err == nil && len(c.left) > 0 && c.result.Refused == "" {
		err = c.fail(api.TypeLeftOver, "the cleanup could not remove everything", c.left)
	}
	if temporal.IsCanceledError(err) {
		err = c.canceledBy(err, c.stays()...)
	}
	c.close(ctx, err)
	tellEnd(ctx, c.in, c.noun, err)
	c.result.Decisions = c.Decisions
	return c.result, err
}

// cleanup holds the state of a cleanup under way.
type cleanup struct {
	*steered
	id, run string
	// left lists what could not be removed, and why.
	left []api.Failure
	// scheduled tells why the fleet's schedule could not be deleted.
	scheduled []api.Failure
	// inventories holds what the clusters remember of the fleet.
	inventories []fleet.Fleet
	result      api.CleanupResult
}

func newCleanup(ctx workflow.Context, in api.FleetInput) (*cleanup, error) {
	status, err := newFleetBoard(ctx, in, &units{by: map[api.Unit]*unit{}})
	if err != nil {
		return nil, err
	}
	info := workflow.GetInfo(ctx).WorkflowExecution
	c := &cleanup{steered: &steered{board: status, in: in, noun: cleanupNoun, gate: &gate{}}, id: info.ID, run: info.RunID,
		result: api.CleanupResult{Fleet: in.Fleet.Metadata.Name, Clusters: []string{}}}
	if in.DryRun {
		return c, nil
	}
	return c, c.steer(ctx, slices.DeleteFunc(slices.Clone(decisions), func(d decision) bool { return d.name == api.UpdateRetry }))
}

func (c *cleanup) do(ctx workflow.Context) error {
	// The clusters of the file, and those that their inventories name.
	c.phase(ctx, "inventories")
	clusters := c.members(ctx)
	if c.in.FromInventories {
		c.in.Fleet.Spec.Clusters = clusters // one of them may keep the root
	}
	refused := c.refusedWhole(ctx, clusters)
	if ctx.Err() != nil { // what was not answered refuses nothing
		return ctx.Err()
	}
	if len(refused) > 0 {
		c.result.Refused = sentences(refused)
		if !c.in.DryRun {
			return c.fail(api.TypePreflight, "nothing was removed", refused)
		}
	}

	// The schedule, which would find drift in all that goes.
	if !c.in.DryRun && len(clusters) > 0 {
		c.endSchedule(ctx)
	}

	// The clusters, wave by wave.
	err := c.removeWaves(ctx, clusters)

	// Last the root, which goes with its last user, unless it is an issuer's.
	if err != nil || len(c.left) > 0 || len(c.result.Skipped) > 0 {
		if !c.in.DryRun {
			releaseAll(ctx, c.in, clusters, c.run)
		}
		return err
	}
	if c.in.Fleet.Spec.CA.KeepsRoot() {
		c.removeRoot(ctx)
	}
	return ctx.Err()
}

// sentences joins failures, each with the unit that it is about.
func sentences(list []api.Failure) string {
	var out []string
	for _, f := range list {
		if f.Unit == (api.Unit{}) {
			out = append(out, f.Message)
		} else {
			out = append(out, f.String())
		}
	}
	return strings.Join(out, "; ")
}

// refusedWhole tells why nothing of the fleet may be removed.
func (c *cleanup) refusedWhole(ctx workflow.Context, clusters []fleet.Cluster) []api.Failure {
	if err := c.in.Fleet.Protects(c.inventories); err != nil {
		return []api.Failure{{Type: api.TypeInvalid, Message: err.Error()}}
	}
	found, failures := workloads(ctx, c.in, clusters, c.run)
	c.result.Workloads = found
	return keepsWorkloads(c.in, found, failures)
}

// endSchedule deletes the fleet's schedule. One that stays does not keep the cleanup from
// going on: its checks find no inventory, and change nothing.
func (c *cleanup) endSchedule(ctx workflow.Context) {
	const step = "end schedule"
	c.phase(ctx, "schedule")
	out, err := temporalCall(ctx, step, a.EndSchedule, api.EndScheduleInput{ClusterRef: c.in.FleetRef(c.run)})
	c.result.Unscheduled = out.Deleted
	if err != nil {
		f := leftover(api.Unit{}, step, err)
		f.Message += "; `landbridge schedule delete " + c.Fleet + "` deletes it"
		c.scheduled = append(c.scheduled, f)
	}
}

// onEach runs a child per cluster, and collects what they could not remove.
func (c *cleanup) onEach(ctx workflow.Context, clusters []fleet.Cluster, of func(fleet.Cluster) child) {
	outs, errs := make([]api.CleanupResult, len(clusters)), make([]error, len(clusters))
	inParallel(ctx, len(clusters), c.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		if errs[i] = ctx.Err(); errs[i] != nil {
			return
		}
		errs[i] = c.gate.runChild(ctx, of(clusters[i]), cleanupInput(c.in, clusters[i], c.run), &outs[i])
	})
	for i, cl := range clusters {
		c.collect(cl.Name, outs[i], errs[i])
	}
	c.show(ctx)
}

// collect adds up what a child removed, and why it could not remove the rest. Then the
// member failed that it is about.
func (c *cleanup) collect(member string, out api.CleanupResult, err error) {
	c.result.Removed += out.Removed
	c.result.GivenBack += out.GivenBack
	c.result.Objects = append(c.result.Objects, out.Objects...)
	if err == nil {
		return
	}
	list := api.Failures(err)
	if len(list) == 0 {
		list = []api.Failure{leftover(api.Member(member), "", err)}
	}
	c.left = append(c.left, list...)
	if u := c.member(member); u.State == api.Running {
		u.fail(list[0])
	}
}

func (c *cleanup) removeRoot(ctx workflow.Context) {
	if c.gate.wait(ctx) != nil {
		return
	}
	c.phase(ctx, "root")
	root := c.add(api.Root())
	root.move(api.Running)
	ref := c.in.RootRef(c.run).ClusterRef
	for _, s := range slices.Backward(rootSteps.steps) {
		out, err := fleetCall(ctx, patientCall(limitsOf(c.in.Fleet)), s.String(), s.undo, api.RemoveInput{ClusterRef: ref})
		noteRemoved(&c.result, ref, out.All())
		if err != nil {
			c.left = append(c.left, leftover(api.Root(), s.name, err))
			root.fail(c.left[len(c.left)-1])
			return
		}
	}
	root.move(api.Done)
}

// cleanupInput returns the input of a child that cleans a cluster up. An existing Istio
// or CA stays.
func cleanupInput(in api.FleetInput, c fleet.Cluster, run string) api.CleanupInput {
	return api.CleanupInput{ClusterRef: in.Ref(c, run), Rollout: in.Fleet.Spec.Rollout,
		KeepIstio: !in.Fleet.Settings(c).Istio.Managed(), KeepCA: !in.Fleet.Spec.CA.Managed()}
}

// noteRemoved counts what a step removed, or lists what it would remove.
func noteRemoved(r *api.CleanupResult, ref api.ClusterRef, changes []fleet.Change) {
	for _, ch := range changes {
		if ch.Action == fleet.Update {
			r.GivenBack++
		} else {
			r.Removed++
		}
		if ref.DryRun {
			r.Objects = append(r.Objects, api.ClusterObject{Cluster: ref.Cluster, Kind: ch.Kind, Namespace: ch.Namespace, Name: ch.Name, Note: ch.Note})
		}
	}
}

// leftover describes a step that could not remove its objects.
func leftover(unit api.Unit, step string, err error) api.Failure {
	f := api.Failure{Unit: unit, Step: step, State: api.StateLeft}
	f.Type, f.Message = describeFor(unit, err)
	return f
}
