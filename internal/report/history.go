package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/fleet"
)

// readers is how many histories are read at once.
const readers = 8

// Histories gives a report the runs and events of workflows; a client.Client is one.
type Histories interface {
	GetWorkflowHistory(ctx context.Context, workflow, run string, longPoll bool, filter enumspb.HistoryEventFilterType) client.HistoryEventIterator
}

// Gather reads the history of a workflow and of all its children.
func Gather(ctx context.Context, c Histories, namespace, workflow, run string) (*Report, error) {
	r := &Report{Identity: Identity{Namespace: namespace, Workflow: workflow, Run: run}, Units: []UnitReport{},
		Decisions: []api.Decision{}, Certificates: []Certificate{}, Proofs: []api.CheckLinkResult{}, Made: time.Now().UTC(), Version: build.Version()}
	g := &gathering{client: c, report: r}
	top, err := g.read(ctx, workflow, run)
	if err != nil {
		return nil, err
	}
	if err := g.readAll(ctx, top.children); err != nil {
		return nil, err
	}
	r.Status, r.Error, r.Began, r.Ended = top.unit.State, top.unit.Error, top.unit.Began, top.unit.Ended
	if top.terminated {
		r.Status = "terminated"
	}
	r.Type, r.Identity.Run = top.typ, top.unit.Run
	var in api.FleetInput
	if decode(top.input, &in) == nil {
		r.Fleet, r.Request = in.Fleet.Metadata.Name, in.Request
		for _, cl := range in.Fleet.Spec.Clusters {
			r.Clusters = append(r.Clusters, cl.Name)
		}
		r.Links = []string{}
		for _, l := range in.Fleet.Links() {
			r.Links = append(r.Links, l.String())
		}
	}
	slices.SortFunc(r.Units, func(a, b UnitReport) int {
		if d := a.Began.Compare(b.Began); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	r.endWaits()
	slices.SortFunc(r.Certificates, func(a, b Certificate) int { return strings.Compare(order(a.Of), order(b.Of)) })
	slices.SortFunc(r.Proofs, func(a, b api.CheckLinkResult) int { return strings.Compare(a.Link, b.Link) })
	return r, nil
}

// order has the root before the clusters.
func order(of string) string {
	if of == rootOf {
		return ""
	}
	return of
}

const rootOf = "root"

// fleetUnit names the fleet's own part.
const fleetUnit = "fleet"

// gathering puts a report together from several goroutines.
type gathering struct {
	client Histories

	mu     sync.Mutex
	report *Report
}

// one is a workflow as its history is read.
type one struct {
	unit       UnitReport
	typ        string
	input      *commonpb.Payload
	terminated bool
	steps      map[int64]*Step // by the event that scheduled them
	order      []int64
	children   []*commonpb.WorkflowExecution
}

func (g *gathering) read(ctx context.Context, workflow, run string) (*one, error) {
	o := &one{unit: UnitReport{Workflow: workflow, Run: run, State: Running, Steps: []Step{}}, steps: map[int64]*Step{}}
	history := g.client.GetWorkflowHistory(ctx, workflow, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	events := 0
	for history.HasNext() {
		e, err := history.Next()
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", workflow, err)
		}
		events++
		g.event(o, e)
	}
	for _, id := range o.order {
		o.unit.Steps = append(o.unit.Steps, *o.steps[id])
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.report.Identity.Events += events
	// What only starts others has no part of its own.
	if len(o.unit.Steps) > 0 {
		g.report.Units = append(g.report.Units, o.unit)
	}
	return o, nil
}

// readAll reads children, theirs, and so on.
func (g *gathering) readAll(ctx context.Context, children []*commonpb.WorkflowExecution) error {
	for len(children) > 0 {
		read := make([]*one, len(children))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(readers)
		for i, child := range children {
			group.Go(func() (err error) {
				read[i], err = g.read(ctx, child.GetWorkflowId(), child.GetRunId())
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		children = nil
		for _, o := range read {
			children = append(children, o.children...)
		}
	}
	return nil
}

func (g *gathering) event(o *one, e *historypb.HistoryEvent) {
	at := e.GetEventTime().AsTime()
	ended := func(state string, f *failurepb.Failure) {
		o.unit.State, o.unit.Ended, o.unit.Error = state, &at, message(f)
	}
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		a := e.GetWorkflowExecutionStartedEventAttributes()
		o.typ, o.unit.Began, o.unit.Name, o.unit.Run = a.GetWorkflowType().GetName(), at, summary(e), a.GetOriginalExecutionRunId()
		if in := a.GetInput().GetPayloads(); len(in) > 0 {
			o.input = in[0]
		}
		if a.GetParentWorkflowExecution() == nil {
			o.unit.Name = fleetUnit
		}
	case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
		child := e.GetChildWorkflowExecutionStartedEventAttributes()
		if child.GetWorkflowType().GetName() != api.NotifyFleet { // who hears of the run is no part of it
			o.children = append(o.children, child.GetWorkflowExecution())
		}
	case enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
		if o.unit.Name == fleetUnit {
			g.phase(at, e.GetUpsertWorkflowSearchAttributesEventAttributes())
		}
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
		g.decision(at, e.GetWorkflowExecutionUpdateAcceptedEventAttributes())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
		ended(Done, nil)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
		ended(Failed, e.GetWorkflowExecutionFailedEventAttributes().GetFailure())
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
		ended(Canceled, nil)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
		ended(Failed, nil)
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
		ended(Failed, nil)
		o.terminated = true
		o.unit.Error = "terminated: " + e.GetWorkflowExecutionTerminatedEventAttributes().GetReason()
	default:
		g.activity(o, e, at)
	}
}

// activity notes what happens to a step.
func (g *gathering) activity(o *one, e *historypb.HistoryEvent, at time.Time) {
	ended := func(scheduled int64, state string, f *failurepb.Failure) *Step {
		s, ok := o.steps[scheduled]
		if !ok {
			return &Step{}
		}
		s.State, s.Ended, s.Error = state, &at, message(f)
		return s
	}
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		step, cluster, _ := strings.Cut(summary(e), " · ")
		if cluster == rootOf {
			cluster = ""
		}
		o.steps[e.GetEventId()] = &Step{Step: step, Cluster: cluster, State: Running, Began: at,
			Activity: e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName()}
		o.order = append(o.order, e.GetEventId())
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		a := e.GetActivityTaskStartedEventAttributes()
		if s, ok := o.steps[a.GetScheduledEventId()]; ok {
			s.Attempts, s.LastError = int(a.GetAttempt()), message(a.GetLastFailure())
		}
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		a := e.GetActivityTaskCompletedEventAttributes()
		s := ended(a.GetScheduledEventId(), Done, nil)
		if out := a.GetResult().GetPayloads(); len(out) > 0 {
			g.result(o.unit.Name, s, out[0])
		}
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED:
		a := e.GetActivityTaskFailedEventAttributes()
		ended(a.GetScheduledEventId(), Failed, a.GetFailure())
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		a := e.GetActivityTaskTimedOutEventAttributes()
		s := ended(a.GetScheduledEventId(), Failed, a.GetFailure())
		if cause := message(a.GetFailure().GetCause()); cause != "" {
			s.LastError = cause
		}
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
		ended(e.GetActivityTaskCanceledEventAttributes().GetScheduledEventId(), Canceled, nil)
	}
}

// result reads what a step gave: its changes, a certificate, a proof.
func (g *gathering) result(unit string, s *Step, p *commonpb.Payload) {
	var out fleet.Changes
	if decode(p, &out) == nil {
		s.Changes = out.Changes
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch s.Activity {
	case "EnsureRoot", "SignIntermediate", "EnsureIntermediateKey":
		var cert struct {
			Facts api.CertificateFacts `json:"facts"`
		}
		if decode(p, &cert) == nil && cert.Facts.Fingerprint != "" {
			of := strings.TrimPrefix(unit, "cluster ")
			if s.Activity == "EnsureRoot" {
				of = rootOf
			}
			g.certificate(Certificate{of, cert.Facts, s.Began})
		}
	case "CheckLink":
		var proof api.CheckLinkResult
		if decode(p, &proof) == nil {
			g.report.Proofs = append(g.report.Proofs, proof)
		}
	}
}

// certificate keeps the newest of each: one whose cluster was undone and taken up
// again is gone.
func (g *gathering) certificate(c Certificate) {
	list := &g.report.Certificates
	i := slices.IndexFunc(*list, func(o Certificate) bool { return o.Of == c.Of })
	switch {
	case i < 0:
		*list = append(*list, c)
	case (*list)[i].seen.Before(c.seen):
		(*list)[i] = c
	}
}

func (g *gathering) decision(at time.Time, a *historypb.WorkflowExecutionUpdateAcceptedEventAttributes) {
	in := a.GetAcceptedRequest().GetInput()
	d := api.Decision{What: in.GetName(), At: at}
	if args := in.GetArgs().GetPayloads(); len(args) > 0 {
		var said api.DecisionInput
		if decode(args[0], &said) == nil {
			d.Unit, d.Wave, d.Keep, d.By, d.Reason = said.Unit, said.Wave, said.Keep, said.By, said.Reason
		}
	}
	if d.What == api.UpdatePause || d.What == api.UpdateResume {
		g.waits(waitResume, at, d.What == api.UpdatePause)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.report.Decisions = append(g.report.Decisions, d)
}
