package workflows

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/codec"
)

// recorded lists, by workflow type, the outcomes of which each release has histories, so
// that a test fails where one is missing.
var recorded = map[string][]string{
	"RolloutFleet":   {"done", "unchanged", "failed", "canceled", "steered", "pruned", "busy", "healed", "existing", "notified"},
	"RolloutCluster": {"done", "unchanged", "failed", "canceled", "steered", "busy", "existing"},
	"RolloutLinks":   {"done", "unchanged", "steered", "existing", "shared", "mode-changed", "mode-left"},
	"RolloutLink":    {"done", "unchanged", "steered", "existing", "shared", "mode-changed", "mode-left"},
	"CleanupFleet":   {"cleaned", "cleaned-in-waves", "canceled", "lost", "existing-cleaned"},
	"CleanupCluster": {"cleaned", "canceled", "pruned", "lost", "existing-cleaned"},
	"CleanupLinks":   {"cleaned", "lost", "existing-cleaned"},
	"CleanupLink":    {"pruned", "forgotten"},
	"ForgetFleet":    {"forgotten"},
	"RevokeFleet":    {"revoked"},
	"RestartFleet":   {"restarted"},
	"CheckFleet":     {"checked"},
	"PlanFleet":      {"planned", "drifted"},
	"VerifyFleet":    {"verified"},
	"VerifyLinks":    {"verified"},
	"DriftFleet":     {"undrifted", "drifted", "healed"},
	"InspectFleet":   {"inspected"},
	"GatherFleet":    {"gathered"},
	"GatherCluster":  {"gathered"},
	"InspectCA":      {"ca-shown"},
	"MoveRoot":       {"root-moved"},
	"ImportRoot":     {"root-imported"},
	"OfferRoot":      {"root-imported"},
	"RotateFleet":    {"rotated", "renewed", "tokens-checked", "root-trusted", "root-undone"},
	"RotateLink":     {"rotated", "tokens-checked"},
	"RotateCluster":  {"renewed", "root-trusted", "root-undone"},
	"CheckTokens":    {"tokens-checked"},
	"NotifyFleet":    {"notified"},
	"ExportRoot":     {"root-exported"},
}

// registry notes what Register registers.
type registry struct {
	worker.WorkflowRegistry
	names     []string
	workflows []any
}

func (r *registry) RegisterWorkflow(w any) {
	r.names, r.workflows = append(r.names, activityName(w)), append(r.workflows, w)
}

func TestReplay_EveryWorkflowTypeIsAmongTheRecorded(t *testing.T) {
	r := &registry{}
	Register(r)
	require.ElementsMatch(t, r.names, slices.Collect(maps.Keys(recorded)))
}

func TestReplay_HistoriesOfEveryRelease(t *testing.T) {
	releases, err := filepath.Glob("testdata/v*")
	require.NoError(t, err)
	require.NotEmpty(t, releases, "the histories are gone")
	for _, r := range releases {
		files, err := filepath.Glob(filepath.Join(r, "*.json"))
		require.NoError(t, err)
		for typ, outcomes := range recorded {
			for _, outcome := range outcomes {
				require.True(t, slices.ContainsFunc(files, func(f string) bool {
					return strings.HasPrefix(filepath.Base(f), outcome+"."+typ+".")
				}), "%s has no history of %s.%s", r, outcome, typ)
			}
		}
		for _, f := range files {
			t.Run(filepath.Join(filepath.Base(r), filepath.Base(f)), func(t *testing.T) {
				var o client.Options
				(&codec.Keys{}).Use(&o) // large payloads are compressed
				replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{DataConverter: o.DataConverter, FailureConverter: o.FailureConverter})
				require.NoError(t, err)
				Register(replayer)
				file, err := os.Open(f)
				require.NoError(t, err)
				defer file.Close()
				history, err := client.HistoryFromJSON(file, client.HistoryJSONOptions{})
				require.NoError(t, err)
				// Children's IDs follow from the parent's.
				began := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
				require.NoError(t, replayer.ReplayWorkflowHistoryWithOptions(quiet{}, history, worker.ReplayWorkflowHistoryOptions{
					OriginalExecution: workflow.Execution{ID: began.GetWorkflowId(), RunID: began.GetOriginalExecutionRunId()}}))
			})
		}
	}
}

// A recording in which the child of the run before has ended by itself would replay no wait.
func TestReplay_TheBusyHistories_HaveTheWait(t *testing.T) {
	files, err := filepath.Glob("testdata/v*/busy.RolloutFleet.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		require.Contains(t, string(data), `"name":"WaitChild"`, f)
	}
}
