package connect

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

func (s *temporal) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest) (*workflowservice.DescribeNamespaceResponse, error) {
	return &workflowservice.DescribeNamespaceResponse{NamespaceInfo: &namespacepb.NamespaceInfo{Data: s.data}}, s.noList
}

func (s *temporal) UpdateNamespace(_ context.Context, r *workflowservice.UpdateNamespaceRequest) (*workflowservice.UpdateNamespaceResponse, error) {
	s.updated++
	s.data = r.GetUpdateInfo().GetData()
	return &workflowservice.UpdateNamespaceResponse{}, nil
}

func TestChangesURL_IsFilteredToTheFleet(t *testing.T) {
	for name, c := range map[string]struct {
		data map[string]string
		at   string
		want string
	}{
		"as noted": {map[string]string{UIData: "http://127.0.0.1:8233/"}, "127.0.0.1:7233",
			"http://127.0.0.1:8233/namespaces/ours/workflows?query=WorkflowId%3D%22landbridge.prod%22"},
		"Temporal Cloud":    {nil, "ours.a1b2.tmprl.cloud:7233", "https://cloud.temporal.io/namespaces/ours/workflows?query=WorkflowId%3D%22landbridge.prod%22"},
		"nobody told":       {nil, "temporal.example.com:7233", ""},
		"no address at all": {map[string]string{UIData: "javascript:alert(1)"}, "127.0.0.1:7233", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &temporal{data: c.data}
			require.Equal(t, c.want, ChangesURL(t.Context(), s.dial(t), client.Options{HostPort: c.at, Namespace: "ours"}, "prod"))
		})
	}
	s := &temporal{noList: errors.New("no")}
	require.Empty(t, ChangesURL(t.Context(), s.dial(t), client.Options{HostPort: "127.0.0.1:7233"}, "prod"))
}

func TestSetUI_WritesWhatDiffersOnly(t *testing.T) {
	s := &temporal{}
	c := s.dial(t)
	require.NoError(t, SetUI(t.Context(), c, "ours", ""))
	require.Zero(t, s.updated)
	require.NoError(t, SetUI(t.Context(), c, "ours", "http://127.0.0.1:8233"))
	require.NoError(t, SetUI(t.Context(), c, "ours", "http://127.0.0.1:8233"))
	require.Equal(t, 1, s.updated)
	require.NoError(t, SetUI(t.Context(), c, "ours", ""))
	require.Equal(t, map[string]string{UIData: ""}, s.data)
	s.noList = errors.New("no")
	require.ErrorContains(t, SetUI(t.Context(), c, "ours", "http://127.0.0.1:8233"), "note the address of the web UI at the namespace ours")
}
