package integration

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestStandalone_KilledInTheMiddle_ContinuesWhereItWas(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.sailWorks()
	w.must("rollout", "-f", file, "--detach")
	w.untilSail(t, "east", "west")
	w.kill()
	w.behave()
	w.start()
	out := w.must("rollout", "-f", file)
	require.Contains(t, out, "joining the rollout", "the same request joins")
	w.requireRemoteSecret("east", "west")
	w.must("cleanup", "-f", file)
	same()
}

func TestCleanup_WithTemporalsDatabaseAndTheRootGone_LeavesNothing(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	w.stop()
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "temporal")))
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "roots")))
	w.start()
	w.must("cleanup", "-f", file)
	same()
}

func TestRollout_DiesHalfWay_AnotherTemporalNeedsTakeOver(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.sailWorks()
	w.must("rollout", "-f", file, "--detach")
	w.untilSail(t, "east", "west") // by now an inventory names the run
	w.kill()
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "temporal")))
	w.behave()
	w.start()
	out, code := w.try("rollout", "-f", file)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "is being changed by run")
	require.Contains(t, out, "--take-over")
	w.must("rollout", "-f", file, "--take-over")
	w.requireRemoteSecret("west", "east")
	w.must("cleanup", "-f", file)
	same()
}

func TestFleet_BeingChanged_AnotherRequestIsRefusedAndCleanupStopsIt(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.sailWorks()
	w.must("rollout", "-f", file, "--detach")
	out, code := w.try("rollout", "-f", file, "--prune")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "is being changed")
	require.Contains(t, out, "or end it with `landbridge cancel test --reason …`")
	// What it made goes again, or stays for the next rollout.
	w.untilSail(t, "east", "west")
	for _, keep := range []bool{false, true} {
		w.must(append([]string{"cancel", "test", "--by", "anna", "--reason", "CHG-9"}, map[bool][]string{true: {"--keep"}}[keep]...)...)
		out, code = w.try("watch", "test")
		require.Equal(t, 1, code, out)
		require.Contains(t, out, "the rollout was canceled by anna: CHG-9; what was open is "+map[bool]string{true: "kept as it is", false: "undone"}[keep])
		_, err := w.connect("east").CoreV1().Secrets("istio-system").Get(ctx, "cacerts", metav1.GetOptions{})
		require.Equal(t, keep, err == nil, err)
		w.must("rollout", "-f", file, "--detach")
		w.untilSail(t, "east", "west")
	}
	w.behave()
	out = w.must("cleanup", "-f", file)
	require.Contains(t, out, "canceling the rollout")
	same()
}

func TestCluster_OfAnotherFleet_IsRefusedByName(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	second := w.file([]string{"east", "west"}, "metadata: {name: test}", "metadata: {name: second}")
	out, code := w.try("rollout", "-f", second)
	require.Equal(t, 2, code, out)
	require.Contains(t, out, "belongs to the fleet test")
	out, code = w.try("cleanup", "-f", second)
	require.Equal(t, 3, code, out)
	w.requireRemoteSecret("east", "west")
	w.must("cleanup", "-f", file)
	same()
}

// Each of two workers has one cluster's kubeconfig and task queue, and a third has the
// root: no worker alone could roll the fleet out.
func TestWorkers_OneForEachClusterAndOneForTheRoot_DoItTogether(t *testing.T) {
	w := stillWorld(t)
	empty := t.TempDir()
	w.startWith("--kubeconfig-dir", empty, "--unseen", "east", "--unseen", "west") // it runs workflows and keeps the root
	for c, unseen := range map[string]string{"east": "west", "west": "east"} {
		dir := t.TempDir()
		data, err := os.ReadFile(w.lab.Kubeconfig(c))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, c+".kubeconfig"), data, 0o600))
		var log bytes.Buffer
		cmd := exec.Command(bin("landbridge-worker"), "--address", fmt.Sprintf("127.0.0.1:%d", w.port), "--task-queue", "only-"+c,
			"--kubeconfig-dir", dir, "--no-root", "--unseen", unseen, "--listen", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
		cmd.Stdout, cmd.Stderr = &log, &log
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			require.NoError(t, cmd.Wait(), "the worker must end well:\n%s", log.String())
		})
	}
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"}, "kubeconfig: {path: east.kubeconfig}", "taskQueue: only-east, kubeconfig: {path: east.kubeconfig}",
		"kubeconfig: {path: west.kubeconfig}", "taskQueue: only-west, kubeconfig: {path: west.kubeconfig}")
	w.must("rollout", "-f", file)
	w.requireRemoteSecret("east", "west")
	w.must("cleanup", "-f", file)
	same()
}

