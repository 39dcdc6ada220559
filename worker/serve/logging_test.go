package serve

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// logged returns what a program with these settings logs of one line for each level.
func logged(t *testing.T, l Logging) string {
	t.Helper()
	require.NoError(t, l.Complete())
	var b bytes.Buffer
	log := l.New(&b)
	log.Debug("d")
	log.Info("i", "cluster", "east")
	log.Warn("w")
	log.Error("e")
	return b.String()
}

func TestLogging_Format_IsOneObjectForEachLine(t *testing.T) {
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(logged(t, Logging{Format: "json", Level: "error"})), &line))
	require.Equal(t, "e", line["msg"])
	require.Equal(t, "ERROR", line["level"])
	require.Contains(t, logged(t, Logging{Format: "text", Level: "info"}), "level=INFO msg=i cluster=east\n")
}

func TestLogging_Level_LeavesOutWhatIsLess(t *testing.T) {
	lines := func(level string) int {
		return bytes.Count([]byte(logged(t, Logging{Format: "text", Level: level})), []byte("\n"))
	}
	require.Equal(t, []int{4, 3, 2, 1}, []int{lines("debug"), lines("info"), lines("warn"), lines("error")})
}

// What stops the program is an object too: whoever collects its log reads that line as well.
func TestLogging_JSON_HasWhatEndsTheProgram(t *testing.T) {
	p := start(t, "--address", "127.0.0.1:1", "--log-format", "json")
	require.Equal(t, ExitFailed, p.exit())
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(lastLine(p)), &line), p)
	require.Equal(t, "ERROR", line["level"])
	require.Contains(t, line["msg"], "no Temporal answers at 127.0.0.1:1")
}
