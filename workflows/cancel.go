package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

func mayCancel(r *rollout, _ api.DecisionInput) error {
	if r.canceled != nil {
		return errors.New("the rollout is being canceled already, by " + r.canceled.By)
	}
	return nil
}

// cancel ends a rollout. What is open is undone, or with Keep left as it is; what is done
// stays in either case.
func cancel(ctx workflow.Context, r *rollout, in api.DecisionInput) string {
	d := api.Decision{What: api.UpdateCancel, Keep: in.Keep}
	r.decided(ctx, d, in)
	r.canceled = &r.Decisions[len(r.Decisions)-1]
	if !in.Keep {
		r.cancel()
		return "the rollout is canceled: what is open is undone, what is done stays"
	}
	r.gate.keep(ctx)
	workflow.Go(ctx, func(ctx workflow.Context) {
		_ = workflow.Await(ctx, func() bool { return len(r.gate.children) == 0 })
		r.cancel()
	})
	return "the rollout is canceled: what is open is kept as it is, what is done stays"
}

// canceledBy returns the error of a rollout that somebody canceled, with a sentence for
// people, or err where nobody did.
func (r *rollout) canceledBy(err error) error {
	if r.canceled == nil || !temporal.IsCanceledError(err) && (err == nil || !r.gate.kept) {
		return err
	}
	what := "what was open is undone"
	if r.canceled.Keep {
		what = "what was open is kept as it is"
	}
	by := r.canceled.By
	if r.canceled.Reason != "" {
		by += ": " + r.canceled.Reason
	}
	return temporal.NewCanceledError("the rollout was canceled by " + by + "; " + what)
}
