package activities

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/redact"
)

// maxMessage in bytes keeps an error below what a person reads and the UI shows.
const maxMessage = 1800

// LoadBalancerError is a cloud that gave no address in time.
type LoadBalancerError struct{ Reason string }

func (e *LoadBalancerError) Error() string { return e.Reason }

// RootError is a root that is not here or cannot be used.
type RootError struct{ Reason string }

func (e *RootError) Error() string { return e.Reason }

// Classify is the one place where errors get their type, their retries, and
// the name of the cluster, and where activities are kept alive by heartbeats.
// Register it with the worker's interceptors.
type Classify struct {
	interceptor.WorkerInterceptorBase
	// Metrics, where there are any, hear of every try.
	Metrics *Metrics
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (c *Classify) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &classifier{interceptor.ActivityInboundInterceptorBase{Next: next}, c.Metrics}
}

type classifier struct {
	interceptor.ActivityInboundInterceptorBase
	metrics *Metrics
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (c *classifier) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	began := time.Now()
	out, err := c.classified(ctx, in)
	c.metrics.observe(ctx, in, out, err, time.Since(began))
	return out, err
}

func (c *classifier) classified(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	alive, stop := kube.KeepAlive(ctx)
	out, err := c.Next.ExecuteActivity(alive, in)
	stop()
	if err == nil {
		return out, nil
	}
	// What runs longer than its worker may is tried again on another one.
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil, ctx.Err()
	}
	where := ""
	if len(in.Args) > 0 {
		if s, ok := in.Args[0].(interface{ Ref() api.ClusterRef }); ok {
			where = s.Ref().Cluster
		}
	}
	activity.GetLogger(ctx).Warn("activity failed", "cluster", where, "error", redact.Secrets(err.Error()))
	return nil, classify(where, err)
}

// classify turns an error into one with a type, a message of less than 2 KB
// without a secret, and the right retries. The cause stays behind: it may hold
// what must not be in the history.
func classify(cluster string, err error) error {
	var done *temporal.ApplicationError
	if errors.As(err, &done) {
		return err
	}
	typ, options := kind(err)
	msg := redact.Secrets(err.Error())
	if typ == api.TypeForbidden {
		msg += "; `landbridge plan` lists every right that is missing"
	}
	if cluster != "" && !strings.Contains(msg, "cluster "+cluster) {
		msg = "cluster " + cluster + ": " + msg
	}
	return temporal.NewApplicationErrorWithOptions(fleet.Brief(msg, maxMessage), typ, options)
}

func kind(err error) (string, temporal.ApplicationErrorOptions) {
	final := temporal.ApplicationErrorOptions{NonRetryable: true}
	var (
		notOurs  *kube.NotOursError
		drift    *kube.DriftError
		config   *kube.KubeconfigError
		notReady *kube.NotReadyError
		other    *inventory.OtherFleetError
		held     *inventory.LockedError
		gone     *inventory.GoneError
		damaged  *inventory.DamagedError
		source   *chart.SourceError
		dead     *kube.DeadEndError
		unproven *UnprovenError
		lb       *LoadBalancerError
		root     *RootError
		netErr   net.Error
		urlErr   *url.Error
	)
	switch {
	case errors.As(err, &notOurs):
		return api.TypeNotOurs, final
	case errors.As(err, &drift):
		return api.TypeDrift, final
	case errors.As(err, &config):
		return api.TypeKubeconfig, final
	case errors.As(err, &other):
		return api.TypeOtherFleet, final
	case errors.As(err, &held):
		return api.TypeLocked, final
	case errors.As(err, &gone):
		return api.TypeInventoryGone, final
	case errors.As(err, &source):
		return api.TypeChart, final
	case errors.As(err, &unproven):
		return api.TypeUnproven, final
	case errors.As(err, &dead), errors.As(err, &damaged):
		return api.TypeDeadEnd, final
	case errors.As(err, &lb):
		return api.TypeLoadBalancer, final
	case errors.As(err, &root):
		return api.TypeRoot, final
	case errors.As(err, &notReady):
		return api.TypeNotReady, temporal.ApplicationErrorOptions{Category: temporal.ApplicationErrorCategoryBenign}
	case apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err):
		return api.TypeForbidden, final
	case apierrors.IsInvalid(err) || apierrors.IsBadRequest(err):
		return api.TypeInvalid, final
	case meta.IsNoMatchError(err) || isUnknownResource(err):
		return api.TypeUnknownKind, final
	case apierrors.IsTooManyRequests(err):
		wait := 5 * time.Second
		if s, ok := apierrors.SuggestsClientDelay(err); ok && s > 0 {
			wait = time.Duration(s) * time.Second
		}
		return api.TypeThrottled, temporal.ApplicationErrorOptions{NextRetryDelay: wait}
	case errors.As(err, &urlErr) || errors.As(err, &netErr):
		return api.TypeUnreachable, temporal.ApplicationErrorOptions{}
	}
	return api.TypeOther, temporal.ApplicationErrorOptions{}
}

// isUnknownResource tells a kind that the server lacks from an object that is
// not there: only the latter has a name.
func isUnknownResource(err error) bool {
	var s apierrors.APIStatus
	return apierrors.IsNotFound(err) && errors.As(err, &s) && (s.Status().Details == nil || s.Status().Details.Name == "")
}

// wrap says what an error is about.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}
