package activities

import (
	"context"
	"errors"
	"strings"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Metrics holds what a worker measures in addition to Temporal's SDK. A nil *Metrics
// measures nothing. Names and labels are in docs/metrics.md; the alerts in deploy/
// use them.
type Metrics struct {
	steps   *prom.HistogramVec
	retries *prom.CounterVec
	waits   *prom.HistogramVec
	proven  *prom.GaugeVec
	reached *prom.GaugeVec
	ends    *prom.GaugeVec
	tokens  *prom.GaugeVec
	due     *prom.GaugeVec
	held    *held
}

// The values of the label "of" in landbridge_not_after_timestamp_seconds.
const (
	endRoot         = "root"
	endIntermediate = "intermediate"
	endKubeconfig   = "kubeconfig"
)

// NewMetrics registers Landbridge's own metrics.
func NewMetrics(r prom.Registerer) *Metrics {
	m := &Metrics{
		steps: prom.NewHistogramVec(prom.HistogramOpts{Name: "landbridge_step_duration_seconds",
			Help:    "How long one try of a step took, by the activity's name and how it ended: done, or the type of the error.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900}}, []string{"step", "outcome"}),
		retries: prom.NewCounterVec(prom.CounterOpts{Name: "landbridge_step_retries_total",
			Help: "Tries of a step after its first."}, []string{"fleet", "cluster", "step"}),
		waits: prom.NewHistogramVec(prom.HistogramOpts{Name: "landbridge_load_balancer_wait_seconds",
			Help:    "How long an east-west gateway waited for its address, all tries together.",
			Buckets: []float64{1, 5, 15, 30, 60, 120, 300, 600, 900, 1800}}, []string{"fleet", "cluster", "outcome"}),
		proven: prom.NewGaugeVec(prom.GaugeOpts{Name: "landbridge_link_proven",
			Help: "1 where the last look at a link saw a request go through and istiod in step, else 0."}, []string{"fleet", "source", "target"}),
		reached: prom.NewGaugeVec(prom.GaugeOpts{Name: "landbridge_cluster_reached",
			Help: "1 where the last step on a cluster got an answer of its API server, else 0."}, []string{"fleet", "cluster"}),
		ends: prom.NewGaugeVec(prom.GaugeOpts{Name: "landbridge_not_after_timestamp_seconds",
			Help: "When a certificate or credential ends, in seconds since 1970, as last seen: of the root, of a cluster's intermediate, of the worker's kubeconfig for it."}, []string{"fleet", "cluster", "of"}),
		tokens: prom.NewGaugeVec(prom.GaugeOpts{Name: "landbridge_token_not_after_timestamp_seconds",
			Help: "When the token in force of a link ends, in seconds since 1970, as last seen. One that does not end by itself has none."}, []string{"fleet", "source", "target"}),
		due: prom.NewGaugeVec(prom.GaugeOpts{Name: "landbridge_token_due_timestamp_seconds",
			Help: "When the token in force of a link is to be renewed, in seconds since 1970, as last seen."}, []string{"fleet", "source", "target"}),
	}
	m.held = newHeld(r)
	r.MustRegister(m.steps, m.retries, m.waits, m.proven, m.reached, m.ends, m.tokens, m.due)
	return m
}

// observe measures one try of an activity. err has its type already.
func (m *Metrics) observe(ctx context.Context, in *interceptor.ExecuteActivityInput, out any, err error, took time.Duration) {
	if m == nil {
		return
	}
	info, outcome := activity.GetInfo(ctx), outcomeOf(err)
	step := info.ActivityType.Name
	m.steps.WithLabelValues(step, outcome).Observe(took.Seconds())
	if len(in.Args) == 0 {
		return
	}
	at, ok := in.Args[0].(interface{ Ref() api.ClusterRef })
	if !ok {
		return
	}
	ref := at.Ref()
	if info.Attempt > 1 {
		m.retries.WithLabelValues(ref.Fleet, ref.Cluster, step).Inc()
	}
	m.reach(ref, outcome)
	m.held.lock(ref, outcome)
	switch arg := in.Args[0].(type) {
	case api.WaitLoadBalancerInput:
		if !ref.DryRun && (err == nil || outcome == api.TypeLoadBalancer) {
			m.waits.WithLabelValues(ref.Fleet, ref.Cluster, outcome).Observe(time.Since(info.ScheduledTime).Seconds())
		}
	case api.CheckLinkInput:
		if proof, ok := out.(api.CheckLinkResult); ok && err == nil || outcome == api.TypeUnproven {
			m.link(ref.Fleet, arg.Link, proof.Proven)
		}
	case api.RemoveInput:
		m.forget(step, arg, err)
	}
	if err != nil {
		return
	}
	switch r := out.(type) {
	case api.EnsureRootResult:
		m.end(ref.Fleet, "", endRoot, r.Facts)
	case api.EnsureIntermediateKeyResult:
		m.end(ref.Fleet, ref.Cluster, endIntermediate, r.Facts)
	case api.SignIntermediateResult:
		if arg, ok := in.Args[0].(api.SignIntermediateInput); ok {
			m.end(ref.Fleet, arg.Spec.Cluster, endIntermediate, r.Facts)
		}
	case api.EnsureReaderTokenResult:
		if arg, ok := in.Args[0].(api.EnsureReaderTokenInput); ok {
			m.token(ref.Fleet, arg.Link, r.TokenFacts)
		}
	case api.LastChange:
		m.held.change(ref.Fleet, r)
	case api.CheckClusterResult:
		m.end(ref.Fleet, ref.Cluster, endKubeconfig, api.CertificateFacts{NotAfter: r.CredentialEnds})
	}
}

// forget drops the series of what a cleanup removed: it neither breaks nor ends any
// more.
func (m *Metrics) forget(step string, in api.RemoveInput, err error) {
	if err != nil || in.DryRun || in.OnlyRun != "" {
		return
	}
	switch step {
	case "RemoveEgressGateway":
		links := prom.Labels{"fleet": in.Fleet, "source": in.Cluster} // all of the cluster's, or one
		if _, target, one := strings.Cut(in.Link, "."); one {
			links["target"] = target
		}
		m.proven.DeletePartialMatch(links)
	case "RemoveReaderToken":
		links := prom.Labels{"fleet": in.Fleet, "target": in.Cluster}
		if source, _, one := strings.Cut(in.Link, "."); one {
			links["source"] = source
		}
		m.tokens.DeletePartialMatch(links)
		m.due.DeletePartialMatch(links)
	case "RemoveCACerts":
		m.ends.DeletePartialMatch(prom.Labels{"fleet": in.Fleet, "cluster": in.Cluster})
	case "RemoveInventory", "RemoveAccess":
		m.held.locked.DeletePartialMatch(prom.Labels{"fleet": in.Fleet, "cluster": in.Cluster})
		m.reached.DeletePartialMatch(prom.Labels{"fleet": in.Fleet, "cluster": in.Cluster})
	case "RemoveRoot":
		m.ends.DeletePartialMatch(prom.Labels{"fleet": in.Fleet, "of": endRoot})
	}
}

// link sets whether a link was proven when it was last looked at.
func (m *Metrics) link(fleetName string, l fleet.Link, proven bool) {
	value := 0.0
	if proven {
		value = 1
	}
	m.proven.WithLabelValues(fleetName, l.From, l.To).Set(value)
}

// reach sets whether a cluster answered, where the outcome of a step on it tells.
func (m *Metrics) reach(ref api.ClusterRef, outcome string) {
	toldOf(m.reached, ref, outcome, api.TypeUnreachable, 0)
}

// toldOf sets to 0 or 1 what the outcome of a step tells of its cluster: this value where it is an
// error of that type, the other one where the step is done. Other outcomes tell nothing of it.
func toldOf(g *prom.GaugeVec, ref api.ClusterRef, outcome, typ string, failed float64) {
	switch {
	case ref.Cluster == "":
	case outcome == typ:
		g.WithLabelValues(ref.Fleet, ref.Cluster).Set(failed)
	case outcome == done:
		g.WithLabelValues(ref.Fleet, ref.Cluster).Set(1 - failed)
	}
}

// end sets when a certificate or credential ends, where that is known.
func (m *Metrics) end(fleetName, cluster, of string, f api.CertificateFacts) {
	if !f.NotAfter.IsZero() {
		m.ends.WithLabelValues(fleetName, cluster, of).Set(float64(f.NotAfter.Unix()))
	}
}

// token sets when the token of a link ends and when it is due, or that it does neither.
func (m *Metrics) token(fleetName string, l fleet.Link, f api.TokenFacts) {
	if f.Ends.IsZero() {
		m.tokens.DeleteLabelValues(fleetName, l.From, l.To)
		m.due.DeleteLabelValues(fleetName, l.From, l.To)
		return
	}
	m.tokens.WithLabelValues(fleetName, l.From, l.To).Set(float64(f.Ends.Unix()))
	m.due.WithLabelValues(fleetName, l.From, l.To).Set(float64(fleet.TokenDue(f.Issued, f.Ends).Unix()))
}

// done is the outcome of a step without an error.
const done = "done"

// outcomeOf returns done, or the type of the error.
func outcomeOf(err error) string {
	var app *temporal.ApplicationError
	switch {
	case err == nil:
		return done
	case errors.As(err, &app):
		return app.Type()
	}
	return "Canceled"
}
