package chart

import (
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// byHand installs the release as a person does, and upgrades it once.
func (east *world) byHand(c *Chart) {
	east.t.Helper()
	r := east.open(east.writer(""))
	in := action.NewInstall(r.cfg)
	in.ReleaseName, in.Namespace, in.DisableOpenAPIValidation = "gateway", "istio-system", true
	_, err := in.Run(c.Chart, values(400))
	require.NoError(east.t, err)
	up := action.NewUpgrade(r.cfg)
	up.Namespace, up.DisableOpenAPIValidation = "istio-system", true
	_, err = up.Run("gateway", c.Chart, values(401))
	require.NoError(east.t, err)
}

func (east *world) adopt(run string, c *Chart, port int) []fleet.Change {
	east.t.Helper()
	w := east.writer(run)
	w.Adopt = true
	require.NoError(east.t, east.open(w).Ensure(east.t.Context(), "gateway", c, values(port)))
	return w.Changes().All()
}

// revisions returns what Helm keeps of the release, and how each ended.
func (east *world) revisions() map[int]release.Status {
	east.t.Helper()
	all, err := east.open(east.writer("")).cfg.Releases.History("gateway")
	require.NoError(east.t, err)
	out := map[int]release.Status{}
	for _, rel := range all {
		out[rel.Version] = rel.Info.Status
	}
	return out
}

func TestAdopt_ARelease_IsUpgraded_AndGivenBackAsItWas(t *testing.T) {
	for _, onlyRun := range []string{"run-1", ""} { // an undo, a cleanup
		east, c := newWorld(t), aChart(t, "v1.31.0")
		east.byHand(c)
		var notOurs *kube.NotOursError
		require.ErrorAs(t, east.open(east.writer("run-1")).Ensure(t.Context(), "gateway", c, values(443)), &notOurs, "nobody allowed it")

		require.Equal(t, fleet.Adopt, east.adopt("run-1", c, 443)[0].Action)
		require.Equal(t, int32(443), east.service().Spec.Ports[0].Port)
		require.Equal(t, fleet.Adopt, east.adopt("run-1", c, 443)[0].Action, "a second try of the run that adopted says so, too")
		require.Equal(t, both(fleet.Keep), east.adopt("run-2", c, 443))
		for port := 444; port < 450; port++ {
			east.adopt("run-3", c, port)
		}
		require.Equal(t, map[int]release.Status{1: release.StatusSuperseded, 2: release.StatusSuperseded, 7: release.StatusSuperseded,
			8: release.StatusSuperseded, 9: release.StatusDeployed}, east.revisions(), "Helm's history keeps the person's, and few of ours")

		w := east.writer("run-4")
		require.NoError(t, east.open(w).Remove(t.Context(), "run-2"))
		require.Equal(t, int32(449), east.service().Spec.Ports[0].Port, "another run's undo leaves it alone")
		require.NoError(t, east.open(w).Remove(t.Context(), onlyRun))
		require.Equal(t, []fleet.Change{{Action: fleet.Update, Kind: kindRelease, Namespace: "istio-system", Name: "gateway", Note: kube.NoteGivenBack}}, w.Changes().All())
		require.Equal(t, int32(401), east.service().Spec.Ports[0].Port)
		require.Equal(t, map[int]release.Status{1: release.StatusSuperseded, 2: release.StatusDeployed}, east.revisions())
		require.Empty(t, east.last().Labels[fleet.LabelFleet])
		require.Empty(t, east.last().Labels[labelAdopted])
	}
}

// A Helm that is killed during an upgrade of ours does not keep the release from going back.
func TestAdopt_AnUpgradeWasCutOff_IsGivenBack(t *testing.T) {
	for _, left := range []release.Status{release.StatusPendingUpgrade, release.StatusFailed, release.StatusPendingRollback} {
		east, c := newWorld(t), aChart(t, "v1.31.0")
		east.byHand(c)
		east.adopt("run-1", c, 443)
		east.leave(left)
		require.NoError(t, east.open(east.writer("run-2")).Remove(t.Context(), ""))
		require.Equal(t, int32(401), east.service().Spec.Ports[0].Port, left)
		require.Equal(t, map[int]release.Status{1: release.StatusSuperseded, 2: release.StatusDeployed}, east.revisions())
	}
}

func TestAdopt_AReleaseThatIsNotFinished_IsRefused(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.byHand(c)
	east.leave(release.StatusFailed)
	was := len(east.Writes())
	w := east.writer("run-1")
	w.Adopt = true
	require.EqualError(t, east.open(w).Ensure(t.Context(), "gateway", c, values(443)),
		"the Helm release istio-system/gateway cannot be adopted: it is failed; finish its last change with helm, or uninstall it, then try again")
	require.Len(t, east.Writes(), was)
}

func TestAdopt_DryRun_ListsFieldsAndWritesNothing(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.byHand(c)
	was := len(east.Writes())
	w := east.writer("run-1")
	w.Adopt, w.DryRun = true, true
	require.NoError(t, east.open(w).Ensure(t.Context(), "gateway", c, values(443)))
	require.Len(t, east.Writes(), was)
	require.Equal(t, fleet.Adopt, w.Changes().All()[0].Action)
	require.Contains(t, w.Changes().All()[0].Fields, fleet.Field{Path: "values.port", From: "401", To: "443"})
}

// Helm knows nothing of a label that a person put on an object of the release: a rollback
// alone would take it off, since the fleet's values have it.
func TestAdopt_WhatAPersonDidByHand_ComesBackToo(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.byHand(c)
	east.edit(func(svc *corev1.Service) {
		svc.Labels = map[string]string{"app.kubernetes.io/managed-by": "Helm", "network": "by-hand"}
	})
	w := east.writer("run-1")
	w.Adopt = true
	require.NoError(t, east.open(w).Ensure(t.Context(), "gateway", c, map[string]any{"port": 443, "network": "ours"}))
	require.Equal(t, "ours", east.service().Labels["network"])
	require.NoError(t, east.open(east.writer("run-2")).Remove(t.Context(), ""))
	require.Equal(t, "by-hand", east.service().Labels["network"])
	require.Equal(t, int32(401), east.service().Spec.Ports[0].Port)
	_, err := east.Client.CoreV1().Secrets(fleet.SystemNamespace).Get(t.Context(), "original-service-gateway", metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "what it was is known no more: %v", err)
}
