package integration

import (
	"bytes"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"encoding/base64"
	"regexp"

	enumspb "go.temporal.io/api/enums/v1"
)

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

var payload = regexp.MustCompile(`"data":\s*"([A-Za-z0-9+/=]+)"`)

// histories returns all histories of all workflows, as JSON, with every payload decoded
// beside it.
func histories(t *testing.T, c client.Client) []byte {
	t.Helper()
	var out bytes.Buffer
	list, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{PageSize: 1000})
	require.NoError(t, err)
	require.NotEmpty(t, list.GetExecutions())
	for _, e := range list.GetExecutions() {
		iter := c.GetWorkflowHistory(ctx, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for iter.HasNext() {
			event, err := iter.Next()
			require.NoError(t, err)
			data, err := protojson.Marshal(event)
			require.NoError(t, err)
			out.Write(data)
			raw, err := proto.Marshal(event)
			require.NoError(t, err)
			out.Write(raw)
			for _, m := range payload.FindAllSubmatch(data, -1) {
				if plain, err := base64.StdEncoding.DecodeString(string(m[1])); err == nil {
					out.Write(plain)
				}
			}
		}
	}
	return out.Bytes()
}

func portOpen(port int) bool {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
