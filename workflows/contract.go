package workflows

import (
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

// Guard refuses a workflow whose input comes from a newer contract, before it does
// anything. Activities refuse for themselves, and may find a newer worker. It also reads the
// sources of a fleet, so that no workflow begins without the clusters that they list.
type Guard struct {
	interceptor.WorkerInterceptorBase
}

// InterceptWorkflow implements interceptor.WorkerInterceptor.
func (*Guard) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &guarded{interceptor.WorkflowInboundInterceptorBase{Next: next}}
}

type guarded struct {
	interceptor.WorkflowInboundInterceptorBase
}

// ExecuteWorkflow implements interceptor.WorkflowInboundInterceptor.
func (g *guarded) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	for i, arg := range in.Args {
		if err := api.Understood(arg); err != nil {
			return nil, temporal.NewNonRetryableApplicationError(err.Error()+"; nothing was changed", api.TypePreflight, nil)
		}
		if input, ok := arg.(api.FleetInput); ok {
			whole, err := resolved(ctx, input)
			if err != nil {
				return nil, err
			}
			in.Args[i] = whole
		}
	}
	return g.Next.ExecuteWorkflow(ctx, in)
}
