package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

// changedBy lists the types of the workflows that change a fleet.
var changedBy = []string{api.RolloutFleet, api.CleanupFleet, api.RotateFleet, api.ForgetFleet, api.RevokeFleet, api.RestartFleet, api.MoveRoot, api.ImportRoot}

// pastChange describes a workflow that changed a fleet, or is at it.
type pastChange struct {
	Fleet  string `json:"fleet"`
	Run    string `json:"run"`
	Type   string `json:"type"`
	Status string `json:"status"`
	// Phase names what it was at last.
	Phase       string     `json:"phase,omitempty"`
	RequestedBy string     `json:"requestedBy,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	Started     time.Time  `json:"started,omitzero"`
	Closed      *time.Time `json:"closed,omitempty"`
}

// anyFleet finds every workflow that has to do with a fleet, in Temporal's language of queries.
var anyFleet = api.FleetKey.GetName() + " IS NOT NULL"

// changesOf finds the workflows that change one fleet.
func changesOf(name string) string { return fmt.Sprintf("WorkflowId = %q", fleet.WorkflowID(name)) }

// changesPage is how many workflows one request to Temporal reads.
const changesPage = 500

// changeList lists changes, the latest first.
type changeList []pastChange

// names lists the IDs of the runs, as --run takes them.
func (l changeList) names() (out []string) {
	for _, ch := range l {
		out = append(out, ch.Run)
	}
	return out
}

func (a *app) history() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "history [FLEET]", Args: cobra.MaximumNArgs(1),
		Short: "List the rollouts, cleanups and other changes of a fleet, the latest first",
		Long: "List the changes of a fleet that Temporal still has, the latest first: rollouts, cleanups,\n" +
			"rotations, and what else changed it. Without FLEET it takes the fleet of the fleet file or,\n" +
			"without a file, the only one that Temporal knows.\n" +
			"`landbridge report FLEET --run RUN` tells all about one of them; -o wide and -o name show the runs.",
		Example: "  landbridge history prod\n  landbridge history prod -o json | jq '.[].run'\n  landbridge history -f fleet.yaml --limit 5",
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := a.fleetName(cmd, args)
			if err != nil {
				return err
			}
			if limit < 1 {
				return usage(fmt.Errorf("--limit: want at least 1, got %d", limit))
			}
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			changes, err := pastChanges(cmd.Context(), c, changesOf(name), limit)
			if err != nil {
				return failed(err)
			}
			if len(changes) == 0 {
				return failed(&runs.UnknownError{Fleet: name})
			}
			return a.print(cmd.OutOrStdout(), changes, func(w io.Writer) { printHistory(w, changes) })
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd, outputName, outputWide)
	a.temporal.Bind(cmd.Flags())
	cmd.Flags().IntVar(&limit, "limit", 20, "how many changes to list")
	return cmd
}

// pastChanges reads at most so many of the workflows that changed fleets and match a query of
// Temporal's, the latest first.
func pastChanges(ctx context.Context, c client.Client, query string, most int) (changeList, error) {
	out := changeList{}
	query += " AND WorkflowType IN ('" + strings.Join(changedBy, "', '") + "')"
	for page := []byte(nil); len(out) < most; {
		list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: int32(min(most, changesPage)), Query: query, NextPageToken: page})
		if err != nil {
			return nil, err
		}
		for _, e := range list.GetExecutions() {
			if !runs.IsDryRun(e.GetExecution().GetWorkflowId()) {
				out = append(out, pastChangeOf(e))
			}
		}
		if page = list.GetNextPageToken(); len(page) == 0 {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b pastChange) int { return b.Started.Compare(a.Started) })
	return out[:min(most, len(out))], nil
}

func pastChangeOf(e *workflowpb.WorkflowExecutionInfo) pastChange {
	out := pastChange{Fleet: strings.TrimPrefix(e.GetExecution().GetWorkflowId(), fleet.WorkflowID("")), Run: e.GetExecution().GetRunId(), Type: e.GetType().GetName(),
		Status: runs.Word(e.GetStatus()), Started: e.GetStartTime().AsTime()}
	for key, into := range map[temporal.SearchAttributeKeyKeyword]*string{api.PhaseKey: &out.Phase, api.RequestedByKey: &out.RequestedBy, api.ReasonKey: &out.Reason} {
		if p := e.GetSearchAttributes().GetIndexedFields()[key.GetName()]; p != nil {
			_ = runs.Decode(p, into) // one of another type tells nothing
		}
	}
	if !api.IsOpen(e.GetStatus()) && e.GetCloseTime() != nil {
		closed := e.GetCloseTime().AsTime()
		out.Closed = &closed
	}
	return out
}

func printHistory(w io.Writer, changes changeList) {
	head := []string{"STARTED", "CHANGE", "STATE", "TOOK", "BY", "REASON"}
	if isWide(w) {
		head = append([]string{"RUN"}, head...)
	}
	t := newTable(w, head...)
	for _, c := range changes {
		took := ""
		if c.Closed != nil {
			took = elapsed(c.Closed.Sub(c.Started))
		}
		cells := []string{c.Started.Local().Format(time.DateTime), runs.Noun(c.Type), c.state(), took, c.RequestedBy, oneLine(c.Reason)}
		if isWide(w) {
			cells = append([]string{c.Run}, cells...)
		}
		t.row(cells...)
	}
	t.flush()
}

// state tells how a change ended, or what it is at.
func (c pastChange) state() string {
	if c.Closed == nil && c.Phase != "" {
		return c.Status + ", " + c.Phase
	}
	return c.Status
}
