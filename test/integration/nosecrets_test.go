package integration

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/test/lab"
)

// doesWithoutSecrets has the istiods do without the Secrets of other clusters, under traffic, and
// takes that back. Istio 1.31.0 has the setting and ends with a panic at it; these istiods are of
// that version with the panic repaired, which shows whether the reader's own role is enough.
func (r *real) doesWithoutSecrets() {
	require.NoError(r.t, r.lab.LoadIstiod(ctx, lab.Repaired, r.t.Logf))
	with := fmt.Sprintf("  istio: {values: {pilot: {image: %q, env: {PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER: \"false\"}}}}\n", lab.Repaired.Image())
	requests, calls := r.pace("east", "west"), r.apps()
	r.edit("  links:", with+"  links:")
	r.rollout()
	require.NotContains(r.t, r.must("plan", "-f", r.fleet), "every Secret of")

	// What istiod reads from here on, it reads with its new rights.
	changed := time.Now()
	pod, err := r.pod("east", "istio-system", "app=istiod")
	require.NoError(r.t, err)
	r.patch("east", coreObjects+"pods/"+pod, "")
	r.eventually("another istiod of east runs", func() error {
		now, err := r.pod("east", "istio-system", "app=istiod")
		if err == nil && now == pod {
			err = fmt.Errorf("%s still runs", pod)
		}
		return err
	})
	r.t.Logf("a Service of west in east's istiod after %s", r.sees("east", "west", "without-secrets"))
	r.allProven()
	asked, refused := r.readBy("east", "west", changed)
	require.Empty(r.t, refused, "what istiod wants and its account may not")
	for _, what := range asked {
		verb, kind, _ := strings.Cut(what, " ")
		require.Contains(r.t, []string{"list", "watch"}, verb, what)
		require.Contains(r.t, append([]string{"configmaps"}, whatIstiodReads...), kind, what)
	}
	r.t.Logf("without Secrets east's istiod and the proof asked west for: %s", strings.Join(asked, ", "))

	// A pod that comes now gets its sidecar and its endpoints from this istiod, and a gateway its
	// configuration.
	r.create("east", fmt.Sprintf(appPod, "late", "late", "[/usr/local/bin/pod, pause]"))
	r.eventually("a pod that came later calls west's app", func() error {
		_, err := r.callApp("late")
		return err
	})
	gateways, err := r.pods("west", "istio-system", "istio=eastwestgateway")
	require.NoError(r.t, err)
	r.patch("west", coreObjects+"pods/"+gateways[0].Name, "")
	r.allProven()

	r.edit(with, "")
	r.rollout()
	r.allProven()
	calls(0)
	r.fewFailed(requests(), 1) // what the gateway that was deleted was about to answer
}
