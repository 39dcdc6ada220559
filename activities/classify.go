package activities

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kube"
)

// Classify intercepts every activity: it keeps the activity alive by heartbeats,
// gives its error a type, its retries and the name of the cluster, logs a try that
// failed, and measures the try. Register it with the worker's interceptors.
type Classify struct {
	interceptor.WorkerInterceptorBase
	// Metrics are told of every try, where there are any.
	Metrics *Metrics

	denials denials
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (c *Classify) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &classifier{interceptor.ActivityInboundInterceptorBase{Next: next}, c.Metrics, &c.denials}
}

type classifier struct {
	interceptor.ActivityInboundInterceptorBase
	metrics *Metrics
	denials *denials
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (c *classifier) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	began := time.Now()
	out, err := c.classified(ctx, in)
	c.metrics.observe(ctx, in, out, err, time.Since(began))
	return out, err
}

func (c *classifier) classified(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := c.act(ctx, in)
	if err == nil {
		return out, nil
	}
	// What runs longer than its worker may is tried again on another one.
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil, ctx.Err()
	}
	ref := refOf(in)
	goesOn := is[*kube.TurnError](err)
	err = c.denials.limit(ctx, ref, classify(ref.Cluster, err))
	if !goesOn {
		logFailure(ctx, ref, err)
	}
	return nil, err
}

// act runs the activity, unless a newer program made its input.
func (c *classifier) act(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	for _, arg := range in.Args {
		if err := api.Understood(arg); err != nil {
			return nil, err
		}
	}
	alive, stop := kube.KeepAlive(ctx)
	defer stop()
	if strings.HasPrefix(activity.GetInfo(ctx).ActivityType.Name, "Wait") {
		alive = kube.InTurns(alive)
	}
	return c.Next.ExecuteActivity(alive, in)
}

// refOf returns the cluster that an activity's input names, where it names one.
func refOf(in *interceptor.ExecuteActivityInput) api.ClusterRef {
	if len(in.Args) > 0 {
		if s, ok := in.Args[0].(interface{ Ref() api.ClusterRef }); ok {
			return s.Ref()
		}
	}
	return api.ClusterRef{}
}
