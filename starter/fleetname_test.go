package main

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
)

// listedRuns answers a list of workflows with these, in this order.
type listedRuns struct {
	client.Client
	runs []*workflowpb.WorkflowExecutionInfo
}

func (l listedRuns) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return &workflowservice.ListWorkflowExecutionsResponse{Executions: l.runs}, nil
}

// run describes a workflow that changed a fleet and is done.
func run(fleetName, typ string) *workflowpb.WorkflowExecutionInfo {
	return &workflowpb.WorkflowExecutionInfo{Execution: &commonpb.WorkflowExecution{WorkflowId: "landbridge." + fleetName, RunId: typ + "-" + fleetName},
		Type: &commonpb.WorkflowType{Name: typ}, Status: enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED}
}

// Who has one fleet need not name it, and one that was removed is none of those.
func TestKnownFleets_LeaveOutWhatWasRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		runs []*workflowpb.WorkflowExecutionInfo
		want []string
	}{
		"none":          {nil, nil},
		"one":           {[]*workflowpb.WorkflowExecutionInfo{run("prod", api.RolloutFleet), run("prod", api.CleanupFleet)}, []string{"prod"}},
		"two, in order": {[]*workflowpb.WorkflowExecutionInfo{run("staging", api.RotateFleet), run("prod", api.RolloutFleet), run("staging", api.RolloutFleet)}, []string{"prod", "staging"}},
		"one removed":   {[]*workflowpb.WorkflowExecutionInfo{run("old", api.CleanupFleet), run("prod", api.RolloutFleet), run("old", api.RolloutFleet)}, []string{"prod"}},
		"only removed":  {[]*workflowpb.WorkflowExecutionInfo{run("old", api.CleanupFleet)}, []string{"old"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := knownFleets(t.Context(), listedRuns{runs: c.runs})
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// A shell that completes names waits for no Temporal that does not answer, and offers no files.
func TestCompletion_OfEveryCommandAndFlag_OffersFilesOnlyWhereOneIsWanted(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	wanted := map[string]bool{"file": true, "plan": true, "out": true, "junit": true, "kubeconfig": true, "management-kubeconfig": true, "identity": true, "passphrase-file": true, "codec-key-file": true,
		"kubeconfig-dir": true, "output-dir": true}
	began := time.Now()
	everyCommand(func(cmd *cobra.Command) {
		if !cmd.Runnable() {
			return
		}
		_, directive := completed(t, cmd.CommandPath(), "")
		require.Equal(t, !slices.Contains([]string{"keygen", "import", "man"}, cmd.Name()), directive&cobra.ShellCompDirectiveNoFileComp != 0, cmd.CommandPath())
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() == "bool" {
				return
			}
			_, directive := completed(t, cmd.CommandPath(), "--"+f.Name, "")
			require.Equal(t, !wanted[f.Name], directive&cobra.ShellCompDirectiveNoFileComp != 0, "%s --%s", cmd.CommandPath(), f.Name)
		})
	})
	require.Less(t, time.Since(began), time.Minute)
}

// completed returns what a shell is offered after these words, and what it may add itself.
func completed(t *testing.T, command string, words ...string) ([]string, cobra.ShellCompDirective) {
	t.Helper()
	var out, errs bytes.Buffer
	line := append([]string{cobra.ShellCompNoDescRequestCmd}, strings.Fields(command)[1:]...)
	require.Zero(t, Main(append(line, words...), &out, &errs), errs.String())
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	directive, err := strconv.Atoi(strings.TrimPrefix(lines[len(lines)-1], ":"))
	require.NoError(t, err)
	return lines[:len(lines)-1], cobra.ShellCompDirective(directive)
}
