package workflows

import "github.com/landbridge/landbridge/internal/api"

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
