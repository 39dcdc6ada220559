// Package connect finds and reaches Temporal as Temporal's own tools do: by
// TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS and API key variables and profiles,
// by default at 127.0.0.1:7233.
package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/pflag"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/landbridge/landbridge/internal/api"
)

// DefaultAddress is where Temporal's tools look when nobody says otherwise.
const DefaultAddress = "127.0.0.1:7233"

// dialTimeout bounds how long a person waits for the news that Temporal is not there.
const dialTimeout = 5 * time.Second

// Flags say where Temporal is; what they leave out comes from the environment
// and the profile.
type Flags struct {
	Address, Namespace, Profile string
}

// Bind adds the flags to a command.
func (f *Flags) Bind(fs *pflag.FlagSet) {
	fs.StringVar(&f.Address, "address", "", "Temporal's host:port (default $TEMPORAL_ADDRESS, the profile's, or "+DefaultAddress+")")
	fs.StringVar(&f.Namespace, "namespace", "", "Temporal namespace (default $TEMPORAL_NAMESPACE, the profile's, or default)")
	fs.StringVar(&f.Profile, "profile", "", "profile in Temporal's configuration file (default $TEMPORAL_PROFILE, or default)")
}

// NotThereError is a Temporal that does not answer.
type NotThereError struct {
	Address string
	Cause   error
}

func (e *NotThereError) Error() string {
	return fmt.Sprintf("no Temporal answers at %s: start one with `landbridge-standalone`, or set TEMPORAL_ADDRESS or --address", e.Address)
}

func (e *NotThereError) Unwrap() error { return e.Cause }

// Dial connects to Temporal. The error is a *NotThereError where nothing
// answers, and a *RefusedError where it answers and does not let us in. With a nil logger the client is silent. change may adjust the options.
func (f Flags) Dial(ctx context.Context, logger *slog.Logger, change func(*client.Options)) (client.Client, error) {
	o, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{ConfigFileProfile: f.Profile})
	if err != nil {
		return nil, fmt.Errorf("read Temporal's configuration: %w", err)
	}
	if f.Address != "" {
		o.HostPort = f.Address
	}
	if o.HostPort == "" {
		o.HostPort = DefaultAddress
	}
	if f.Namespace != "" {
		o.Namespace = f.Namespace
	}
	if logger == nil {
		logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.Logger = log.NewStructuredLogger(logger)
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, o)
	if err != nil {
		return nil, whyNot(o.HostPort, err)
	}
	return c, nil
}

// RefusedError is a Temporal that is there and does not let us in, or to which no
// TLS session can be made.
type RefusedError struct {
	Address, Reason string
	Cause           error
}

func (e *RefusedError) Error() string { return fmt.Sprintf("Temporal at %s: %s", e.Address, e.Reason) }

func (e *RefusedError) Unwrap() error { return e.Cause }

// whyNot tells a Temporal that is not there from one that refuses. What gRPC says
// of a TLS session that failed is only in its words.
func whyNot(address string, err error) error {
	text := err.Error()
	_, tls, isTLS := strings.Cut(text, "authentication handshake failed: ")
	var denied *serviceerror.PermissionDenied
	switch {
	case errors.As(err, &denied), strings.Contains(text, "Unauthenticated"), strings.Contains(text, "PermissionDenied"):
		return &RefusedError{address, "it refuses the API key or certificate (TEMPORAL_API_KEY, TEMPORAL_TLS_CLIENT_CERT_PATH, or the profile's)", err}
	case isTLS && (strings.Contains(tls, "first record does not look like a TLS handshake") || tls == "EOF"):
		return &RefusedError{address, "it speaks no TLS; leave TEMPORAL_TLS and TEMPORAL_API_KEY unset", err}
	case isTLS:
		return &RefusedError{address, "no TLS session: " + strings.Trim(tls, `"`) + "; look at TEMPORAL_TLS_SERVER_CA_CERT_PATH and TEMPORAL_TLS_SERVER_NAME", err}
	case strings.Contains(text, "tls: certificate required"), strings.Contains(text, "bad certificate"), strings.Contains(text, "unknown certificate authority"):
		return &RefusedError{address, "it wants a client certificate that it knows; set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH", err}
	case strings.Contains(text, "error reading server preface"), strings.Contains(text, "malformed HTTP"):
		return &RefusedError{address, "it speaks TLS, or is no Temporal; set TEMPORAL_TLS=true and what else it needs", err}
	}
	return &NotThereError{address, err}
}

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

// attributesTimeout is how long a server takes to notice new search attributes.
const attributesTimeout = 15 * time.Second

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
		case <-time.After(attributesTimeout / 30):
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
		names := make([]string, 0, len(want))
		for n := range want {
			names = append(names, n)
		}
		return errors.Join(fmt.Errorf("the namespace %s lacks the search attributes %v (type Keyword), and they cannot be added; add them with Temporal's own tools", namespace, names), err)
	}
	return nil
}
