package workflows

import (
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

// Guard refuses a workflow whose input comes from a newer contract, before it does
// anything. Activities refuse for themselves, and may find a newer worker.
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
	for _, arg := range in.Args {
		if err := api.Understood(arg); err != nil {
			return nil, temporal.NewNonRetryableApplicationError(err.Error()+"; nothing was changed", api.TypePreflight, nil)
		}
	}
	return g.Next.ExecuteWorkflow(ctx, in)
}
