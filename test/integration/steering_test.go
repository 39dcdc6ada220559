package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// untilStatus waits until the output of status has that text, and returns the output.
func (w *world) untilStatus(t *testing.T, want string) (out string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(300 * time.Millisecond) {
		if out, _ = w.try("status", "test"); strings.Contains(out, want) {
			return out
		}
		require.True(t, time.Now().Before(end), "waiting for %q: %s", want, out)
	}
}

func TestWaves_HeldForApproval_OneIsRetriedAndOneSkipped_OnRecord(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged(clusters...)
	file := w.file(clusters, ", skipProof: true}", ", skipProof: true, approval: waves, waves: [{name: canary, clusters: [east, west]}]}")
	w.behave("--sail-error", "the version is end-of-life, says the test", "--sail-only", "west")
	w.must("rollout", "-f", file, "--detach", "--reason", "CHG-7", "--requested-by", "anna")
	out := w.untilStatus(t, "wave rest waits")
	require.Contains(t, out, "requested by anna: CHG-7")
	require.Contains(t, out, "end-of-life, says the test", "no reason is cut off")
	require.Contains(t, out, "failed before it: cluster west")
	require.Contains(t, out, "`landbridge retry test --cluster west` tries again")

	// Wrong decisions are refused with the reason, and change nothing.
	for _, wrong := range []struct{ say, because []string }{
		{[]string{"resume", "test"}, []string{"resume is refused", "the rollout is not paused"}},
		{[]string{"retry", "test", "--cluster", "east"}, []string{"cluster east is done; only what failed can be retried (failed so far: cluster west)"}},
		{[]string{"skip", "test", "--cluster", "nowhere", "--reason", "x"}, []string{"the fleet has no cluster nowhere"}},
		{[]string{"skip", "test", "--cluster", "east", "--reason", "x"}, []string{"cluster east is done"}},
	} {
		out, code := w.try(wrong.say...)
		require.Equal(t, 1, code, out)
		for _, b := range wrong.because {
			require.Contains(t, out, b)
		}
	}

	w.behave()
	require.Contains(t, w.must("retry", "test", "--cluster", "west", "--by", "bo", "--reason", "repaired"), "is retried")
	require.Eventually(t, func() bool { out, _ := w.try("status", "test"); return !strings.Contains(out, "failed") }, patience, 300*time.Millisecond)
	w.untilStatus(t, "wave rest waits")
	w.requireRemoteSecret("east", "west")
	w.must("skip", "test", "--link", "north.west", "--by", "bo", "--reason", "not wanted yet")
	w.must("approve", "test", "--wave", "rest", "--by", "cora", "--reason", "canary is good")
	out = w.must("rollout", "-f", file) // joins: who asks makes no difference
	require.Contains(t, out, "joining the rollout")
	require.Contains(t, out, "skipped by decision: link north -> west")
	out = w.must("status", "test")
	for _, d := range []string{"retry cluster west, by bo: repaired", "skip link north -> west, by bo: not wanted yet", "approve wave rest, by cora: canary is good"} {
		require.Contains(t, out, d)
	}

	// The reason is where a person would look: on the object, in Helm's history, in Temporal.
	east := w.connect("east")
	secret, err := east.CoreV1().Secrets("istio-system").Get(ctx, "cacerts", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "CHG-7", secret.Annotations["landbridge.dev/reason"])
	require.Equal(t, "anna", secret.Annotations["landbridge.dev/requested-by"])
	rel, err := east.helm(t).Releases.Last("istio-eastwestgateway")
	require.NoError(t, err)
	require.Equal(t, "requested by anna: CHG-7", rel.Info.Description)
	require.Eventually(t, func() bool {
		list, err := w.client(t).ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: `LandbridgeReason = "CHG-7" AND LandbridgeRequestedBy = "anna"`})
		return err == nil && len(list.GetExecutions()) == 1
	}, patience, 200*time.Millisecond)

	// Another reason alone is no change.
	before := w.versions("east")
	w.must("rollout", "-f", w.file([]string{"east", "west"}), "--reason", "CHG-8")
	require.Equal(t, before["Secret istio-system/cacerts"], w.versions("east")["Secret istio-system/cacerts"])
	w.cleanupInWaves(t, file)
	w.isListed(t)
	same()
}

