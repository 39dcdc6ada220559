package report

import (
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
)

// summary returns what the Temporal UI shows of a workflow or activity.
func summary(e *historypb.HistoryEvent) (s string) {
	if p := e.GetUserMetadata().GetSummary(); p != nil {
		_ = decode(p, &s)
	}
	return s
}

// message finds the sentence of a failure, below the layers that Temporal puts
// around it.
func message(f *failurepb.Failure) string {
	for f.GetCause() != nil && f.GetApplicationFailureInfo() == nil && f.GetTimeoutFailureInfo() == nil {
		f = f.GetCause()
	}
	return f.GetMessage()
}

// decode reads a payload as the SDK writes it.
func decode(p *commonpb.Payload, out any) error {
	if p == nil {
		return json.Unmarshal(nil, out)
	}
	return converter.GetDefaultDataConverter().FromPayload(p, out)
}
