package workflows

import "github.com/landbridge/landbridge/internal/api"

// unreachable holds the clusters that did not answer for as long as one step may take,
// and the index of the failure that said so. What follows on them is not tried: a
// dozen steps of an hour each would keep a person from the answer, which is what is
// left.
type unreachable map[string]int

// note remembers a cluster whose step ended with such an error, and says whether it is
// unreachable.
func (u unreachable) note(cluster, errorType string, failure int) bool {
	if errorType != api.TypeUnreachable && errorType != typeNoWorker {
		return false
	}
	u[cluster] = failure
	return true
}
