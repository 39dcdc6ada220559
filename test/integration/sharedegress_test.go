package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// sharesEgress gives east a second target of the same server name, and one egress gateway for
// both, while requests go through: each target has its own way there. Then it gives each link its
// own gateway again.
func (r *real) sharesEgress() {
	const one, both = "\n  - {from: east, to: west}", "\n  - {from: east, to: west}\n  - {from: east, to: north}"
	was, data := r.fleet, r.read(r.fleet)
	for _, of := range []string{"west", "north"} {
		path := fmt.Sprintf("{path: %s.kubeconfig}", of)
		require.Contains(r.t, data, path)
		data = strings.Replace(data, path, path+", apiServer: {tlsServerName: kubernetes.default.svc}", 1)
	}
	data = strings.Replace(data, one, both, 1)
	perLink := r.write("per-link.yaml", data)
	shared := r.write("shared.yaml", strings.Replace(data, "{path: front/east.kubeconfig}", "{path: front/east.kubeconfig}, gateways: {egress: {mode: shared}}", 1))
	defer func() { r.fleet = was }()

	r.fleet = perLink
	r.rollout()
	before := r.egressPods("east")
	requests, calls := r.pace("east", "west"), r.apps()
	r.fleet = shared
	r.rollout()
	require.Equal(r.t, 4, len(before))
	require.Len(r.t, r.egressPods("east"), 2, "one gateway")
	for link, l := range r.verify() {
		require.True(r.t, l.Proven, l.Sentence())
		require.Equal(r.t, strings.HasPrefix(link, "east "), l.EgressMode.Shared(), link)
	}
	r.t.Logf("a Service of west in east's istiod after %s", r.sees("east", "west", "shared"))
	require.Contains(r.t, r.must("plan", "-f", r.fleet), "nothing to do")
	r.routesAreApart()

	// One of the two is revoked, under the identity that both have.
	r.must("revoke", "-f", r.fleet, "--link", "east.north", "--reason", "tried", "--yes")
	r.eventually("the revoked link alone is shut", func() error {
		now := r.verify()
		if west := now["east -> west"]; !west.Proven {
			return fmt.Errorf("%s", west.Sentence())
		}
		if now["east -> north"].Proven {
			return fmt.Errorf("east -> north carries requests still")
		}
		return nil
	})
	r.rollout()

	began := time.Now()
	r.fleet = perLink
	r.rollout()
	r.t.Logf("and back: %.1f s", time.Since(began).Seconds())
	for link, l := range r.verify() {
		require.True(r.t, l.Proven, l.Sentence())
		require.False(r.t, l.EgressMode.Shared(), link)
	}
	require.Len(r.t, r.egressPods("east"), 4)
	r.fewFailed(requests(), maxMoments)
	calls(maxMoments)

	r.fleet = was
	r.must("rollout", "-f", r.fleet, "--prune", "--yes")
	r.allProven()
}

// routesAreApart breaks the route of one target: the other's carries on.
func (r *real) routesAreApart() {
	const services = "/apis/networking.istio.io/v1/namespaces/istio-system/virtualservices/"
	name := fleet.EgressShared.Service("north")
	r.patch("east", services+name, "")
	r.eventually("the broken route is named, and the other carries", func() error {
		now := r.verify()
		if west := now["east -> west"]; !west.Proven {
			return fmt.Errorf("%s", west.Sentence())
		}
		if north := now["east -> north"]; north.Hop != api.HopRoute {
			return fmt.Errorf("east -> north: %s", north.Sentence())
		}
		return nil
	})
	r.rollout()
}

// egressPods lists the pods of a cluster's egress gateways.
func (r *real) egressPods(cluster string) (names []types.NamespacedName) {
	r.t.Helper()
	list, err := r.connect(cluster).CoreV1().Pods("istio-system").List(context.Background(), metav1.ListOptions{LabelSelector: fleet.LabelComponent + "=" + fleet.ComponentEgress})
	require.NoError(r.t, err)
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil {
			names = append(names, types.NamespacedName{Namespace: p.Namespace, Name: p.Name})
		}
	}
	return names
}

func (r *real) read(path string) string {
	r.t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(r.t, err)
	return string(data)
}

func (r *real) write(name, text string) string {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), name)
	require.NoError(r.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
