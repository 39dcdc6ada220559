package connect

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/fleet"
)

// UIData names what a Temporal namespace keeps of itself for Landbridge: the address of the web
// UI. landbridge-standalone writes it; of another Temporal its administrator does
// (`temporal operator namespace update --data`).
const UIData = fleet.Domain + "/ui"

// The UI of Temporal Cloud, and the end of its servers' names.
const (
	cloudUI   = "https://cloud.temporal.io"
	cloudHost = ".tmprl.cloud"
)

// ChangesURL returns where Temporal's web UI lists the changes of a fleet, or nothing where
// nobody knows the UI's address. The options are those of the client's connection.
func ChangesURL(ctx context.Context, c client.Client, o client.Options, fleetName string) string {
	namespace := o.Namespace
	if namespace == "" {
		namespace = client.DefaultNamespace
	}
	host, _, _ := strings.Cut(o.HostPort, ":")
	ui := ""
	if d, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace}); err == nil {
		ui = d.GetNamespaceInfo().GetData()[UIData]
	}
	if ui == "" && strings.HasSuffix(host, cloudHost) {
		ui = cloudUI
	}
	if u, err := url.Parse(ui); err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "" // none, or not one that a browser opens
	}
	query := url.Values{"query": {fmt.Sprintf("WorkflowId=%q", fleet.WorkflowID(fleetName))}}
	return strings.TrimRight(ui, "/") + "/namespaces/" + url.PathEscape(namespace) + "/workflows?" + query.Encode()
}

// SetUI has a namespace keep the address of its web UI, or with an empty one forget it.
func SetUI(ctx context.Context, c client.Client, namespace, address string) error {
	d, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	if err == nil && d.GetNamespaceInfo().GetData()[UIData] != address {
		_, err = c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{Namespace: namespace,
			UpdateInfo: &namespacepb.UpdateNamespaceInfo{Data: map[string]string{UIData: address}}})
	}
	if err != nil {
		return fmt.Errorf("note the address of the web UI at the namespace %s: %w", namespace, err)
	}
	return nil
}
