package workflows

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// unreachable maps each cluster that did not answer within the time of one step to the
// index of the failure that told so. Later steps on such a cluster are not tried: a
// dozen steps of an hour each would keep a person from learning what is left.
type unreachable map[string]int

// note remembers a cluster whose step ended with an error of that type, where the type
// means that the cluster is unreachable. It tells whether that is so.
func (u unreachable) note(cluster, errorType string, failure int) bool {
	if errorType != api.TypeUnreachable && errorType != typeNoWorker {
		return false
	}
	u[cluster] = failure
	return true
}

// unanswered tells whether a look at a cluster that ended with an error of this type got
// no answer: of the API server, or of a worker. A look waits for nothing else, so that one
// that runs out of time got none either.
func unanswered(errorType string) bool {
	return errorType == api.TypeUnreachable || errorType == typeNoWorker || errorType == typeTimeout
}

// unansweredMembers lists the members that did not answer.
func (r *rollout) unansweredMembers() (out []fleet.Cluster) {
	return slices.DeleteFunc(slices.Clone(r.in.Fleet.Spec.Clusters), func(c fleet.Cluster) bool { return r.member(c.Name).answered })
}

// answeredMembers lists the members that answered.
func (r *rollout) answeredMembers() (out []fleet.Cluster) {
	return slices.DeleteFunc(slices.Clone(r.in.Fleet.Spec.Clusters), func(c fleet.Cluster) bool { return !r.member(c.Name).answered })
}

// rootUnknown tells why the root cannot be used while members do not answer: one of them
// keeps it, or there is none and one of them may know one.
func (r *rollout) rootUnknown(ctx workflow.Context) []api.Failure {
	silent := r.unansweredMembers()
	if len(silent) == 0 {
		return nil
	}
	var names []string
	for _, c := range silent {
		names = append(names, c.Name)
	}
	problem := func(why string, args ...any) []api.Failure {
		return []api.Failure{{Unit: api.Root(), Type: api.TypeRoot, Message: fmt.Sprintf(why, args...)}}
	}
	if keeper := r.in.Fleet.Spec.CA.Root.Cluster; slices.Contains(names, keeper) {
		return problem("cluster %s keeps it (spec.ca.root.cluster) and does not answer; without the root no cluster can be rolled out: bring %s back first", keeper, keeper)
	}
	if issuer := r.in.Fleet.Spec.CA.Issuer.CertManager.Cluster; slices.Contains(names, issuer) {
		return problem("cluster %s has the issuer (spec.ca.issuer.certManager) and does not answer; without it no cluster can be rolled out: bring %s back first", issuer, issuer)
	}
	if len(r.knownRoots()) > 0 {
		return nil // step 3 uses that root or none
	}
	in := api.EnsureRootInput{RootRef: r.in.RootRef(r.run), CA: r.in.Fleet.Spec.CA}
	in.DryRun = true // it only reads the root
	root, err := fleetCall(ctx, preflight(), stepPreflight, a.EnsureRoot, in)
	if err != nil {
		return []api.Failure{failureOf(api.Root(), err)}
	}
	if root.Facts.Fingerprint == "" {
		return problem("there is none, and none is made while a cluster that may know one does not answer (%s): bring it back, or leave it out of the fleet file until then", strings.Join(names, ", "))
	}
	return nil
}

// reach looks again at a member that did not answer in the preflight and is retried, and
// returns why it cannot be rolled out.
func (r *rollout) reach(ctx workflow.Context, c fleet.Cluster) *api.Failure {
	if r.member(c.Name).answered {
		return nil
	}
	if f := r.check(ctx, c); f != nil {
		return f
	}
	if problems := append(r.problemsOf(c.Name), r.problems(ctx)...); len(problems) > 0 {
		f := api.Failure{Unit: api.Member(c.Name), Step: api.StepWords(stepPreflight), Type: api.TypePreflight}
		var all []string
		for _, p := range problems {
			all = append(all, p.String())
		}
		f.Message = strings.Join(all, "; ")
		u := r.member(c.Name)
		u.check, u.answered = api.CheckClusterResult{}, false
		return &f
	}
	r.stale = r.in.Fleet.Stale(r.inventories()).Without(r.pruned) // it may be the only one that remembers something
	return nil
}
