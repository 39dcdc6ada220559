package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/workflows"
)

// statusOutput is what `status -o json` prints.
type statusOutput struct {
	Workflow string                `json:"workflow"`
	Run      string                `json:"run"`
	Type     string                `json:"type"`
	Status   string                `json:"status"`
	Started  time.Time             `json:"started"`
	Closed   *time.Time            `json:"closed,omitempty"`
	Fleet    workflows.FleetStatus `json:"fleet"`
	Failures []workflows.Failure   `json:"failures,omitempty"`
	Error    string                `json:"error,omitempty"`
}

func (a *app) status() *cobra.Command {
	cmd := &cobra.Command{
		Use: "status [FLEET]", Args: cobra.MaximumNArgs(1),
		Short:   "Show where the last rollout or cleanup of a fleet is, or how it ended",
		Long:    "Show where the last rollout or cleanup of a fleet is, or how it ended. Without FLEET it is that of the\nfleet file. The exit code is that of the rollout or cleanup, 0 while it runs.",
		Example: "  landbridge status prod\n  landbridge status -f fleet.yaml -o json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkOutput(); err != nil {
				return err
			}
			name := ""
			if len(args) == 1 {
				name = args[0]
			} else {
				f, err := a.load()
				if err != nil {
					return err
				}
				name = f.Metadata.Name
			}
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			out, end, err := readStatus(cmd.Context(), c, name)
			if err != nil {
				return failed(err)
			}
			if a.output == "json" {
				if err := printJSON(cmd.OutOrStdout(), out); err != nil {
					return failed(err)
				}
			} else {
				printStatus(cmd.Context(), c, cmd.OutOrStdout(), out)
			}
			var coded *exitError
			if errors.As(ended(end), &coded) {
				return &exitError{coded.code, nil}
			}
			return nil
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	return cmd
}

// readStatus returns where a fleet's workflow is and, where it is over, the
// error that it ended with.
func readStatus(ctx context.Context, c client.Client, name string) (statusOutput, error, error) {
	var out statusOutput
	id := fleet.WorkflowID(name)
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if isNotFound(err) {
		return out, nil, unknownFleet(name)
	}
	if err != nil {
		return out, nil, err
	}
	info := d.GetWorkflowExecutionInfo()
	out = statusOutput{Workflow: id, Run: info.GetExecution().GetRunId(), Type: info.GetType().GetName(),
		Status: statusWord(info.GetStatus()), Started: info.GetStartTime().AsTime()}
	if t := info.GetCloseTime(); t != nil {
		closed := t.AsTime()
		out.Closed = &closed
	}
	if err := query(ctx, c, id, out.Run, &out.Fleet); err != nil {
		out.Fleet = workflows.FleetStatus{Fleet: name, Phase: "unknown: no worker answers"}
	}
	if info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return out, nil, nil
	}
	run := c.GetWorkflow(ctx, id, out.Run)
	end := run.Get(ctx, nil)
	if out.Failures, out.Fleet.Failures = out.Fleet.Failures, nil; len(out.Failures) == 0 {
		out.Failures = workflows.Failures(end)
	}
	if end != nil {
		out.Error = explained(ctx, c, run, end).Error()
	}
	return out, end, nil
}

func statusWord(s enumspb.WorkflowExecutionStatus) string {
	switch s {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return "running"
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return "done"
	case enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "canceled"
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "terminated"
	}
	return "failed"
}

func printStatus(ctx context.Context, c client.Client, w io.Writer, s statusOutput) {
	fmt.Fprintf(w, "fleet %s: %s %s, phase %s, since %s", s.Fleet.Fleet, noun(s.Type), s.Status, s.Fleet.Phase, s.Started.Local().Format(time.RFC3339))
	if s.Closed != nil {
		fmt.Fprintf(w, ", took %s", s.Closed.Sub(s.Started).Round(100*time.Millisecond))
	}
	fmt.Fprint(w, "\n\n")
	t := newTable(w, "CLUSTER", "STATE", "LINKS FROM IT", "AT")
	for _, cl := range s.Fleet.Clusters {
		links, at := "", cl.Message
		for _, src := range s.Fleet.Sources {
			if src.Name == cl.Name {
				links = fmt.Sprintf("%d %s", src.Links, src.State)
				if at == "" {
					at = src.Message
				}
			}
		}
		if cl.State == workflows.Running && s.Closed == nil {
			at = current(ctx, c, s.Workflow+".cluster."+cl.Name)
		}
		t.row(cl.Name, cl.State, links, trim(at))
	}
	t.flush()
	if s.Error != "" {
		fmt.Fprintf(w, "\n%s\n", s.Error)
	}
}

// trim keeps a table's last column on one line.
func trim(s string) string {
	const most = 100
	for len(s) > 0 && (s[0] == ',' || s[0] == ' ') {
		s = s[1:]
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func decode(p *commonpb.Payload, out any) error {
	return converter.GetDefaultDataConverter().FromPayload(p, out)
}
