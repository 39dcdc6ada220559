package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

// unreachable holds the clusters that did not answer for as long as one step may take,
// and which failure said so. What follows on them is not waited for again: a
// dozen steps of an hour each would keep a person from the answer, which is what
// is left.
type unreachable map[string]int

// note remembers a cluster whose step ended so, and says whether it is away.
func (u unreachable) note(cluster, errorType string, failure int) bool {
	if errorType != api.TypeUnreachable && errorType != typeNoWorker {
		return false
	}
	u[cluster] = failure
	return true
}

// skip says whether a step on this cluster is to be left out. Runs that began
// before there was this rule try every step.
func (u unreachable) skip(ctx workflow.Context, cluster string) bool {
	_, gone := u[cluster]
	return gone && workflow.GetVersion(ctx, "clusters that are away are not tried again", workflow.DefaultVersion, 1) == 1
}
