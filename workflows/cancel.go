package workflows

import (
	"fmt"
	"slices"

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

// canceledBy returns the error of a run that somebody canceled, by its steering or in
// Temporal, with a sentence for people and a line for what is left, or err where nobody did.
func (r *steered) canceledBy(err error, left ...api.Failure) error {
	if !temporal.IsCanceledError(err) && (r.canceled == nil || err == nil || !r.gate.kept) {
		return err
	}
	by, what := "in Temporal", "what was open is undone"
	if c := r.canceled; c != nil {
		by = "by " + c.By
		if c.Reason != "" {
			by += ": " + c.Reason
		}
		if c.Keep {
			what = "what was open is kept as it is"
		}
	}
	if r.noun == cleanupNoun {
		what = "what is left stays"
	}
	text, _ := listed("the "+r.noun+" was canceled "+by+"; "+what, left)
	return temporal.NewCanceledError(text)
}

// stays lists what a canceled cleanup leaves: what it could not remove, where it was cut
// off, and the clusters that it did not come to.
func (c *cleanup) stays() []api.Failure {
	var left []api.Failure
	told := func(u api.Unit) bool {
		return slices.ContainsFunc(left, func(f api.Failure) bool { return f.Unit == u })
	}
	for _, f := range c.left {
		if f.Type == typeCanceled && f.Step == "" {
			f.Message = "the cleanup was cut off while it removed this"
		}
		if f.Type != typeCanceled || !told(f.Unit) {
			left = append(left, f)
		}
	}
	for _, cl := range c.in.Fleet.Spec.Clusters {
		c.add(api.Member(cl.Name))
	}
	for _, u := range c.list {
		if u.State != api.Done && !told(u.Unit) {
			left = append(left, api.Failure{Unit: u.Unit, Type: typeCanceled, State: api.StateLeft, Message: "the cleanup did not come to it"})
		}
	}
	return left
}
