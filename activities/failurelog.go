package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"

	"github.com/landbridge/landbridge/internal/api"
)

// logFailure writes the one line about a try that failed. The SDK's logger adds the
// step (ActivityType), the try (Attempt) and the workflow. err has its type already.
func logFailure(ctx context.Context, ref api.ClusterRef, err error) {
	activity.GetLogger(ctx).Warn("Step failed", "Fleet", ref.Fleet, "Cluster", ref.Cluster, "ErrorType", outcomeOf(err), "Error", err.Error())
}

// sdkFailure begins the SDK's own line about an activity that failed.
const sdkFailure = "Activity error."

// FailureOnce wraps the logger of a worker's client: it drops the SDK's own line
// about a failed activity, which Classify has logged with its fleet and cluster.
func FailureOnce(l log.Logger) log.Logger { return failureOnce{l} }

type failureOnce struct{ log.Logger }

// Error implements log.Logger.
func (f failureOnce) Error(msg string, keyvals ...any) {
	if msg != sdkFailure {
		f.Logger.Error(msg, keyvals...)
	}
}

// Debug implements log.Logger: what only takes longer is a detail to the SDK.
func (f failureOnce) Debug(msg string, keyvals ...any) {
	if msg != sdkFailure {
		f.Logger.Debug(msg, keyvals...)
	}
}

// With implements log.WithLogger.
func (f failureOnce) With(keyvals ...any) log.Logger {
	return failureOnce{log.With(f.Logger, keyvals...)}
}

// WithCallerSkip implements log.WithSkipCallers.
func (f failureOnce) WithCallerSkip(depth int) log.Logger {
	return failureOnce{log.Skip(f.Logger, depth)}
}