// isListed looks for what was done to the fleet in the lists of all fleets and of its changes.
func (w *world) isListed(t *testing.T) {
	var changes []struct{ Run, Type, Status, RequestedBy, Reason string }
	require.Eventually(t, func() bool {
		require.NoError(t, json.Unmarshal([]byte(w.must("history", "test", "-o", "json")), &changes))
		return len(changes) == 3 && changes[0].Status == "done"
	}, patience, pause/5, "what Temporal lists comes a moment late")
	for i, want := range []string{"CleanupFleet CHG-9", "RolloutFleet CHG-8", "RolloutFleet CHG-7"} {
		require.Equal(t, want, changes[i].Type+" "+changes[i].Reason)
	}
	require.Equal(t, "anna", changes[2].RequestedBy)
	require.Contains(t, w.must("report", "test", "--run", changes[2].Run, "-o", "json"), changes[2].Run)
	out := w.must("history", "test", "--limit", "1", "-o", "wide")
	require.Regexp(t, `(?s)^RUN +STARTED +CHANGE +STATE +TOOK +BY +REASON\n`+changes[0].Run+` +\S+ \S+ +cleanup +done +\S+ +\S+ +CHG-9\n$`, out)
	require.Regexp(t, `(?m)^test +cleanup +done +\S+ \S+ +\S+ +none$`, w.must("list"))
	_, code := w.try("history", "nobody")
	require.Equal(t, 1, code)
	require.Equal(t, changes[0].Run+"\n", w.must("history", "test", "--limit", "1", "-o", "name"))
	require.Equal(t, "test\n", w.must("list", "-o", "name"))
	require.Contains(t, w.must("__complete", "status", ""), "test\n:4\n")
	require.Contains(t, w.must("__complete", "report", "test", "--run", ""), changes[2].Run)
	require.Regexp(t, `(?m)^landbridge +test +landbridge-standalone@\S+ +\S+ +\S+ ago$`, w.must("workers"))
	require.Contains(t, w.must("version"), "at 127.0.0.1:")
}

// cleanupInWaves cleans a fleet up whose last wave has north: that goes first, and the others
// go on without it until somebody approves the next wave.
func (w *world) cleanupInWaves(t *testing.T, file string) {
	w.must("cleanup", "-f", file, "--reason", "CHG-9", "--detach")
	w.untilStatus(t, "wave canary waits")
	_, err := w.connect("north").CoreV1().Namespaces().Get(ctx, "istio-system", metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "%v", err)
	w.requireRemoteSecret("east", "west")
	_, err = w.connect("east").CoreV1().Secrets("istio-system").Get(ctx, "istio-remote-secret-north", metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "%v", err)
	for _, what := range [][]string{nil, {"--cluster", "north"}} {
		out, code := w.try(append([]string{"retry", "test"}, what...)...)
		require.Equal(t, 1, code, out)
		require.Contains(t, out, "a cleanup of the fleet test runs, and works on all that is left")
	}
	require.Contains(t, w.must("pause", "test", "--by", "bo"), "the cleanup is paused")
	require.Contains(t, w.must("approve", "test", "--wave", "canary", "--by", "cora", "--reason", "CHG-10"), "wave canary begins")
	require.Contains(t, w.must("resume", "test", "--by", "bo"), "the cleanup goes on")
	w.must("watch", "test")
	require.Contains(t, w.must("status", "test"), "approve wave canary, by cora: CHG-10")
}

func TestPause_HoldsAfterTheStepsThatRun_ResumeGoesOn(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.sailWorks()
	w.must("rollout", "-f", file, "--detach")
	w.untilSail(t, "east", "west")
	require.Contains(t, w.must("pause", "test", "--reason", "lunch"), "paused")
	w.untilStatus(t, "paused; `landbridge resume test`")
	w.behave()
	w.sailDone(t, "east", "west")
	time.Sleep(3 * time.Second) // the next step would have begun
	out := w.must("status", "test")
	require.NotContains(t, out, "east-west gateway")
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	_ = w.command(ctx, "watch", "test").Run()
	require.Error(t, ctx.Err(), "it waits")
	require.Contains(t, w.must("resume", "test"), "the rollout goes on")
	require.Contains(t, w.must("rollout", "-f", file), "2 clusters and 2 links rolled out")
	w.must("cleanup", "-f", file)
	same()
}

