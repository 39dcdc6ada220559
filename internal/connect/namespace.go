package connect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
)

// Identity names the Temporal server and namespace, for the lock in a cluster's inventory.
func Identity(ctx context.Context, c client.Client, namespace string) (string, error) {
	info, err := c.WorkflowService().GetClusterInfo(ctx, &workflowservice.GetClusterInfoRequest{})
	if err != nil {
		return "", fmt.Errorf("ask Temporal who it is: %w", err)
	}
	if namespace == "" {
		namespace = client.DefaultNamespace
	}
	return info.GetClusterId() + "/" + namespace, nil
}

// SearchAttributes lists those that a namespace needs for Landbridge's workflows.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	keyword := enumspb.INDEXED_VALUE_TYPE_KEYWORD
	return map[string]enumspb.IndexedValueType{api.FleetKey.GetName(): keyword, api.ClusterKey.GetName(): keyword,
		api.LinkKey.GetName(): keyword, api.PhaseKey.GetName(): keyword,
		api.ReasonKey.GetName(): keyword, api.RequestedByKey.GetName(): keyword}
}

// attributesTimeout bounds how long a server may take to notice new search
// attributes, and attributesInterval is between two tries.
const (
	attributesTimeout  = 15 * time.Second
	attributesInterval = 500 * time.Millisecond
)

// Execute starts a workflow. A namespace to which a worker has just added the
// search attributes refuses them for a moment; that is waited for.
func Execute(ctx context.Context, c client.Client, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	for end := time.Now().Add(attributesTimeout); ; {
		run, err := c.ExecuteWorkflow(ctx, o, workflow, args...)
		var invalid *serviceerror.InvalidArgument
		if !errors.As(err, &invalid) || !strings.Contains(invalid.Message, "search attribute") {
			return run, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("the Temporal namespace lacks Landbridge's search attributes: start a worker, which adds them (%w)", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(attributesInterval):
		}
	}
}

// EnsureSearchAttributes adds Landbridge's search attributes to a namespace. A
// server that lacks one fails every workflow that sets it, so a worker asks for
// this before it begins.
func EnsureSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	if namespace == "" {
		namespace = client.DefaultNamespace
	}
	want := SearchAttributes()
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("list the search attributes of the namespace %s: %w", namespace, err)
	}
	for name := range have.GetCustomAttributes() {
		delete(want, name)
	}
	if len(want) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: want})
	if err != nil {
		return fmt.Errorf("the namespace %s lacks search attributes of the type Keyword (%s), and they cannot be added; add them with Temporal's own tools: %w",
			namespace, strings.Join(slices.Sorted(maps.Keys(want)), ", "), err)
	}
	return nil
}
