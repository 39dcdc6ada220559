package integration

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// addsTo is, for each kind, a field that turns the meaning of an object around and that
// Landbridge leaves unset.
var addsTo = map[kinds.Resource]struct{ patch, at string }{
	kinds.AuthorizationPolicies: {`{"spec":{"action":"DENY"}}`, "spec.action"},
	kinds.IstioGateways:         {`{"spec":{"selector":{"x":"y"}}}`, "spec.selector.x"},
	kinds.VirtualServices:       {`{"spec":{"http":[{"route":[{"destination":{"host":"elsewhere.test"}}]}]}}`, "spec.http"},
	kinds.DestinationRules:      {`{"spec":{"workloadSelector":{"matchLabels":{"x":"y"}}}}`, "spec.workloadSelector"},
	kinds.ServiceEntries:        {`{"spec":{"addresses":["240.0.0.9"]}}`, "spec.addresses"},
	kinds.NetworkPolicies:       {`{"spec":{"podSelector":{"matchLabels":{"x":"y"}}}}`, "spec.podSelector.matchLabels.x"},
}

// Somebody adds to each policy and route of the fleet what Landbridge leaves unset: server-side
// apply alone would leave that to him for ever.
func TestDrift_WhatSomebodyAdds_IsShownForEachObject_AndForcedAway(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	east := w.connect("east")
	var names []string
	for res, add := range addsTo {
		objects := east.dyn.Resource(res.GroupVersionResource).Namespace("istio-system")
		list, err := objects.List(ctx, metav1.ListOptions{LabelSelector: fleet.LabelFleet})
		if apierrors.IsNotFound(err) {
			continue
		}
		require.NoError(t, err)
		require.NotEmpty(t, list.Items, res.Kind)
		for _, o := range list.Items {
			_, err := objects.Patch(ctx, o.GetName(), types.MergePatchType, []byte(add.patch), metav1.PatchOptions{FieldManager: "somebody"})
			require.NoError(t, err, "%s %s", res.Kind, o.GetName())
			names = append(names, res.Kind+" istio-system/"+o.GetName()+"|"+add.at)
		}
	}
	_, err := east.CoreV1().Secrets("istio-system").Patch(ctx, "istio-remote-secret-west", types.MergePatchType, []byte(`{"data":{"evil":"bm9uc2Vuc2U="}}`), metav1.PatchOptions{FieldManager: "somebody"})
	require.NoError(t, err)
	require.Greater(t, len(names), 8)

	out, code := w.try("drift", "-f", file)
	require.Equal(t, 3, code, out)
	for _, n := range append(names, "Secret istio-system/istio-remote-secret-west|data.evil") {
		object, at, _ := strings.Cut(n, "|")
		require.Regexp(t, `(?m)`+object+`.*somebody else changed `+at+`, with somebody`, out)
	}
	out, code = w.try("rollout", "-f", file)
	require.Equal(t, 3, code, out)

	w.must("rollout", "-f", file, "--force-conflicts")
	require.Contains(t, w.must("drift", "-f", file), "is as the fleet file describes it")
	secret, err := east.CoreV1().Secrets("istio-system").Get(ctx, "istio-remote-secret-west", metav1.GetOptions{})
	require.NoError(t, err)
	require.NotContains(t, secret.Data, "evil")
	w.requireRemoteSecret("east", "west")
	w.must("cleanup", "-f", file)
	same()
}
