package runs

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
)

// Look runs a workflow that only looks at a fleet, such as api.PlanFleet, waits for its end, and
// reads its result into out. It has an ID of its own, so that it is in nobody's way. The run is nil
// where it could not begin.
func Look(ctx context.Context, c client.Client, typ string, in api.FleetInput, out any) (client.WorkflowRun, error) {
	name := in.Fleet.Metadata.Name
	if err := connect.Readable(ctx, c, name); err != nil {
		return nil, err
	}
	in.Contract = api.Contract
	run, err := connect.Execute(ctx, c, client.StartWorkflowOptions{
		ID: fleet.WorkflowID(name) + "." + strings.ToLower(strings.TrimSuffix(typ, "Fleet")) + "." + uuid.NewString(), TaskQueue: in.Fleet.Spec.TaskQueue,
		StaticSummary:         typ + " " + name,
		StaticDetails:         in.Request.Line(),
		TypedSearchAttributes: temporal.NewSearchAttributes(api.FleetKey.ValueSet(name)),
	}, typ, in)
	if err != nil {
		return nil, err
	}
	return run, Outcome(ctx, run, out)
}
