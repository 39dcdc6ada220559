package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// stepWorkloads names the look at who needs a control plane that is to go.
const stepWorkloads = "6 check workloads"

// workloads lists the pods that are in the mesh of the control planes of some clusters,
// and tells where that could not be seen. An Istio that is not ours stays, and so do its
// workloads. A cluster that does not answer is left out: nothing can be removed there.
func workloads(ctx workflow.Context, in api.FleetInput, clusters []fleet.Cluster, run string) (found []api.Workloads, failures []api.Failure) {
	results, errs := make([]api.CheckWorkloadsResult, len(clusters)), make([]error, len(clusters))
	inParallel(ctx, len(clusters), in.Fleet.Spec.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		if istio := in.Fleet.Settings(clusters[i]).Istio; istio.Managed() {
			results[i], errs[i] = fleetCall(ctx, preflight(), stepWorkloads, a.CheckWorkloads,
				api.CheckWorkloadsInput{ClusterRef: in.Ref(clusters[i], run), Istio: istio.Name})
		}
	})
	for i, c := range clusters {
		found = append(found, results[i].Workloads...)
		if errs[i] == nil {
			continue
		}
		f := failureOf(api.Member(c.Name), errs[i])
		if f.Step = api.StepWords(stepWorkloads); !unanswered(f.Type) {
			failures = append(failures, f)
		}
	}
	return found, failures
}

// keepsWorkloads refuses a removal that would take the control plane of pods, unless it is
// forced. It returns all that stands in the way.
func keepsWorkloads(in api.FleetInput, found []api.Workloads, failures []api.Failure) []api.Failure {
	if in.Force {
		return nil
	}
	if len(found) > 0 {
		failures = append(failures, api.Failure{Type: api.TypeInvalid, Message: api.StillInMesh(found)})
	}
	return failures
}
