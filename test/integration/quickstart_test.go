package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The first block of docs/quickstart.md does in a shell what it says, line by line, in a directory
// that has only bin. The one thing added is a port of its own for Temporal.
func TestRealNodes_QuickStart_DoesWhatItSays(t *testing.T) {
	if !*wholeWay {
		t.Skip("it needs a lab of its own: make e2e does it")
	}
	needsRealNodes(t, "the quick start")
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "quickstart.md"))
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)\n```\n(.*?)```").FindSubmatch(text)
	require.NotNil(t, block)
	dir, err := os.MkdirTemp("", "quick-") // short: a kubelet has sockets below it
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port := freePort(t)
	require.NoError(t, os.Symlink(filepath.Dir(bin("lab")), filepath.Join(dir, "bin")))
	lines := strings.Split(strings.TrimSpace(string(block[1])), "\n")
	script := "set -euo pipefail -m\ntrap 'kill %1 2>/dev/null || true; bin/lab down --dir .quick/lab' EXIT\n"
	for _, l := range lines {
		script += fmt.Sprintf("echo '$ %s'\n", strings.ReplaceAll(l, "'", `'\''`))
		if strings.HasSuffix(l, "&") { // a person takes longer for the next line
			l = strings.Replace(l, "standalone", fmt.Sprintf("standalone --port %d --no-ui", port), 1) + "\nuntil bin/landbridge list >/dev/null 2>&1; do sleep 0.3; done"
		}
		script += l + "\n"
	}
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), fmt.Sprintf("TEMPORAL_ADDRESS=127.0.0.1:%d", port))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
	for _, want := range []string{"to create", "2 clusters and 2 links rolled out", "every link is proven", "my first one", "is as the fleet file describes it", "removed "} {
		require.Contains(t, string(out), want)
	}
}
