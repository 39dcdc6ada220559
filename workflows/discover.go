package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// asked holds the answer of one cluster to the question what it remembers of the fleet.
type asked struct {
	cluster fleet.Cluster
	api.CheckInventoryResult
	err error
}

// discover reads the inventory of every cluster of the input, and of the clusters that an
// inventory names in turn, and returns the answers of all of them. Without a fleet file
// somebody may know a cluster by a kubeconfig that leads there no more: then that of an
// inventory is tried.
func discover(ctx workflow.Context, in api.FleetInput, run string) (out []asked) {
	var tried []fleet.Cluster
	next := in.Fleet.Spec.Clusters
	for len(next) > 0 && ctx.Err() == nil {
		tried = append(tried, next...)
		answers := askEach(ctx, in, next, run)
		next = nil
		for _, answer := range answers {
			if i := answerOf(out, answer.cluster); i >= 0 {
				out[i] = answer // the first one failed
			} else {
				out = append(out, answer)
			}
		}
		for _, answer := range answers {
			for _, peer := range answer.peers() {
				i := answerOf(out, peer)
				lost := i >= 0 && in.FromInventories && out[i].err != nil && !slices.ContainsFunc(tried, reachedAs(peer))
				if (i < 0 || lost) && !slices.ContainsFunc(next, reachedAs(peer)) {
					next = append(next, peer)
				}
			}
		}
	}
	return out
}

// peers returns the clusters that an answer names.
func (a asked) peers() []fleet.Cluster {
	if a.Inventory == nil {
		return nil
	}
	return a.Inventory.Spec.Clusters
}

func answerOf(answers []asked, c fleet.Cluster) int {
	return slices.IndexFunc(answers, func(a asked) bool { return a.cluster.Name == c.Name })
}

// reachedAs finds a cluster by its name and the way there.
func reachedAs(c fleet.Cluster) func(fleet.Cluster) bool {
	return func(o fleet.Cluster) bool {
		return o.Name == c.Name && o.Kubeconfig == c.Kubeconfig && o.TaskQueue == c.TaskQueue
	}
}

// askEach reads the inventories of some clusters.
func askEach(ctx workflow.Context, in api.FleetInput, clusters []fleet.Cluster, run string) []asked {
	out := make([]asked, len(clusters))
	inParallel(ctx, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		found, err := fleetCall(ctx, preflight(), readInventory, a.CheckInventory, api.CheckInventoryInput{ClusterRef: in.Ref(clusters[i], run)})
		out[i] = asked{clusters[i], found, err}
	})
	return out
}

// readInventory names the first step of a cleanup.
const readInventory = "0 read inventory"

// members returns the clusters that a cleanup works on, and notes what they remember.
// Those that do not answer are among them, since they may answer later. Those that belong
// to another fleet, or that another run is changing, are not: nobody touches them.
func (c *cleanup) members(ctx workflow.Context) (out []fleet.Cluster) {
	settings := false
	for _, answer := range discover(ctx, c.in, c.run) {
		if c.refuses(answer.cluster.Name, answer.err) {
			continue
		}
		out = append(out, answer.cluster)
		if answer.Inventory == nil {
			continue
		}
		c.inventories = append(c.inventories, *answer.Inventory)
		if c.in.FromInventories && !settings {
			c.in.Fleet.SetFrom(*answer.Inventory)
			settings = true
		}
	}
	return out
}

// refuses tells whether the cleanup must not touch a cluster, and notes why.
func (c *cleanup) refuses(cluster string, err error) bool {
	f, refused := refusal(cluster, err)
	if refused {
		c.left = append(c.left, f)
	}
	return refused
}

// refusal tells whether a cluster refused to be looked at, since it is not for this run to
// touch, and why.
func refusal(cluster string, err error) (f api.Failure, refused bool) {
	if err == nil {
		return f, false
	}
	f = leftover(api.Member(cluster), api.StepWords(readInventory), err)
	return f, f.Type == api.TypeOtherFleet || f.Type == api.TypeOtherMember || f.Type == api.TypeLocked
}