// Temporal's UI and command can pause a step, too: people see that, and by whom.
func TestPause_OfAStepInTemporal_IsShown(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.sailWorks()
	w.must("rollout", "-f", file, "--detach")
	w.untilSail(t, "east", "west")
	c, err := client.Dial(client.Options{HostPort: fmt.Sprintf("127.0.0.1:%d", w.port), Logger: silent{}})
	require.NoError(t, err)
	defer c.Close()
	east := &commonpb.WorkflowExecution{WorkflowId: api.Member("east").WorkflowID(fleet.WorkflowID("test"))}
	_, err = c.WorkflowService().PauseActivity(ctx, &workflowservice.PauseActivityRequest{Namespace: client.DefaultNamespace, Execution: east, Identity: "anna",
		Reason: "lunch", Activity: &workflowservice.PauseActivityRequest_Type{Type: "WaitIstio"}})
	require.NoError(t, err)
	require.Contains(t, w.must("status", "test", "-o", "json"), "paused in Temporal by anna since ")
	// An attempt under way hears of it with its next heartbeat, and one that ends before goes on.
	require.EventuallyWithT(t, func(c2 *assert.CollectT) {
		d, err := c.DescribeWorkflowExecution(ctx, east.WorkflowId, "")
		require.NoError(c2, err)
		require.Len(c2, d.PendingActivities, 1)
		require.Equal(c2, enumspb.PENDING_ACTIVITY_STATE_PAUSED, d.PendingActivities[0].State)
	}, patience, 200*time.Millisecond)
	w.behave()
	w.sailDone(t, "east", "west")
	time.Sleep(3 * time.Second) // the step would have ended
	out := w.must("status", "test", "-o", "json")
	require.Contains(t, out, ": lunch; unpause the activity there")
	require.NotContains(t, out, `"failed"`)
	_, err = c.WorkflowService().UnpauseActivity(ctx, &workflowservice.UnpauseActivityRequest{Namespace: client.DefaultNamespace, Execution: east,
		Activity: &workflowservice.UnpauseActivityRequest_Type{Type: "WaitIstio"}})
	require.NoError(t, err)
	require.Contains(t, w.must("rollout", "-f", file), "2 clusters and 2 links rolled out")
	w.must("cleanup", "-f", file)
	same()
}

func TestRetry_OfARolloutThatEnded_RunsItAgainAsItWasAskedFor(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.behave("--sail-error", "the version is end-of-life, says the test", "--sail-only", "west")
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 3, code, out)
	out, code = w.try("watch", "test")
	require.Equal(t, 3, code, out)
	w.behave()
	out = w.must("retry", "test", "--by", "bo", "--reason", "CHG-8")
	require.Contains(t, out, "2 clusters and 2 links rolled out")
	require.Contains(t, w.must("status", "test"), "requested by bo: CHG-8")
	out, code = w.try("retry", "test")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "nothing failed or was skipped in the last rollout")
	w.must("cleanup", "-f", file)
	out, code = w.try("approve", "test", "--reason", "x")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "no rollout or cleanup of the fleet test runs")
	same()
}

func TestRetry_OfARolloutThatLeftALinkOut_TakesItUp(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file, "--detach")
	w.must("pause", "test", "--reason", "x")
	w.must("skip", "test", "--link", "east.west", "--reason", "not wanted yet")
	w.must("resume", "test", "--reason", "x")
	require.Contains(t, w.must("rollout", "-f", file), "skipped by decision: link east -> west")
	require.Contains(t, w.must("retry", "test", "--reason", "wanted now"), "2 clusters and 2 links rolled out")
	w.requireRemoteSecret("east", "west")
	w.must("cleanup", "-f", file)
	same()
}

// What a person types by mistake, and what only looks, leave no trace and no false comfort.
func TestRevoke_OfAMistypedCluster_ShutsNobodyOutAndSaysSo_AndADryRunIsNoFleet(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	before := w.versions("east")
	out, code := w.try("revoke", "-f", file, "--cluster", "wset", "--reason", "INC-7", "--yes")
	require.Equal(t, 2, code, out)
	require.Contains(t, out, `nobody was shut out: the fleet test has no cluster "wset"`)
	require.Equal(t, before, w.versions("east"))
	w.must("cleanup", "-f", file, "--dry-run")
	w.must("cleanup", "-f", file)
	var listed []struct {
		Fleet  string
		Proven int
	}
	require.Eventually(t, func() bool {
		require.NoError(t, json.Unmarshal([]byte(w.must("list", "-o", "json")), &listed))
		return len(listed) == 1 && listed[0].Proven == 0
	}, patience, pause/5, "what Temporal lists comes a moment late")
	require.Equal(t, "test", listed[0].Fleet)
	same()
}
