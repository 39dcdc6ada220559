package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	benchObjects = 1500
	benchBytes   = 4096
)

// BenchmarkTunnel measures requests to west's API server with the reader's own
// token: from west's node directly, and from east's node through the tunnel.
func BenchmarkTunnel(b *testing.B) {
	r := newReal(b, 2, "mesh")
	r.rollout()
	west := r.connect("west")
	for i := range benchObjects {
		_, err := west.CoreV1().Secrets("default").Create(context.Background(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("bench-%04d", i)}, Data: map[string][]byte{"data": make([]byte, benchBytes)}}, metav1.CreateOptions{})
		require.NoError(b, err)
	}
	token, err := west.CoreV1().Secrets("istio-system").Get(context.Background(), "landbridge-reader-east-1", metav1.GetOptions{})
	require.NoError(b, err)
	file := filepath.Join(r.dir, "token")
	require.NoError(b, os.WriteFile(file, token.Data["token"], 0o600))
	for _, way := range []struct{ name, from, to string }{
		{"direct", "west", "kubernetes.default.svc.cluster.local:443"},
		{"tunnel", "east", "kube-apiserver-west-egress-gateway.istio-system.svc.cluster.local:443"},
	} {
		for _, what := range []struct{ name, path, n string }{
			{"small request", "/api/v1/namespaces?limit=1", "2000"},
			{"large list", "/api/v1/namespaces/default/secrets", "40"},
		} {
			out, err := r.inNode(way.from, "pod", "load", way.to, "kubernetes.default.svc", file, what.path, what.n)
			require.NoError(b, err, out)
			fmt.Printf("%s, %s: %s\n", way.name, what.name, out)
		}
	}
	var seen []time.Duration
	for i := range 10 {
		seen = append(seen, r.sees("east", "west", fmt.Sprintf("news-%d", i)))
	}
	slices.Sort(seen)
	fmt.Printf("a Service of west in east's istiod, 10 times: median %s, most %s (looked every 0.2 s)\n", seen[5], seen[9])
	fmt.Printf("memory:\n%s\n", memory(b))
	r.must("cleanup", "-f", r.fleet)
}

// memory returns the resident memory of each part of the lab, in MiB.
func memory(b *testing.B) string {
	out, err := exec.Command("ps", "-eo", "rss=,comm=").Output()
	require.NoError(b, err)
	parts := map[string][]int{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		kib, err := strconv.Atoi(f[0])
		if err != nil || !slices.Contains([]string{"etcd", "kube-apiserver", "kube-controller", "kube-scheduler", "kubelet", "kube-proxy", "containerd", "coredns", "pilot-discovery", "pilot-agent", "envoy"}, f[1]) {
			continue
		}
		parts[f[1]] = append(parts[f[1]], kib/1024)
	}
	var lines []string
	for name, all := range parts {
		slices.Sort(all)
		lines = append(lines, fmt.Sprintf("%-16s %d processes, median %d, most %d MiB", name, len(all), all[len(all)/2], all[len(all)-1]))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
