package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// ForgetFleet has the members of a fleet forget one that is lost for good: it removes
// their ends of its links, and the member from their inventories. The member itself is not
// touched; the result lists what it still has. An error of TypePreflight means that
// nothing was changed, one of TypeLeftOver lists who still remembers it.
func ForgetFleet(ctx workflow.Context, in api.FleetInput) (api.ForgetResult, error) {
	return telling(ctx, in, forgetNoun, forgetFleet)
}

func forgetFleet(ctx workflow.Context, in api.FleetInput) (api.ForgetResult, error) {
	status, err := newFleetBoard(ctx, in, &units{by: map[api.Unit]*unit{}})
	if err != nil {
		return api.ForgetResult{}, err
	}
	info := workflow.GetInfo(ctx).WorkflowExecution
	f := &forget{board: status, in: in, id: info.ID, run: info.RunID, name: in.Forget, result: api.ForgetResult{
		Fleet: in.Fleet.Metadata.Name, Cluster: in.Forget, Clusters: []string{}, Revoked: []string{}, Unrevoked: []string{}, There: []api.StillThere{}}}
	if err = f.do(ctx); err == nil && len(f.left) > 0 {
		err = f.fail(api.TypeLeftOver, fmt.Sprintf("cluster %s is not forgotten everywhere; repeat this when the others answer", f.name), f.left)
	}
	f.phase(ctx, endPhase(ctx, err))
	return f.result, err
}

// forget holds the state of a ForgetFleet under way.
type forget struct {
	*board
	in      api.FleetInput
	id, run string
	name    string
	// answers has what each member said, and inventories what those that answered remember.
	answers     []asked
	inventories []fleet.Fleet
	// lost is the member to forget, and left lists who still remembers it.
	lost   fleet.Cluster
	left   []api.Failure
	result api.ForgetResult
}

func (f *forget) do(ctx workflow.Context) error {
	f.phase(ctx, "inventories")
	f.answers = discover(ctx, f.in, f.run)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var peers []fleet.Cluster
	for _, answer := range f.answers {
		if answer.Inventory != nil {
			f.inventories = append(f.inventories, *answer.Inventory)
		}
		if answer.cluster.Name != f.name {
			peers = append(peers, answer.cluster)
		}
	}
	if why := f.refused(peers); len(why) > 0 {
		return f.fail(api.TypePreflight, "nothing was changed", why)
	}
	f.tellWhatIsThere()

	gone := f.add(api.Member(f.name))
	gone.Removal = true
	gone.move(api.Running)
	f.phase(ctx, "links")
	f.removeLinks(ctx)
	f.phase(ctx, "clusters")
	f.forgetEverywhere(ctx, peers)
	if !f.in.DryRun {
		releaseAll(ctx, f.in, slices.DeleteFunc(peers, func(c fleet.Cluster) bool { return f.answer(c.Name).err != nil }), f.run)
	}
	err := ctx.Err()
	if err == nil && len(f.left) > 0 {
		gone.fail(api.Failure{Unit: gone.Unit, Type: api.TypeLeftOver, Message: "others still remember it"})
		return nil
	}
	gone.end(err)
	return err
}

// refused lists why the member must not be forgotten.
func (f *forget) refused(peers []fleet.Cluster) (out []api.Failure) {
	problem := func(why string, args ...any) []api.Failure {
		return []api.Failure{{Unit: api.Member(f.name), Type: api.TypeInvalid, Message: fmt.Sprintf(why, args...)}}
	}
	answer := f.answer(f.name)
	switch {
	case answer.cluster.Name == "":
		var names []string
		for _, c := range peers {
			names = append(names, c.Name)
		}
		return problem("no cluster of the fleet knows it; the members are %s", strings.Join(names, ", "))
	case answered(answer.err):
		return problem("it answers, and can be cleaned up as one that is there: take it out of the fleet file and use `landbridge rollout --prune`")
	}
	f.lost = answer.cluster
	for _, c := range peers {
		if why, refused := refusal(c.Name, f.answer(c.Name).err); refused {
			out = append(out, why)
		}
	}
	if err := f.in.Fleet.Protects(f.inventories); err != nil && !f.in.DryRun {
		out = append(out, api.Failure{Type: api.TypeInvalid, Message: err.Error()})
	}
	return out
}

// answer returns what a member said, or nothing where nobody knows it.
func (f *forget) answer(name string) asked {
	if i := answerOf(f.answers, fleet.Cluster{Name: name}); i >= 0 {
		return f.answers[i]
	}
	return asked{}
}

// answered tells whether a look at a cluster got an answer, of whatever kind. The
// kubeconfig of a cluster that is lost may be gone too.
func answered(err error) bool {
	if err == nil {
		return true
	}
	typ, _ := describe(err)
	return !unanswered(typ) && typ != api.TypeKubeconfig && typ != api.TypeOther
}

