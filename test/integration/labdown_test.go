package integration

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// machineWide lists what kubelet would change for the whole machine.
var machineWide = []string{"kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom", "kernel/keys/root_maxkeys", "net/ipv4/ip_forward",
	"net/ipv6/conf/all/forwarding", "net/ipv6/conf/default/accept_dad"}

func sysctls(t *testing.T) (out []string) {
	for _, name := range machineWide {
		data, err := os.ReadFile("/proc/sys/" + name)
		require.NoError(t, err)
		out = append(out, name+"="+string(data))
	}
	return out
}

// traces returns what a lab in a directory has left on the machine.
func traces(t *testing.T, dir string) (found []string) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, l := range lines {
		if data, err := os.ReadFile(l); err == nil && bytes.Contains(data, []byte(dir)) {
			found = append(found, "process "+strings.ReplaceAll(string(data), "\x00", " "))
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	if bytes.Contains(mounts, []byte(dir)) {
		found = append(found, "a mount")
	}
	_ = filepath.WalkDir("/sys/fs/cgroup", func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(p, "landbridge-lab") && strings.Contains(p, filepath.Base(dir)) {
			found = append(found, "cgroup "+p)
		}
		return nil
	})
	if _, err := os.Stat(dir); err == nil {
		found = append(found, dir)
	}
	return found
}

func TestLab_RealNodesAreKilledAtAnyMoment_DownLeavesNothing(t *testing.T) {
	needsRealNodes(t, "real nodes")
	before := sysctls(t)
	for _, after := range []time.Duration{300 * time.Millisecond, 2 * time.Second, 6 * time.Second} {
		dir := filepath.Join(labsDir, "killed-"+after.String())
		up := exec.Command(bin("lab"), "up", "--nodes", "real", "--clusters", "1", "--dir", dir)
		require.NoError(t, up.Start())
		time.Sleep(after)
		require.NoError(t, up.Process.Kill())
		_ = up.Wait()
		began := time.Now()
		out, err := exec.Command(bin("lab"), "down", "--dir", dir).CombinedOutput()
		require.NoError(t, err, string(out))
		t.Logf("killed after %s, down took %.1f s", after, time.Since(began).Seconds())
		require.Empty(t, traces(t, dir))
	}
	require.Equal(t, before, sysctls(t))
}
