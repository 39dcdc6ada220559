package integration

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/test/lab"
)

// forgetfulIstiod runs an istiod with two faults that Istio had until 1.31, and that its own tools
// did not show: clusterz says synced, and a request goes through. The proof, drift and a rollout
// must see them, and a restart must help.
func (r *real) forgetfulIstiod() {
	require.NoError(r.t, r.lab.LoadIstiod(ctx, lab.Faulty, r.t.Logf))
	const patient, brief = "rollout: {", "rollout: {proofTimeout: 30s, " // istiod remembers nothing later on, either
	r.edit(patient, brief)
	with := fmt.Sprintf("  istio: {values: {pilot: {image: %q}}}\n", lab.Faulty.Image())
	r.edit("  links:", with+"  links:")
	r.rollout()
	r.allProven()

	// After the remote secret changed it has no endpoints of that cluster: the rotation's own proof
	// sees it, and what was in force before is put back.
	out, code := r.try("rotate", "test", "--tokens", "--link", "north.west", "--reason", "CHG-15")
	require.NotZero(r.t, code, out)
	require.Contains(r.t, out, "istiod's endpoints")
	r.t.Log(out)
	r.seenEverywhere("holds no endpoint of west")

	// After another remote secret was deleted, it has no gateway of a cluster that is still read.
	r.readsOther("north", r.remoteSecretOf("north", "west", nil))
	r.patch("north", coreObjects+"secrets/istio-remote-secret-other", "")
	r.seenEverywhere("gateway")

	r.edit(with, "")
	r.edit(brief, patient)
	r.rollout()
	r.allProven()
}

// seenEverywhere requires that the proof, a drift check and a rollout name the link north -> west
// as broken at istiod's endpoints, for that reason, and that a restart of north's istiod helps.
func (r *real) seenEverywhere(why string) {
	var got api.CheckLinkResult
	took := r.eventually("the proof sees it", func() error {
		if got = r.verify()["north -> west"]; got.Hop != api.HopView {
			return fmt.Errorf("%s", got.Sentence())
		}
		return nil
	})
	r.t.Logf("after %s: %s", took, got.Sentence())
	require.Contains(r.t, got.Why, why)
	clusters, err := r.istiod("north", "/debug/clusterz")
	require.NoError(r.t, err)
	require.True(r.t, strings.Contains(clusters, `"syncStatus":"synced"`), "what Istio's own tools show: %s", clusters)
	for _, command := range []string{"drift", "rollout"} {
		out, code := r.try(command, "-f", r.fleet)
		require.NotZero(r.t, code, out)
		require.Contains(r.t, out, "istiod's endpoints", command)
	}
	out := r.must("restart", "-f", r.fleet, "--cluster", "north", "--reason", "it forgot what west has", "--yes")
	require.True(r.t, r.verify()["north -> west"].Proven, "%s", out)
}
