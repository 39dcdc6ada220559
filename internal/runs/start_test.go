package runs

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rolling is a Temporal in which a rollout runs, or is paused. A dry run of a cleanup ends with would, or
// with an error.
type rolling struct {
	client.Client
	client.WorkflowRun
	client.HistoryEventIterator
	rollout  api.FleetInput
	would    api.CleanupResult
	dryRun   error
	canceled int
	paused   bool
}

func (r *rolling) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if r.paused {
		d := &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "run-1"}, Type: &commonpb.WorkflowType{Name: api.RolloutFleet}, Status: enumspb.WORKFLOW_EXECUTION_STATUS_PAUSED}}
		d.WorkflowExtendedInfo = &workflowpb.WorkflowExecutionExtendedInfo{PauseInfo: &workflowpb.WorkflowExecutionPauseInfo{Identity: "anna", PausedTime: timestamppb.Now(), Reason: "lunch"}}
		return d, nil
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "run-1"}, Type: &commonpb.WorkflowType{Name: api.RolloutFleet},
		Status: enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING}}, nil
}

func (r *rolling) GetWorkflow(context.Context, string, string) client.WorkflowRun { return r }
func (r *rolling) GetID() string                                                  { return "landbridge.prod" }
func (r *rolling) GetRunID() string                                               { return "run-1" }

func (r *rolling) Get(_ context.Context, out any) error {
	if out != nil {
		*out.(*api.CleanupResult) = r.would
	}
	return r.dryRun
}

func (r *rolling) QueryWorkflow(context.Context, string, string, string, ...any) (converter.EncodedValue, error) {
	return nil, io.EOF
}

func (r *rolling) GetWorkflowHistory(context.Context, string, string, bool, enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	return r
}

func (r *rolling) Next() (*historypb.HistoryEvent, error) {
	payloads, err := converter.GetDefaultDataConverter().ToPayloads(r.rollout)
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: payloads}}}, err
}

func (r *rolling) ExecuteWorkflow(_ context.Context, _ client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	if !args[0].(api.FleetInput).DryRun {
		panic("only looks begin while a rollout runs")
	}
	return r, nil
}

func (r *rolling) CancelWorkflow(context.Context, string, string) error {
	r.canceled++
	return nil
}

// A cleanup cancels a rollout that runs, but not where it would be refused.
func TestCleanup_ThatIsRefused_CancelsNoRollout(t *testing.T) {
	prod := fleet.Fleet{Metadata: fleet.Metadata{Name: "prod"}}
	protected := prod
	protected.Spec.Protected = true
	refused := api.CleanupResult{Refused: "the fleet prod is protected"}
	dead := temporal.NewNonRetryableApplicationError("the cleanup could not remove everything", api.TypeLeftOver, nil)
	for what, c := range map[string]struct {
		rolling
		want string
	}{
		"the rollout protects it":    {rolling{rollout: api.FleetInput{Fleet: protected}}, "the fleet prod is protected by spec.protected of the last rollout"},
		"a cluster remembers it":     {rolling{rollout: api.FleetInput{Fleet: prod}, would: refused}, "the fleet prod is protected; the rollout that runs goes on"},
		"a cluster does not answer":  {rolling{rollout: api.FleetInput{Fleet: prod}, dryRun: dead}, ""},
		"nothing speaks against it ": {rolling{rollout: api.FleetInput{Fleet: prod}}, ""},
	} {
		t.Run(what, func(t *testing.T) {
			want, err := NewChange(api.CleanupFleet, api.FleetInput{Fleet: prod})
			require.NoError(t, err)
			_, err = want.joinOrWait(t.Context(), &c.rolling, func(string) {})
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, 1, c.canceled)
				return
			}
			require.ErrorContains(t, err, c.want)
			require.Zero(t, c.canceled)
			require.IsType(t, &RefusedError{}, err, "nothing was changed")
		})
	}
}

// A run that somebody paused in Temporal has not ended: it keeps the fleet, takes no decision, and
// cannot be canceled. Who comes is told by whom, why, and what to do.
func TestPaused_InTemporal_IsNoEnd(t *testing.T) {
	c := &rolling{rollout: api.FleetInput{Fleet: fleet.Fleet{Metadata: fleet.Metadata{Name: "prod"}}}, paused: true}
	last, err := Last(t.Context(), c, "prod")
	require.NoError(t, err)
	require.True(t, last.Running())
	require.Equal(t, "paused", Word(last.Status))
	require.Regexp(t, `^paused in Temporal by anna since \S+: lunch; unpause it there`, last.Paused)
	for _, typ := range []string{api.RolloutFleet, api.CleanupFleet} {
		want, err := NewChange(typ, api.FleetInput{Fleet: c.rollout.Fleet, TakeOver: true})
		require.NoError(t, err)
		_, err = want.joinOrWait(t.Context(), c, func(string) {})
		require.ErrorContains(t, err, "paused in Temporal by anna")
		require.IsType(t, &BusyError{}, err)
	}
	require.Zero(t, c.canceled)
	_, err = Decide(t.Context(), c, last, api.UpdateApprove, api.DecisionInput{})
	require.ErrorContains(t, err, "takes no decision now: it is paused in Temporal by anna")
}