func TestWorker_HealthAndMetricsOnLoopback(t *testing.T) {
	w := newWorld(t)
	port := freePort(t)
	cmd := exec.Command(bin("landbridge-worker"), "--address", fmt.Sprintf("127.0.0.1:%d", w.port), "--kubeconfig-dir", w.lab.Dir, "--listen", fmt.Sprintf("127.0.0.1:%d", port))
	var log bytes.Buffer
	cmd.Stderr = &log
	require.NoError(t, cmd.Start())
	defer func() { // also where it has only begun to serve
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait(), "%s", &log)
	}()
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	require.Eventually(t, func() bool { return portOpen(port) }, patience, pause/5)
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": "temporal_"} {
		code, body := httpGet(t, url+path)
		require.Equal(t, 200, code, path)
		require.Contains(t, body, want, path)
	}
}

// A root is kept in a Secret of a cluster, moved to a worker's directory and back, exported,
// and goes with the fleet, wherever it is.
func TestRoot_InASecretOfACluster_MovesAndGoesWithTheFleet(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	inCluster := w.file([]string{"east", "west"}, "ca: {keyAlgorithm: ECDSA-P256}", "ca: {keyAlgorithm: ECDSA-P256, root: {cluster: west}}\n  "+withoutSecrets)
	inDirectory := w.file([]string{"east", "west"})
	kept := func() bool {
		_, err := w.connect("west").CoreV1().Secrets("landbridge-system").Get(ctx, "landbridge-root-ca", metav1.GetOptions{})
		require.True(t, err == nil || apierrors.IsNotFound(err), err)
		return err == nil
	}
	w.must("rollout", "-f", inCluster)
	require.True(t, kept())
	require.Contains(t, w.must("ca", "show", "-f", inCluster), "the root is kept in a Secret of cluster west")

	out, code := w.try("ca", "move", "-f", inCluster, "--to", "directory", "--reason", "CHG-3")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "only while the worker that keeps it runs with --root-export")
	require.True(t, kept())
	w.stop()
	w.startWith("--kubeconfig-dir", w.lab.Dir, "--root-export")
	out = w.must("ca", "move", "-f", inCluster, "--to", "directory", "--reason", "CHG-3")
	require.Contains(t, out, "now set in the fleet file: spec.ca.root: {taskQueue: landbridge}")
	require.False(t, kept())
	require.FileExists(t, filepath.Join(w.dir, "roots", "test", "root-key.pem"))
	out, code = w.try("rollout", "-f", inCluster)
	require.NotZero(t, code, out)
	require.Contains(t, out, "which was kept in the root directory of a worker")
	require.False(t, kept(), "no second root is made")
	require.Contains(t, w.must("plan", "-f", inDirectory), "root\n    nothing to change (1 object)")

	pass, export := filepath.Join(t.TempDir(), "pass"), filepath.Join(t.TempDir(), "root.age")
	require.NoError(t, os.WriteFile(pass, []byte("correct horse\n"), 0o600))
	w.must("ca", "export", "-f", inDirectory, "--passphrase-file", pass, "--out", export)
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "roots", "test"))) // the disk is lost
	out, code = w.try("ca", "show", "-f", inDirectory)
	require.Equal(t, 3, code, out)
	require.Contains(t, out, "no root can be used here")
	w.must("ca", "import", export, "-f", inDirectory, "--passphrase-file", pass, "--reason", "restored")
	w.must("ca", "show", "-f", inDirectory)
	w.must("ca", "move", "-f", inDirectory, "--to", "cluster", "--cluster", "west")
	require.True(t, kept())
	require.Contains(t, w.must("plan", "-f", inCluster), "root\n    nothing to change (1 object)")
	w.must("cleanup", "-f", inCluster)
	same()
}

