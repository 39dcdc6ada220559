package integration

import (
	"fmt"
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
	return c.helmIn(t, "istio-system")
}

// helmIn returns what Helm works with in a namespace.
func (c connection) helmIn(t *testing.T, ns string) *action.Configuration {
	t.Helper()
	flags := genericclioptions.NewConfigFlags(false)
	flags.Namespace = &ns
	flags.WrapConfigFn = func(*rest.Config) *rest.Config { return rest.CopyConfig(c.cfg) }
	cfg := &action.Configuration{}
	require.NoError(t, cfg.Init(flags, ns, "secret", func(string, ...any) {}))
	return cfg
}

// A Helm that is killed leaves its release pending, and then refuses every other change.
// People delete objects of a release, or the release itself, by hand.
func TestHelm_WhatAKilledHelmLeaves_IsRecovered(t *testing.T) {
	w := newWorld(t)
	same := w.unchanged("east", "west")
	file := w.file([]string{"east", "west"})
	w.must("rollout", "-f", file)
	east := w.connect("east")
	releases := east.helm(t).Releases
	const name = "kube-apiserver-west-egress-gateway"
	recovered := func(after string) {
		t.Helper()
		w.must("rollout", "-f", file)
		rel, err := releases.Last(name)
		require.NoError(t, err)
		require.Equal(t, release.StatusDeployed, rel.Info.Status, "after %s", after)
	}
	for _, cut := range []struct {
		what  string
		state release.Status
	}{
		{"install", release.StatusPendingInstall}, {"upgrade", release.StatusPendingUpgrade}, {"failed", release.StatusFailed},
		{"rollback", release.StatusPendingRollback}, {"uninstall", release.StatusUninstalling},
	} {
		t.Log("cut off:", cut.state)
		w.cutOff(t, "east", cut.what, name, cut.state)
		recovered(string(cut.state))
	}
	rel, err := releases.Last(name)
	require.NoError(t, err)
	require.NoError(t, east.CoreV1().Secrets("istio-system").Delete(ctx, fmt.Sprintf("sh.helm.release.v1.%s.v%d", name, rel.Version), metav1.DeleteOptions{}))
	recovered("the release's Secret was deleted")
	require.NoError(t, east.CoreV1().Services("istio-system").Delete(ctx, "kube-apiserver-west-egress-gateway", metav1.DeleteOptions{}))
	w.must("rollout", "-f", file)
	svc, err := east.CoreV1().Services("istio-system").Get(ctx, "kube-apiserver-west-egress-gateway", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, "ClusterIP", string(svc.Spec.Type))
	require.Equal(t, "1.31.3", svc.Labels["app.kubernetes.io/version"], "the chart's version is shown as Istio's")
	require.Equal(t, "east.west", svc.Labels["landbridge.dev/link"])
	// A cleanup removes a release that was cut off as well as a whole one.
	w.cutOff(t, "east", "upgrade", name, release.StatusPendingUpgrade)
	w.cutOff(t, "west", "uninstall", "kube-apiserver-east-egress-gateway", release.StatusUninstalling)
	w.must("cleanup", "-f", file)
	same()
}
