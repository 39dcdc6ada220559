package integration

import (
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"context"

	sdkactivity "go.temporal.io/sdk/activity"
)

func activityName(ctx context.Context) string { return sdkactivity.GetInfo(ctx).ActivityType.Name }

func (c connection) helm(t *testing.T) *action.Configuration {
	t.Helper()
	ns := "istio-system"
	flags := genericclioptions.NewConfigFlags(false)
	flags.Namespace = &ns
	flags.WrapConfigFn = func(*rest.Config) *rest.Config { return rest.CopyConfig(c.cfg) }
	cfg := &action.Configuration{}
	require.NoError(t, cfg.Init(flags, ns, "secret", func(string, ...any) {}))
	return cfg
}

// A Helm that is killed leaves its release pending, and then refuses every
// other change; an object of a release may be deleted by hand.
func TestHelm_WhatAKilledHelmLeaves_IsRecovered(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	east := w.connect("east")
	releases := east.helm(t).Releases
	for _, state := range []release.Status{release.StatusPendingInstall, release.StatusFailed, release.StatusPendingUpgrade, release.StatusPendingRollback, release.StatusUninstalling} {
		rel, err := releases.Last("kube-apiserver-west-egress-gateway")
		require.NoError(t, err)
		rel.SetStatus(state, "left so by the test")
		require.NoError(t, releases.Update(rel))
		w.must("rollout", "-f", file)
		rel, err = releases.Last("kube-apiserver-west-egress-gateway")
		require.NoError(t, err)
		require.Equal(t, release.StatusDeployed, rel.Info.Status, "after %s", state)
	}
	require.NoError(t, east.CoreV1().Services("istio-system").Delete(ctx, "kube-apiserver-west-egress-gateway", metav1.DeleteOptions{}))
	w.must("rollout", "-f", file)
	svc, err := east.CoreV1().Services("istio-system").Get(ctx, "kube-apiserver-west-egress-gateway", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "ClusterIP", string(svc.Spec.Type))
	require.Equal(t, "1.31.0", svc.Labels["app.kubernetes.io/version"], "the chart's version is shown as Istio's")
	require.Equal(t, "east.west", svc.Labels["landbridge/link"])
	w.must("cleanup", "-f", file)
	same()
}
