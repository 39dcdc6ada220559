package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/report"
	"github.com/landbridge/landbridge/internal/runs"
)

func (a *app) report() *cobra.Command {
	var run, out string
	cmd := &cobra.Command{
		Use: "report [FLEET|WORKFLOW-ID]", Args: cobra.MaximumNArgs(1),
		Short: "Write a report on a rollout or cleanup, as HTML or JSON",
		Long: "Write a report on the last rollout or cleanup of a FLEET, or on a workflow: who asked and why, each\n" +
			"step with its objects, attempts and errors, the decisions, the certificates and the proof.\n\n" +
			"It is made from Temporal's history alone, so it works as long as Temporal keeps that, even where the\n" +
			"clusters do not exist any more and no worker runs.",
		Example: "  landbridge report prod\n  landbridge report prod --run 0198c3… --out CHG-1234.html\n  landbridge report prod -o json | jq .certificates",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := a.fleetName(cmd, args)
			if err != nil {
				return err
			}
			namespace := ""
			c, err := a.temporal.Dial(cmd.Context(), nil, func(o *client.Options) { namespace = o.Namespace })
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			asked := id
			if !strings.HasPrefix(id, fleet.WorkflowID("")) {
				id = fleet.WorkflowID(id)
			}
			r, err := report.Gather(cmd.Context(), c, cmp.Or(namespace, client.DefaultNamespace), id, run)
			if runs.IsNotFound(err) {
				return failed(&runs.UnknownError{Fleet: asked})
			}
			if err != nil {
				return failed(err)
			}
			return a.writeReport(cmd, r, out)
		},
	}
	a.fileFlag(cmd)
	a.formatFlag(cmd, "default html; 'landbridge schema report' prints the schema of the JSON", "html", outputJSON)
	a.temporal.Bind(cmd.Flags())
	cmd.Flags().StringVar(&run, "run", "", "run ID of an earlier rollout or cleanup (default: the last one)")
	cmd.Flags().StringVar(&out, "out", "", "file to write; - is stdout (default landbridge-FLEET-TIME.html, for json stdout)")
	return cmd
}

func (a *app) writeReport(cmd *cobra.Command, r *report.Report, out string) error {
	var b bytes.Buffer
	if a.output == outputJSON {
		if err := writeJSON(&b, r); err != nil {
			return failed(err)
		}
		out = cmp.Or(out, "-")
	} else if err := r.HTML(&b); err != nil {
		return failed(err)
	}
	if out == "-" {
		_, err := cmd.OutOrStdout().Write(b.Bytes())
		return err
	}
	out = cmp.Or(out, fmt.Sprintf("landbridge-%s-%s.html", r.Fleet, r.Began.UTC().Format("20060102T150405Z")))
	if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
		return failed(fmt.Errorf("write the report: %w", err))
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %s of the fleet %s, %s; %s and %s\n", out, runs.Noun(r.Type), r.Fleet, r.Status, fleet.Count(len(r.Clusters), "cluster"), fleet.Count(len(r.Links), "link"))
	return nil
}
