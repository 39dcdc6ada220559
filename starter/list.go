package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

// fleetChanges limits how many changes of all fleets are read for the last one of each.
const fleetChanges = 20_000

// listed describes a fleet in a list.
type listed struct {
	Fleet string `json:"fleet"`
	// Last describes its last change.
	Last pastChange `json:"last"`
	// Links counts the links of its last rollout that is done, and Proven those that were proven.
	Links  int `json:"links"`
	Proven int `json:"proven"`
	// NextCheck tells when its schedule looks for drift next. Nil: it has none.
	NextCheck *time.Time `json:"nextCheck,omitempty"`
}

// fleetList lists fleets, by name.
type fleetList []listed

func (l fleetList) names() (out []string) {
	for _, f := range l {
		out = append(out, f.Fleet)
	}
	return out
}

func (a *app) list() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Args: cobra.NoArgs,
		Short: "List the fleets that this Temporal knows, with the last change of each",
		Long: "List the fleets that this Temporal namespace knows: the last change of each, by whom, how many links\n" +
			"its last rollout proved, and when its schedule checks it next. A fleet is known as long as Temporal\n" +
			"keeps a change of it.",
		Example: "  landbridge list\n  landbridge list -o json | jq -r '.[] | select(.last.status != \"done\").fleet'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			fleets, err := fleets(cmd.Context(), c)
			if err != nil {
				return failed(err)
			}
			return a.print(cmd.OutOrStdout(), fleets, func(w io.Writer) { printFleets(w, fleets) })
		},
	}
	a.outputFlag(cmd, outputName, outputWide)
	a.temporal.Bind(cmd.Flags())
	return cmd
}

// fleets lists those of a Temporal namespace, by name.
func fleets(ctx context.Context, c client.Client) (fleetList, error) {
	all, err := pastChanges(ctx, c, anyFleet, fleetChanges)
	if err != nil {
		return nil, err
	}
	out := fleetList{}
	at, asked := map[string]int{}, map[string]bool{}
	for _, ch := range all {
		i, known := at[ch.Fleet]
		if !known {
			i = len(out)
			at[ch.Fleet] = i
			out = append(out, listed{Fleet: ch.Fleet, Last: ch})
		}
		if asked[ch.Fleet] || ch.Status != "done" {
			continue
		}
		switch ch.Type {
		case api.CleanupFleet: // nothing that was proven before is there
			asked[ch.Fleet] = true
		case api.RolloutFleet:
			asked[ch.Fleet] = true
			out[i].proven(ctx, c, ch.Run)
		}
	}
	for i := range out {
		d, err := c.ScheduleClient().GetHandle(ctx, fleet.ScheduleID(out[i].Fleet)).Describe(ctx)
		if err == nil && len(d.Info.NextActionTimes) > 0 {
			out[i].NextCheck = &d.Info.NextActionTimes[0]
		}
	}
	slices.SortFunc(out, func(a, b listed) int { return strings.Compare(a.Fleet, b.Fleet) })
	return out, nil
}

// proven reads from the result of a rollout how many links it proved.
func (l *listed) proven(ctx context.Context, c client.Client, run string) {
	var result api.FleetResult
	if err := runs.Outcome(ctx, c.GetWorkflow(ctx, fleet.WorkflowID(l.Fleet), run), &result); err == nil {
		l.Links, l.Proven = len(result.Links), result.Proven
	}
}

func printFleets(w io.Writer, fleets fleetList) {
	if len(fleets) == 0 {
		fmt.Fprintln(w, "this Temporal namespace knows no fleet; `landbridge rollout` makes one")
		return
	}
	head := []string{"FLEET", "CHANGE", "STATE", "STARTED", "BY", "PROVEN", "NEXT CHECK"}
	if isWide(w) {
		head = append(head, "RUN", "REASON")
	}
	t := newTable(w, head...)
	for _, f := range fleets {
		next, proven := "none", ""
		if f.NextCheck != nil {
			next = "in " + duration.HumanDuration(time.Until(*f.NextCheck))
		}
		if f.Links > 0 {
			proven = fmt.Sprintf("%d of %d", f.Proven, f.Links)
		}
		started := duration.HumanDuration(time.Since(f.Last.Started)) + " ago"
		cells := []string{f.Fleet, runs.Noun(f.Last.Type), f.Last.state(), started, f.Last.RequestedBy, proven, next}
		if isWide(w) {
			cells = append(cells, f.Last.Run, oneLine(f.Last.Reason))
		}
		t.row(cells...)
	}
	t.flush()
}
