package codec

import (
	"context"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// Opened returns a client that also opens what the SDK hands on as it is stored: events of
// histories, descriptions of workflows and of schedules. No worker can be made of it.
func (k *Keys) Opened(c client.Client) client.Client { return opened{c, k.Codec()} }

type opened struct {
	client.Client
	codec converter.PayloadCodec
}

// GetWorkflowHistory implements client.Client.
func (o opened) GetWorkflowHistory(ctx context.Context, workflow, run string, longPoll bool, filter enumspb.HistoryEventFilterType) client.HistoryEventIterator {
	return &events{o.Client.GetWorkflowHistory(ctx, workflow, run, longPoll, filter), ctx, o.codec}
}

// events opens each event of a history.
type events struct {
	client.HistoryEventIterator
	ctx   context.Context
	codec converter.PayloadCodec
}

// Next implements client.HistoryEventIterator.
func (e *events) Next() (*historypb.HistoryEvent, error) {
	event, err := e.HistoryEventIterator.Next()
	if err != nil {
		return nil, err
	}
	return event, open(e.ctx, e.codec, event)
}

// DescribeWorkflowExecution implements client.Client.
func (o opened) DescribeWorkflowExecution(ctx context.Context, workflow, run string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	d, err := o.Client.DescribeWorkflowExecution(ctx, workflow, run)
	if err != nil {
		return nil, err
	}
	return d, open(ctx, o.codec, d)
}

// ScheduleClient implements client.Client.
func (o opened) ScheduleClient() client.ScheduleClient {
	return schedules{o.Client.ScheduleClient(), o.codec}
}

type schedules struct {
	client.ScheduleClient
	codec converter.PayloadCodec
}

// GetHandle implements client.ScheduleClient.
func (s schedules) GetHandle(ctx context.Context, id string) client.ScheduleHandle {
	return schedule{s.ScheduleClient.GetHandle(ctx, id), s.codec}
}

type schedule struct {
	client.ScheduleHandle
	codec converter.PayloadCodec
}

// Describe implements client.ScheduleHandle. It opens the input of what the schedule starts.
func (s schedule) Describe(ctx context.Context) (*client.ScheduleDescription, error) {
	d, err := s.ScheduleHandle.Describe(ctx)
	if err != nil {
		return nil, err
	}
	action, ok := d.Schedule.Action.(*client.ScheduleWorkflowAction)
	if !ok {
		return d, nil
	}
	for i, arg := range action.Args {
		p, ok := arg.(*commonpb.Payload)
		if !ok {
			continue
		}
		plain, err := s.codec.Decode([]*commonpb.Payload{p})
		if err != nil {
			return nil, err
		}
		action.Args[i] = plain[0]
	}
	return d, nil
}

// open opens a message of Temporal in place: its payloads, and then its failures, whose
// words are in one of them.
func open(ctx context.Context, codec converter.PayloadCodec, message proto.Message) error {
	err := proxy.VisitPayloads(ctx, message, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true, // Temporal reads them, so that they are never encrypted
		Visitor: func(_ *proxy.VisitPayloadsContext, p []*commonpb.Payload) ([]*commonpb.Payload, error) {
			return codec.Decode(p)
		},
	})
	if err != nil {
		return err
	}
	return proxy.VisitFailures(ctx, message, proxy.VisitFailuresOptions{Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
		converter.DecodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
		return nil
	}})
}
