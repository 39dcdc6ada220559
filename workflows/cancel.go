package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
)

func mayCancel(r *steered, _ api.DecisionInput) error {
	if r.canceled != nil {
		return fmt.Errorf("the %s is being canceled already, by %s", r.noun, r.canceled.By)
	}
	return nil
}

// cancel ends a run. What is open of a rollout is undone, or with Keep left as it is; what is
// done stays in either case. A cleanup has nothing to undo.
func cancel(ctx workflow.Context, r *steered, in api.DecisionInput) string {
	d := api.Decision{What: api.UpdateCancel, Keep: in.Keep}
	r.decided(ctx, d, in)
	r.canceled = &r.Decisions[len(r.Decisions)-1]
	if r.noun == cleanupNoun {
		r.cancel()
		return "the cleanup is canceled: what was removed does not come back, what is left stays"
	}
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

// canceledBy returns the error of a run that somebody canceled, with a sentence for
// people, or err where nobody did.
func (r *steered) canceledBy(err error) error {
	if r.canceled == nil || !temporal.IsCanceledError(err) && (err == nil || !r.gate.kept) {
		return err
	}
	what := "what was open is undone"
	switch {
	case r.noun == cleanupNoun:
		what = "what is left stays"
	case r.canceled.Keep:
		what = "what was open is kept as it is"
	}
	by := r.canceled.By
	if r.canceled.Reason != "" {
		by += ": " + r.canceled.Reason
	}
	return temporal.NewCanceledError("the " + r.noun + " was canceled by " + by + "; " + what)
}
