package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/landbridge/landbridge/internal/codec"
)

func TestCodecKeygen_MakesAFileThatTheCommandUses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "codec.keys")
	var out, errs bytes.Buffer
	require.Zero(t, Main([]string{"codec", "keygen", path}, &out, &errs), errs.String())
	keys, err := codec.Load(path)
	require.NoError(t, err)
	require.Contains(t, out.String(), path+": new key "+keys.IDs()[0]+"; it encrypts from now on")
	out.Reset()
	require.Zero(t, Main([]string{"codec", "keygen", path, "--last"}, &out, &errs), errs.String())
	require.Contains(t, out.String(), "it opens, and encrypts once its line is the first")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Fields(string(text))
	require.NotContains(t, out.String(), lines[len(lines)-1], "no key is printed")

	require.NoError(t, os.Chmod(path, 0o644))
	require.Equal(t, exitUsage, Main([]string{"codec", "keygen", path}, &out, &errs))
	require.Contains(t, errs.String(), "chmod 600")
	// A key file that others read is used for nothing: Temporal is not even asked.
	errs.Reset()
	require.Equal(t, exitFailed, Main([]string{"status", "prod", "--address", "127.0.0.1:1", "--codec-key-file", path}, &out, &errs))
	require.Equal(t, "landbridge: --codec-key-file: "+path+" has the mode 0644, so that others may read or write the keys: `chmod 600 "+path+"`\n", errs.String())
}

func TestStatus_OfAWorkerWithoutTheKey_TellsItFromNone(t *testing.T) {
	_, missing := codec.Load(filepath.Join(t.TempDir(), "none"))
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("Workflow panic: this Temporal namespace has data that is encrypted with the key a, and so on\nstack"),
			"unknown: the worker says that this Temporal namespace has data that is encrypted with the key a, and so on"},
		{serviceerror.NewWorkflowNotReady("Unable to query workflow due to Workflow Task in failed state."), "unknown: the worker cannot go on with it, and its log says why"},
		{serviceerror.NewWorkflowNotReady("Workflow task is not scheduled yet."), "unknown: no worker answers"},
		{missing, "unknown: no worker answers"},
	} {
		require.Equal(t, c.want, unanswered(c.err))
	}
}
