package connect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
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
	if err := wrongTypes(namespace, want, have.GetCustomAttributes()); err != nil {
		return err
	}
	for name := range have.GetCustomAttributes() {
		delete(want, name)
	}
	if len(want) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: want})
	if limit, full := noRoom(err); full {
		return tooMany(namespace, want, have.GetCustomAttributes(), limit)
	}
	if err != nil {
		return fmt.Errorf("the namespace %s lacks search attributes of the type Keyword (%s), and they cannot be added; add them with Temporal's own tools: %w",
			namespace, strings.Join(slices.Sorted(maps.Keys(want)), ", "), err)
	}
	return nil
}

// wrongTypes reports the first of Landbridge's search attributes that the namespace has with
// another type: Temporal would refuse every workflow that sets it.
func wrongTypes(namespace string, want, have map[string]enumspb.IndexedValueType) error {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if typ, there := have[name]; there && typ != want[name] {
			return fmt.Errorf("the namespace %s has the search attribute %s with the type %s, and Landbridge needs %s; remove it (`temporal operator search-attribute remove`), or give Landbridge a namespace of its own", namespace, name, typ, want[name])
		}
	}
	return nil
}

// full matches Temporal's refusal on databases that have columns for so many search
// attributes of a type, in all namespaces.
var full = regexp.MustCompile(`cannot have more than (\d+) search attribute`)

// noRoom returns how many search attributes of the type a namespace can have, where that
// is why none was added.
func noRoom(err error) (limit int, is bool) {
	if err == nil {
		return 0, false
	}
	found := full.FindStringSubmatch(err.Error())
	if found == nil {
		return 0, false
	}
	limit, err = strconv.Atoi(found[1])
	return limit, err == nil
}

func tooMany(namespace string, lacks, have map[string]enumspb.IndexedValueType, limit int) error {
	used := 0
	for _, typ := range have {
		if typ == enumspb.INDEXED_VALUE_TYPE_KEYWORD {
			used++
		}
	}
	free := max(0, limit-used)
	return fmt.Errorf("%d more search attributes of the type Keyword are needed in the namespace %s (%s), and %d of %d are free; remove %d that nobody uses (`temporal operator search-attribute remove`), or give Landbridge a namespace of its own",
		len(lacks), namespace, strings.Join(slices.Sorted(maps.Keys(lacks)), ", "), free, limit, len(lacks)-free)
}
