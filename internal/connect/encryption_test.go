package connect

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/codec"
)

// newKeys makes a key file, and returns its name and the ID of its key.
func newKeys(t *testing.T) (file, id string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "keys")
	id, err := codec.NewKey(file, false)
	require.NoError(t, err)
	return file, id
}

func TestDial_WithAKeyFile_EncryptsWhatItSends(t *testing.T) {
	flag, flagID := newKeys(t)
	env, envID := newKeys(t)
	for name, c := range map[string]struct{ flag, env, want string }{
		"flag":                    {flag, "", flagID},
		"environment":             {"", env, envID},
		"flag before environment": {flag, env, flagID},
		"neither":                 {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			noProfiles(t)
			t.Setenv(codec.Variable, c.env)
			var got client.Options
			f := Flags{Address: (&temporal{}).serve(t, listen(t)), Encryption: Encryption{KeyFile: c.flag}}
			conn, err := f.Dial(t.Context(), nil, func(o *client.Options) { got = *o })
			require.NoError(t, err)
			conn.Close()
			p, err := got.DataConverter.ToPayload("east")
			require.NoError(t, err)
			require.Equal(t, c.want, string(p.Metadata[codec.MetadataKeyID]))
			failure := got.FailureConverter.ErrorToFailure(os.ErrExist)
			require.Equal(t, c.want, string(failure.GetEncodedAttributes().GetMetadata()[codec.MetadataKeyID]))
		})
	}
}

func TestDial_AKeyFileThatCannotBeUsed_IsKnownBeforeAnybodyIsAsked(t *testing.T) {
	noProfiles(t)
	open, _ := newKeys(t)
	require.NoError(t, os.Chmod(open, 0o644))
	nobody := "127.0.0.1:1"
	_, err := Flags{Address: nobody, Encryption: Encryption{KeyFile: open}}.Dial(t.Context(), nil, nil)
	require.ErrorContains(t, err, "--codec-key-file: "+open+" has the mode 0644")
	t.Setenv(codec.Variable, filepath.Join(t.TempDir(), "none"))
	_, err = Flags{Address: nobody}.DialForWorker(t.Context(), nil, nil)
	require.ErrorContains(t, err, "LANDBRIDGE_CODEC_KEY_FILE: open ")
	require.ErrorContains(t, err, "no such file")
}

// lastRun answers about the last run of a fleet, whatever its name.
type lastRun struct {
	client.Client
	memo *commonpb.Payload
	err  error
}

func (l lastRun) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
		Memo: &commonpb.Memo{Fields: map[string]*commonpb.Payload{id: l.memo}}}}, l.err
}

func TestReadable_OnlyWhatNoKeyOpens_IsAnError(t *testing.T) {
	file, id := newKeys(t)
	keys, err := codec.Load(file)
	require.NoError(t, err)
	memo, err := keys.Codec().Encode([]*commonpb.Payload{{Data: []byte("east")}})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		keys *codec.Keys
		last lastRun
		want string
	}{
		"with the key":       {keys, lastRun{memo: memo[0]}, ""},
		"without":            {&codec.Keys{}, lastRun{memo: memo[0]}, "encrypted with the key " + id},
		"from before":        {&codec.Keys{}, lastRun{memo: &commonpb.Payload{Data: []byte("east")}}, ""},
		"no run":             {&codec.Keys{}, lastRun{err: serviceerror.NewNotFound("no")}, ""},
		"Temporal is not up": {&codec.Keys{}, lastRun{err: serviceerror.NewUnavailable("no")}, ""},
	} {
		err := Readable(t.Context(), c.keys.Opened(c.last), "prod")
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, c.want, name)
	}
}
