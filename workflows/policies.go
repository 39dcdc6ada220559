package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/fleet"
)

// This is the only file with a timeout or a retry policy. Limits are in
// wall-clock time (ScheduleToClose), since a count of attempts says nothing
// about how long a cloud was given.

// retries begin quickly, since most faults are a moment's, and end at a pace
// that a struggling API server can bear.
var retries = &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second}

// heartbeat is a few times what lies between two heartbeats, which every activity
// sends every 2 s whatever it does; a worker that died is noticed after it.
const heartbeat = 8 * time.Second

// preflight is short: a person waits for its answer, and a cluster that cannot
// be reached within half a minute is worth saying so.
func preflight() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: 40 * time.Second,
		StartToCloseTimeout:    30 * time.Second,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// limits are what the policies take from the fleet file.
type limits struct {
	fleet.Rollout
	// loadBalancer is how long a cloud may take to give an address.
	loadBalancer time.Duration
}

// limitsOf returns the limits of a fleet file.
func limitsOf(f fleet.Fleet) limits {
	return limits{f.Spec.Rollout, f.Spec.Gateways.LoadBalancerTimeout.Std()}
}

// apiCall is for what writes or reads a few objects, may wait for a controller
// of Kubernetes, or makes a key of 4096 bits: seconds.
func apiCall(l limits) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: l.StepTimeout.Std(),
		StartToCloseTimeout:    time.Minute,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// patientCall is for what runs Helm and then waits for a Deployment, where image pulls
// take minutes, and for each step of a cleanup, which waits for finalizers: a cleanup
// goes on past what does not work and says at its end what is left. The whole step may
// be one try.
func patientCall(l limits) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: l.StepTimeout.Std(),
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// proofCall gives the proof of a rollout its patience (rollout.proofTimeout).
func proofCall(l limits) workflow.ActivityOptions { return proving(l.ProofTimeout.Std()) }

// proving leaves time, after the patience, to find out which hop is broken: the
// gateways write their logs every 10 s.
func proving(patience time.Duration) workflow.ActivityOptions {
	const explaining = 90 * time.Second
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: 2 * (patience + explaining), // a worker may die in the middle
		StartToCloseTimeout:    patience + explaining,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// verifyCall is for a look that a person waits for, whose answer may be that
// nothing answers; two tries, since a worker may stop.
func verifyCall() workflow.ActivityOptions {
	o := proving(0)
	o.RetryPolicy = &temporal.RetryPolicy{MaximumAttempts: 2}
	return o
}

// operatorWait is for what an operator does: it has the time of a step.
func operatorWait(l limits) workflow.ActivityOptions { return longWait(l.StepTimeout.Std()) }

// cloudWait is for the address that a cloud gives.
func cloudWait(l limits) workflow.ActivityOptions { return longWait(l.loadBalancer) }

// longWait is for polls of what somebody else does.
func longWait(limit time.Duration) workflow.ActivityOptions {
	const grace = time.Minute // for a worker that died at the end; the activity keeps the limit itself
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: limit + grace,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// undoCall has the fleet's patience for an undo: what was begun should not be
// left half done, and still a run must end. Each try ends, so that a lost worker
// does not hold it up.
func undoCall(l limits) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: l.UndoTimeout.Std(),
		StartToCloseTimeout:    10 * time.Minute,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// releaseCall is for the lock at the end of a run. To release it is a courtesy to
// another Temporal, so it does not hold the run up.
func releaseCall() workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ScheduleToCloseTimeout: 30 * time.Second,
		StartToCloseTimeout:    10 * time.Second,
		HeartbeatTimeout:       heartbeat,
		RetryPolicy:            retries,
	}
}

// busyChildPoll is how often a child is started anew whose predecessor, of a
// run that is gone, still undoes its steps.
const busyChildPoll = 5 * time.Second
