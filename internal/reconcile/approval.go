package reconcile

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/resource"
	"github.com/landbridge/landbridge/internal/runs"
)

// approval tells which wave waits for its approval, and gives it where the annotation names this
// wave of this generation: one that stays in Git approves nothing later.
func (r *Reconciler) approval(ctx context.Context, o *object, run runs.Run, s api.Status) error {
	if s.Phase != api.PhaseApproval || s.WaitsFor == "" {
		o.nothingWaits()
		return nil
	}
	o.status.Approval = fmt.Sprintf("%d/%s", o.status.Run.Generation, s.WaitsFor)
	message := fmt.Sprintf("wave %s waits for an approval: annotate %s=%s, or `landbridge approve %s --wave %s --reason …`",
		s.WaitsFor, resource.Approve, o.status.Approval, o.GetName(), s.WaitsFor)
	if n := s.Count(nil).Failed(); n > 0 {
		message += fmt.Sprintf("; %s failed before it", fleet.Count(n, "unit"))
	}
	given := o.GetAnnotations()[resource.Approve]
	if given == o.status.Approval && given != o.status.LastApproval {
		refused, err := r.approve(ctx, o, run, s.WaitsFor)
		switch {
		case err != nil:
			return err
		case refused == "":
			o.status.LastApproval = given
			o.nothingWaits()
			return nil
		}
		message = refused
	}
	o.set(resource.WaitingForApproval, metav1.ConditionTrue, resource.WaveWaits, message)
	return nil
}

// approve sends an approval, and returns why it was refused.
func (r *Reconciler) approve(ctx context.Context, o *object, run runs.Run, wave string) (refused string, err error) {
	if o.fleet != nil && o.fleet.Spec.Rollout.Approvers == fleet.ApproversOthers {
		return "an annotation does not tell who wrote it, and spec.rollout.approvers is others: approve by `landbridge approve`", nil
	}
	in := api.DecisionInput{Wave: wave, By: o.requester(), Reason: o.request().Reason}
	if in.Reason == "" {
		in.Reason = "annotation " + resource.Approve
	}
	_, err = runs.Decide(ctx, r.Temporal, run, api.UpdateApprove, in)
	var no *runs.DeclinedError
	if errors.As(err, &no) {
		return no.Error(), nil
	}
	return "", err
}
