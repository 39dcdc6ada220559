package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

// statusOutput holds what `landbridge status -o json` prints.
type statusOutput struct {
	Workflow string `json:"workflow"`
	Run      string `json:"run"`
	Type     string `json:"type"`
	Status   string `json:"status"`
	// Paused says who paused the whole workflow by Temporal's own means.
	Paused   string        `json:"pausedInTemporal,omitempty"`
	Started  time.Time     `json:"started,omitzero"`
	Closed   *time.Time    `json:"closed,omitempty"`
	Fleet    progress      `json:"fleet"`
	Failures []api.Failure `json:"failures,omitempty"`
	Error    string        `json:"error,omitempty"`
	// end holds the error that the workflow ended with.
	end error
}

func (a *app) status() *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use: "status [FLEET]", Args: cobra.MaximumNArgs(1),
		Short: "Show how far the last rollout or cleanup of a fleet is, or how it ended",
		Long: "Show how far the last rollout or cleanup of a fleet is, or how it ended. Without FLEET it takes the\n" +
			"fleet of the fleet file or, without a file, the only one that Temporal knows. The exit code is that\n" +
			"of the rollout or cleanup, and 0 while it runs.",
		Example: "  landbridge status prod\n  landbridge status -f fleet.yaml -o json\n  landbridge status prod --watch",
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := a.fleetName(cmd, args)
			if err != nil {
				return err
			}
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			for {
				out, err := readStatus(cmd.Context(), c, name)
				if err != nil {
					return failed(err)
				}
				if err := a.print(cmd.OutOrStdout(), out, func(w io.Writer) { printStatus(w, out) }); err != nil {
					return failed(err)
				}
				if !watch || out.Closed != nil {
					return silently(out.end)
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(watchInterval):
					fmt.Fprintln(cmd.OutOrStdout())
				}
			}
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd, outputWide)
	a.temporal.Bind(cmd.Flags())
	waitFlag(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "print the status every 5 s until the rollout or cleanup ends")
	return cmd
}

// watchInterval sets how often `landbridge status --watch` prints.
const watchInterval = 5 * time.Second

// silently returns an error with the exit code of how a workflow ended, and without a
// message: the output has told everything.
func silently(end error) error {
	var coded *exitError
	if errors.As(ended(end), &coded) {
		return &exitError{coded.code, nil}
	}
	return nil
}

// readStatus returns how far the last workflow that changed a fleet is or, where it has
// ended, how.
func readStatus(ctx context.Context, c client.Client, name string) (statusOutput, error) {
	var out statusOutput
	id := fleet.WorkflowID(name)
	d, err := c.DescribeWorkflowExecution(ctx, id, "")
	if runs.IsNotFound(err) {
		return out, &runs.UnknownError{Fleet: name}
	}
	if err != nil {
		return out, err
	}
	info := d.GetWorkflowExecutionInfo()
	out = statusOutput{Workflow: id, Run: info.GetExecution().GetRunId(), Type: info.GetType().GetName(),
		Status: runs.Word(info.GetStatus()), Paused: runs.Paused(d), Started: info.GetStartTime().AsTime()}
	if t := info.GetCloseTime(); t != nil {
		closed := t.AsTime()
		out.Closed = &closed
	}
	if out.Fleet, err = readProgress(ctx, c, id, out.Run); err != nil {
		if why := codec.Unreadable(err); why != nil {
			return out, why
		}
		out.Fleet = progress{Status: api.Status{Fleet: name, Phase: unanswered(err)}, Units: []unitProgress{}}
		if out.Paused != "" {
			out.Fleet.Phase = "unknown: Temporal asks no workflow that is paused"
		}
	}
	if api.IsOpen(info.GetStatus()) {
		return out, nil
	}
	run := c.GetWorkflow(ctx, id, out.Run)
	out.end = runs.Outcome(ctx, run, nil)
	if out.Failures, out.Fleet.Failures = out.Fleet.Failures, nil; len(out.Failures) == 0 {
		out.Failures = api.Failures(out.end)
	}
	if out.end != nil {
		out.Error = explained(ctx, c, run, out.end).Error()
	}
	return out, nil
}

// unanswered tells why a workflow does not say how far it is.
func unanswered(err error) string {
	var notReady *serviceerror.WorkflowNotReady
	switch why := codec.UnreadableTo(err); {
	case why != "":
		return "unknown: the worker says that " + why
	case errors.As(err, &notReady) && strings.Contains(err.Error(), "failed state"):
		return "unknown: the worker cannot go on with it, and its log says why"
	}
	return "unknown: no worker answers"
}

func printStatus(w io.Writer, s statusOutput) {
	fmt.Fprintf(w, "fleet %s: %s %s, phase %s, since %s", s.Fleet.Fleet, runs.Noun(s.Type), s.Status, s.Fleet.Phase, s.Started.Local().Format(time.RFC3339))
	if s.Closed != nil {
		fmt.Fprintf(w, ", took %s", s.Closed.Sub(s.Started).Round(100*time.Millisecond))
	}
	fmt.Fprintln(w)
	if why := s.Fleet.Request.Line(); why != "" {
		fmt.Fprintln(w, why)
	}
	if s.Paused != "" {
		fmt.Fprintln(w, paragraphs(w, "it is "+s.Paused))
	}
	for _, h := range s.Fleet.holds() {
		if s.Closed == nil {
			fmt.Fprintln(w, paragraphs(w, h))
		}
	}
	fmt.Fprintln(w)
	head := []string{"UNIT", "WAVE", "STATE", "SINCE", "AT"}
	if isWide(w) {
		head = slices.Insert(head, 4, "TRY", "ISTIO")
	}
	t := newTable(w, head...)
	for _, r := range s.Fleet.rows() {
		since := ""
		if r.Since != nil && s.Closed == nil {
			since = elapsed(time.Since(*r.Since))
		}
		cells := []string{r.name, r.Wave, string(r.State), since, r.doing()}
		if isWide(w) {
			cells = slices.Insert(cells, 4, attempt(r), r.Istio)
		}
		t.row(cells...)
	}
	t.flush()
	var planes grouped
	for _, u := range s.Fleet.Status.Units {
		if name, ok := u.Unit.Member(); ok {
			planes.add(u.Istio, name)
		}
	}
	showSkew(w, planes)
	for _, d := range s.Fleet.Decisions {
		fmt.Fprintf(w, "\n%s  %s", d.At.Local().Format(time.DateTime), d)
	}
	if len(s.Fleet.Decisions) > 0 {
		fmt.Fprintln(w)
	}
	if s.Error != "" {
		fmt.Fprintf(w, "\n%s\n", paragraphs(w, s.Error))
	}
	if line := next(s.Type, s.Fleet.Fleet, s.Fleet.Renews, ended(s.end)); line != "" {
		fmt.Fprintln(w, paragraphs(w, line))
	}
}

// attempt tells which try of its step a unit is at.
func attempt(r row) string {
	if r.Attempt == 0 {
		return ""
	}
	return fmt.Sprint(r.Attempt)
}