// links lists the links of the member, from the fleet file and from all inventories.
func (f *forget) links() []fleet.Link {
	all := fleet.Touches(f.in.Fleet.Links(), f.name)
	for _, r := range f.inventories {
		all = append(all, fleet.Touches(r.Links(), f.name)...)
	}
	slices.SortFunc(all, func(a, b fleet.Link) int { return strings.Compare(a.ID(), b.ID()) })
	return slices.Compact(all)
}

// peerOf returns the other end of a link.
func (f *forget) peerOf(l fleet.Link) string {
	if l.From == f.name {
		return l.To
	}
	return l.From
}

// removeLinks removes the other ends of the member's links.
func (f *forget) removeLinks(ctx workflow.Context) {
	links := f.links()
	for _, l := range links {
		f.add(api.LinkOf(l)).Removal = true
	}
	outs := make([]api.CleanupResult, len(links))
	inParallel(ctx, len(links), f.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		u, l := f.get(api.LinkOf(links[i])), links[i]
		u.move(api.Running)
		f.show(ctx)
		err := f.answer(f.peerOf(l)).err
		if err == nil {
			err = (&gate{}).removeLink(ctx, f.id,
				api.CleanupLinkInput{Source: f.ref(l.From), Target: f.ref(l.To), Link: l, Rollout: f.in.Fleet.Spec.Rollout, Lost: f.name}, &outs[i])
		}
		u.end(err)
		f.show(ctx)
	})
	for i, l := range links {
		f.result.Removed += outs[i].Removed
		f.result.Objects = append(f.result.Objects, outs[i].Objects...)
		u := f.get(api.LinkOf(l))
		switch {
		case u.State != api.Done:
			left := *u.failure
			left.State = api.StateLeft
			f.left = append(f.left, left)
		case l.From == f.name:
			f.result.Revoked = append(f.result.Revoked, l.To)
		}
	}
}

// forgetEverywhere writes the inventories of those that remember the member, without it.
// Where an end of a link is left, the inventory stays: it is all that is known of it.
func (f *forget) forgetEverywhere(ctx workflow.Context, peers []fleet.Cluster) {
	peers = slices.DeleteFunc(slices.Clone(peers), func(c fleet.Cluster) bool { return !f.remembers(c.Name) })
	for _, c := range peers {
		f.add(api.Member(c.Name))
	}
	gone := fleet.Forgotten{Name: f.name, At: workflow.Now(ctx).UTC(), Request: f.in.Request}
	inParallel(ctx, len(peers), f.in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		u, was := f.member(peers[i].Name), f.answer(peers[i].Name)
		u.move(api.Running)
		out, err := fleetCall(ctx, apiCall(limitsOf(f.in.Fleet)), stepInventory.String(), a.EnsureInventory,
			api.EnsureInventoryInput{ClusterRef: f.ref(peers[i].Name), Part: was.Inventory.Without(f.name), Memory: was.Memory.Forget(gone)})
		u.changes = out.All()
		u.end(err)
		f.show(ctx)
	})
	for _, c := range peers {
		if u := f.member(c.Name); u.State == api.Done {
			f.result.Clusters = append(f.result.Clusters, c.Name)
		} else {
			f.left = append(f.left, *u.failure)
		}
	}
}

// remembers tells whether a cluster's inventory names the member, and nothing of it is
// left there.
func (f *forget) remembers(cluster string) bool {
	have := f.answer(cluster).Inventory
	if have == nil || slices.ContainsFunc(f.links(), func(l fleet.Link) bool {
		return f.peerOf(l) == cluster && f.get(api.LinkOf(l)).State != api.Done
	}) {
		return false
	}
	_, known := have.Cluster(f.name)
	return known || len(fleet.Touches(have.Links(), f.name)) > 0
}

// ref returns the reference of a member.
func (f *forget) ref(name string) api.ClusterRef {
	return f.in.Ref(f.answer(name).cluster, f.run)
}

// tellWhatIsThere lists what the member still has, step by step, and whose tokens it
// accepts.
func (f *forget) tellWhatIsThere() {
	keep := cleanupInput(f.in, f.lost, f.run)
	steps := func(t *table, at place) (out []string) {
		for _, s := range t.steps {
			if s.undo != nil && s.at == at && !(s.part == ca && keep.KeepCA) && !(s.part == istio && keep.KeepIstio) {
				out = append(out, s.name)
			}
		}
		return out
	}
	f.result.There = append(f.result.There, api.StillThere{Unit: api.Member(f.name), Steps: steps(memberSteps, onMember)})
	for _, l := range f.links() {
		end := onSource
		if l.To == f.name {
			end = onTarget
			f.result.Unrevoked = append(f.result.Unrevoked, l.From)
		}
		f.result.There = append(f.result.There, api.StillThere{Unit: api.LinkOf(l), Steps: steps(linkSteps, end)})
	}
	f.result.KeptRoot = f.in.Fleet.Spec.CA.Root.Cluster == f.name ||
		slices.ContainsFunc(f.inventories, func(r fleet.Fleet) bool { return r.Spec.CA.Root.Cluster == f.name })
}
