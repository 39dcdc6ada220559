package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// discover reads the inventory of every cluster, and of the clusters that an inventory
// names in turn, and returns all of them. Those that do not answer are among them, since
// they may answer later. Those that belong to another fleet, or that another run is
// changing, are not: nobody touches them.
func (c *cleanup) discover(ctx workflow.Context) []fleet.Cluster {
	clusters := slices.Clone(c.in.Fleet.Spec.Clusters)
	refused, settings := map[string]bool{}, false
	for asked := 0; asked < len(clusters) && ctx.Err() == nil; {
		next := clusters[asked:]
		asked = len(clusters)
		for i, found := range c.ask(ctx, next) {
			if c.refuses(next[i].Name, found.err) {
				refused[next[i].Name] = true
			}
			if found.inventory == nil {
				continue
			}
			c.inventories = append(c.inventories, *found.inventory)
			if c.in.FromInventories && !settings {
				c.in.Fleet.SetFrom(*found.inventory)
				settings = true
			}
			for _, peer := range found.inventory.Spec.Clusters {
				if !slices.ContainsFunc(clusters, func(o fleet.Cluster) bool { return o.Name == peer.Name }) {
					clusters = append(clusters, peer)
				}
			}
		}
	}
	return slices.DeleteFunc(clusters, func(o fleet.Cluster) bool { return refused[o.Name] })
}

// foundInventory holds the answer of one cluster.
type foundInventory struct {
	inventory *fleet.Fleet
	err       error
}

// ask reads the inventories of some clusters.
func (c *cleanup) ask(ctx workflow.Context, clusters []fleet.Cluster) []foundInventory {
	out := make([]foundInventory, len(clusters))
	inParallel(ctx, len(clusters), c.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		found, err := fleetCall(ctx, preflight(), readInventory, a.CheckInventory, api.CheckInventoryInput{ClusterRef: c.in.Ref(clusters[i], c.run)})
		out[i] = foundInventory{found.Inventory, err}
	})
	return out
}

// readInventory names the first step of a cleanup.
const readInventory = "0 read inventory"

// refuses tells whether the cleanup must not touch a cluster, and notes why.
func (c *cleanup) refuses(cluster string, err error) bool {
	if err == nil {
		return false
	}
	f := leftover(api.Member(cluster), api.StepWords(readInventory), err)
	if f.Type != api.TypeOtherFleet && f.Type != api.TypeOtherMember && f.Type != api.TypeLocked {
		return false
	}
	c.left = append(c.left, f)
	return true
}