// Nothing that people can read holds a secret: no history, no log, no output.
func TestSecrets_AreInNoHistoryLogOrOutput(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.behave("--cloud-never", "--cloud-only", "west")
	w.try("rollout", "-f", w.file([]string{"east", "west"}, "loadBalancerTimeout: 60s", "loadBalancerTimeout: 2s"))
	w.behave()
	w.must("rollout", "-f", file)
	secrets := w.labSecrets()
	rootKey, err := os.ReadFile(filepath.Join(w.dir, "roots", "test", "root-key.pem"))
	require.NoError(t, err)
	secrets["the root's key"] = rootKey
	w.must("cleanup", "-f", file)

	c, err := client.Dial(client.Options{HostPort: fmt.Sprintf("127.0.0.1:%d", w.port), Logger: silent{}})
	require.NoError(t, err)
	defer c.Close()
	places := map[string][]byte{"what the commands printed": w.outputs.Bytes(), "the worker's log": w.log.Bytes(), "the histories": histories(t, c)}
	database, err := os.ReadFile(filepath.Join(w.dir, "temporal", "temporal.db"))
	require.NoError(t, err)
	wal, _ := os.ReadFile(filepath.Join(w.dir, "temporal", "temporal.db-wal"))
	places["Temporal's database"] = append(database, wal...)
	require.Greater(t, len(secrets), 8)
	for where, data := range places {
		require.NotEmpty(t, data, where)
		for name, s := range secrets {
			for _, form := range forms(t, s) {
				require.False(t, bytes.Contains(data, form), "%s holds %s", where, name)
			}
		}
	}
	// The search works: it finds public text, and each secret where that is kept.
	require.True(t, bytes.Contains(places["the histories"], []byte("BEGIN CERTIFICATE")))
	for name, s := range secrets {
		joined := append(bytes.ReplaceAll(bytes.Clone(s), []byte("\n"), nil), s...)
		require.True(t, slices.ContainsFunc(forms(t, s), func(f []byte) bool { return bytes.Contains(joined, f) }), name)
	}
	same()
}

// labSecrets returns the keys and tokens in both clusters' Secrets, and the keys of the
// kubeconfigs.
func (w *world) labSecrets() map[string][]byte {
	t := w.t
	t.Helper()
	out := map[string][]byte{}
	for _, cl := range []string{"east", "west"} {
		list, err := w.connect(cl).CoreV1().Secrets("").List(ctx, metav1.ListOptions{})
		require.NoError(t, err)
		for _, s := range list.Items {
			for _, k := range []string{"ca-key.pem", corev1.ServiceAccountTokenKey, "identity.age"} {
				if len(s.Data[k]) > 0 {
					out[cl+" "+s.Namespace+"/"+s.Name+" "+k] = s.Data[k]
				}
			}
		}
		key, err := os.ReadFile(filepath.Join(w.lab.Dir, "pki", cl, "landbridge.key"))
		require.NoError(t, err)
		out[cl+"'s kubeconfig"] = key
	}
	return out
}

// forms returns a secret as text and, at all three offsets, in base64. For a private key
// it takes the private number, since the rest of the file is public, and the part of the
// file that has the number.
func forms(t *testing.T, secret []byte) [][]byte {
	t.Helper()
	var out [][]byte
	parts := [][]byte{bytes.TrimSpace(secret)}
	if block, _ := pem.Decode(secret); block != nil {
		key, err := x509.ParseECPrivateKey(block.Bytes)
		require.NoError(t, err)
		number, err := key.Bytes()
		require.NoError(t, err)
		parts = [][]byte{number}
		at := bytes.Index(block.Bytes, number)
		inFile := []byte(base64.StdEncoding.EncodeToString(block.Bytes[:(at+len(number))/3*3]))
		parts = append(parts, inFile)
	}
	for _, s := range parts {
		out = append(out, s)
		for skip := range 3 {
			part := s[skip:]
			out = append(out, []byte(base64.StdEncoding.EncodeToString(part[:len(part)/3*3])))
		}
	}
	return out
}
