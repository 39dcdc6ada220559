package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/fleet"
)

// This is the only file with a timeout or a retry policy. Limits are in wall-clock time
// (ScheduleToClose), since a number of attempts does not tell how much time a cloud had.

// retries sets the pause between two tries: 1 s at first, since most faults last a
// moment, and later 30 s, which a struggling API server can bear.
var retries = &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second}

// heartbeat limits the time between two heartbeats; a worker that died is noticed after
// it. Every activity sends one every 2 s, so that a few may be lost.
const heartbeat = 8 * time.Second

// preflight limits a look at a cluster: a person waits for the answer, and wants to hear
// after half a minute that a cluster does not answer. One try outlasts a request that
// nobody answers (30 s), so that the error names the server.
func preflight() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: 40 * time.Second,
		StartToCloseTimeout:    35 * time.Second,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// limits holds what the policies take from the fleet file.
type limits struct {
	fleet.Rollout
	// loadBalancer limits how long a cloud may take to give an address.
	loadBalancer time.Duration
}

// limitsOf returns the limits of a fleet file.
func limitsOf(f fleet.Fleet) limits {
	return limits{f.Spec.Rollout, f.Spec.Gateways.LoadBalancerTimeout.Std()}
}

// apiCall limits a step that takes seconds: it writes or reads a few objects, waits for
// a controller of Kubernetes, or makes a key of 4096 bits.
func apiCall(l limits) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: l.StepTimeout.Std(),
		StartToCloseTimeout:    time.Minute,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// patientCall limits a step that takes minutes: it runs Helm and waits for a Deployment
// that pulls images, or it belongs to a cleanup and waits for finalizers. One try may
// take the whole time of the step. A cleanup goes on past a step that fails, and lists
// at its end what is left.
func patientCall(l limits) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: l.StepTimeout.Std(),
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// proofCall limits the proof of a link to rollout.proofTimeout and the time to explain.
func proofCall(l limits) workflow.ActivityOptions { return proving(l.ProofTimeout.Std()) }

// proving limits a proof that may take as long as patience to succeed. It adds time to
// find out which hop is broken: the gateways write their logs every 10 s.
func proving(patience time.Duration) workflow.ActivityOptions {
	const explaining = 90 * time.Second
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: 2 * (patience + explaining), // a worker may die in the middle
		StartToCloseTimeout:    patience + explaining,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// verifyCall limits a proof that a person waits for: it checks once, and one more time
// where a worker stopped.
func verifyCall() workflow.ActivityOptions {
	o := proving(0)
	o.RetryPolicy = &temporal.RetryPolicy{MaximumAttempts: 2}
	return o
}

// reloadWait limits how long istiods may take until they work with a new CA: a kubelet brings a
// Secret into a running pod within about 90 s, and that of a busy node later.
func reloadWait(limits) workflow.ActivityOptions { return longWait(5 * time.Minute) }

// operatorWait limits the wait for an operator to rollout.stepTimeout.
func operatorWait(l limits) workflow.ActivityOptions { return longWait(l.StepTimeout.Std()) }

// cloudWait limits the wait for a cloud's address to gateways.loadBalancerTimeout.
func cloudWait(l limits) workflow.ActivityOptions { return longWait(l.loadBalancer) }

// longWait limits an activity that polls for what somebody else does.
func longWait(limit time.Duration) workflow.ActivityOptions {
	const grace = time.Minute // for a worker that died at the end; the activity keeps the limit itself
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: limit + grace,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// undoCall limits an undo to rollout.undoTimeout: nothing should stay half done, and yet
// a run must end. Each try has a limit too, so that a worker which hangs costs one try.
func undoCall(l limits) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: l.UndoTimeout.Std(),
		StartToCloseTimeout:    10 * time.Minute,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// releaseCall limits the release of a lock at the end of a run. Only another Temporal
// waits for that lock, so that its release must not delay the end for long.
func releaseCall() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: 30 * time.Second,
		StartToCloseTimeout:    10 * time.Second,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// askTemporal limits a question to Temporal, which hands out the question itself and so
// answers at once. The limit is short for the sake of a worker that may not ask.
func askTemporal() workflow.ActivityOptions { return releaseCall() }

// revokeCall limits the revocation of one link: somebody waits for it, and a target that
// does not answer must be shut by other means. It has room for what an API server denies
// for a minute, and for the seconds that it remembers a token.
func revokeCall() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: 2 * time.Minute,
		StartToCloseTimeout:    time.Minute,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// notifyCall limits a notification to a day: a webhook that is down over a weekend gets
// nothing that nobody needs any more. The pause between two tries grows to 10 minutes, which
// whoever is behind the webhook can bear.
func notifyCall() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: 24 * time.Hour,
		StartToCloseTimeout:    30 * time.Second,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
	}
}

// waitCall has no end: an undo of an earlier run ends by itself, or somebody ends it. A try
// of an activity adds no event to the history, however many there are.
func waitCall() workflow.ActivityOptions {
	return workflow.ActivityOptions{StartToCloseTimeout: time.Hour, HeartbeatTimeout: heartbeat, RetryPolicy: retries}
}

// A worker that may not ask Temporal for the end of a workflow tries again after busyChild,
// and each time after twice as long, up to mostBusyChild: each try is ten events.
const (
	busyChild     = 5 * time.Second
	mostBusyChild = 20 * time.Minute
)
