package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// temporal answers what a connection asks, as a real one does, and refuses where a
// test gives it an error.
type temporal struct {
	workflowservice.UnimplementedWorkflowServiceServer
	operatorservice.UnimplementedOperatorServiceServer
	refusal, noList, noAdd error
	attributes             map[string]enumspb.IndexedValueType
	added                  []*operatorservice.AddSearchAttributesRequest
	// data of the namespace, and how often it was updated.
	data    map[string]string
	updated int
}

func (s *temporal) GetSystemInfo(context.Context, *workflowservice.GetSystemInfoRequest) (*workflowservice.GetSystemInfoResponse, error) {
	return &workflowservice.GetSystemInfoResponse{Capabilities: &workflowservice.GetSystemInfoResponse_Capabilities{}}, s.refusal
}

func (s *temporal) GetClusterInfo(context.Context, *workflowservice.GetClusterInfoRequest) (*workflowservice.GetClusterInfoResponse, error) {
	return &workflowservice.GetClusterInfoResponse{ClusterId: "server-a"}, s.noList
}

func (s *temporal) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest) (*operatorservice.ListSearchAttributesResponse, error) {
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: s.attributes}, s.noList
}

func (s *temporal) AddSearchAttributes(_ context.Context, r *operatorservice.AddSearchAttributesRequest) (*operatorservice.AddSearchAttributesResponse, error) {
	s.added = append(s.added, r)
	return &operatorservice.AddSearchAttributesResponse{}, s.noAdd
}

// serve answers gRPC on the listener until the test ends.
func (s *temporal) serve(t *testing.T, l net.Listener) string {
	t.Helper()
	server := grpc.NewServer()
	workflowservice.RegisterWorkflowServiceServer(server, s)
	operatorservice.RegisterOperatorServiceServer(server, s)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return l.Addr().String()
}

// dial connects to the server, which answers.
func (s *temporal) dial(t *testing.T) client.Client {
	t.Helper()
	noProfiles(t)
	c, err := Flags{Address: s.serve(t, listen(t))}.Dial(t.Context(), nil, nil)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// noProfiles hides the settings of whoever runs the test.
func noProfiles(t *testing.T) {
	t.Helper()
	t.Setenv("TEMPORAL_CONFIG_FILE", filepath.Join(t.TempDir(), "none.toml"))
	for _, name := range []string{"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY", "TEMPORAL_PROFILE", "TEMPORAL_TLS"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
}

// certificate returns the TLS settings of a server for 127.0.0.1, and a file with
// what its clients must trust.
func certificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	return &tls.Config{Certificates: s.TLS.Certificates, NextProtos: []string{"h2"}}, file
}

func withClientCertificates(c *tls.Config, roots *x509.CertPool) *tls.Config {
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, roots
	return c
}

var (
	unauthenticated = status.Error(codes.Unauthenticated, "Request unauthorized.")
	denied          = status.Error(codes.PermissionDenied, "no")
)
