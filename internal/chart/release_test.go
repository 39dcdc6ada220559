package chart

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/release"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

func TestEnsure_Fresh_Installs(t *testing.T) {
	east := newWorld(t)
	require.Equal(t, both(fleet.Create), east.ensure("run-1", aChart(t, "v1.31.0"), 443))
	require.Equal(t, int32(443), east.service().Spec.Ports[0].Port)
	rel := east.last()
	require.Equal(t, release.StatusDeployed, rel.Info.Status)
	require.Equal(t, "1.31.0", rel.Chart.Metadata.Version)
	require.Contains(t, rel.Info.Description, "CHG-1")
	require.Equal(t, "run-1", rel.Labels[labelRun])
	require.Equal(t, map[string]any{"landbridge.dev/fleet": "prod", "landbridge.dev/link": "east.west", "app.kubernetes.io/component": "egress-gateway"},
		east.open(east.writer("run-1")).Labels())
}

// A plan shows the Service that would be made, since a cloud and a firewall depend on it, and of
// each object that would change the fields.
func TestEnsure_APlan_ShowsTheObjectsOfARelease(t *testing.T) {
	east := newWorld(t)
	planned := func(port int) map[string][]fleet.Field {
		w := east.writer("run-9")
		w.DryRun = true
		require.NoError(t, east.open(w).Ensure(t.Context(), "gateway", aChart(t, "v1.31.0"), values(port)))
		out := map[string][]fleet.Field{}
		for _, c := range w.Changes().All() {
			out[string(c.Action)+" "+c.Kind] = c.Fields
		}
		return out
	}
	require.Contains(t, planned(443)["create Service"], fleet.Field{Path: "spec.ports", To: `[{"name":"tls","port":443}]`})
	east.ensure("run-1", aChart(t, "v1.31.0"), 443)
	require.Empty(t, planned(443)["keep Service"])
	require.Equal(t, []fleet.Field{{Path: "spec.ports[0].port", From: "443", To: "444"}}, planned(444)["update Service"])
	require.Empty(t, planned(501)["create ConfigMap"], "the chart's own")
}

func TestEnsure_Unchanged_WritesNothing(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.ensure("run-1", c, 443)
	east.edit(func(svc *corev1.Service) { svc.Spec.ClusterIP = "10.0.0.1" }) // what the chart does not set is no change
	was := len(east.Writes())
	require.Equal(t, both(fleet.Keep), east.ensure("run-2", c, 443))
	require.Len(t, east.Writes(), was)
}

func TestEnsure_SecondTryOfTheRunThatInstalls_SaysSo(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.ensure("run-1", c, 443)
	require.Equal(t, both(fleet.Create), east.ensure("run-1", c, 443), "unchanged")
	require.Equal(t, both(fleet.Create), east.ensure("run-1", c, 444), "changed meanwhile")
}

func TestEnsure_WhatDiffers_IsUpgraded_AndStaysWithTheRunThatInstalled(t *testing.T) {
	east := newWorld(t)
	east.ensure("run-1", aChart(t, "v1.31.0"), 443)
	require.Equal(t, both(fleet.Update), east.ensure("run-2", aChart(t, "v1.31.0"), 444), "values")
	require.Equal(t, int32(444), east.service().Spec.Ports[0].Port)
	require.Equal(t, []fleet.Change{change(fleet.Update, "Helm release", "gateway"), change(fleet.Keep, "Service", "gateway")},
		east.ensure("run-3", aChart(t, "v1.31.3"), 444), "version")
	require.Equal(t, "1.31.3", east.last().Chart.Metadata.Version)
	require.Equal(t, []fleet.Change{change(fleet.Update, "Helm release", "gateway"), change(fleet.Create, "ConfigMap", "extra"), change(fleet.Update, "Service", "gateway")},
		east.ensure("run-4", aChart(t, "v1.31.3"), 501), "an object more")
	require.Equal(t, []fleet.Change{change(fleet.Update, "Helm release", "gateway"), change(fleet.Remove, "ConfigMap", "extra"), change(fleet.Update, "Service", "gateway")},
		east.ensure("run-5", aChart(t, "v1.31.3"), 500), "an object less")
	require.Equal(t, "run-1", east.last().Labels[labelRun])
}

func TestEnsure_AnObjectIsLost_ComesBack(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.ensure("run-1", c, 443)
	require.NoError(t, east.Client.CoreV1().Services("istio-system").Delete(t.Context(), "gateway", metav1.DeleteOptions{}))
	require.Equal(t, fleet.Update, east.ensure("run-2", c, 443)[0].Action)
	require.Equal(t, int32(443), east.service().Spec.Ports[0].Port)
}

func TestEnsure_SomebodyElseChangedAnObject_StaysUnlessForced(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.ensure("run-1", c, 443)
	east.edit(setPort(9443))
	was := len(east.Writes())
	var drift *kube.DriftError
	require.ErrorAs(t, east.open(east.writer("run-2")).Ensure(t.Context(), "gateway", c, values(443)), &drift)
	require.WithinDuration(t, time.Now(), drift.By.At, time.Minute)
	by := drift.By
	require.Equal(t, kube.DriftError{Kind: "Service", Namespace: "istio-system", Name: "gateway", Fields: "spec.ports[0].port", By: by}, *drift)

	dry := east.writer("run-2")
	dry.DryRun = true
	require.NoError(t, east.open(dry).Ensure(t.Context(), "gateway", c, values(443)))
	drifted := change(fleet.Update, "Service", "gateway")
	drifted.Drift, drifted.Note, drifted.ChangedBy = true, "spec.ports[0].port", by
	require.Contains(t, dry.Changes().All(), drifted)
	require.Len(t, east.Writes(), was)

	forced := east.writer("run-2")
	forced.ForceConflicts = true
	require.NoError(t, east.open(forced).Ensure(t.Context(), "gateway", c, values(443)))
	require.Contains(t, forced.Changes().All(), drifted)
	require.Equal(t, int32(443), east.service().Spec.Ports[0].Port)
}

func TestEnsure_SomebodyElseChangedSeveralObjects_EachIsNamed(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.ensure("run-1", c, 501)
	east.edit(setPort(9443))
	maps := east.Client.CoreV1().ConfigMaps("istio-system")
	extra, err := maps.Get(t.Context(), "extra", metav1.GetOptions{})
	require.NoError(t, err)
	extra.Data["a"] = "two"
	_, err = maps.Update(t.Context(), extra, metav1.UpdateOptions{FieldManager: "kubectl-edit"})
	require.NoError(t, err)
	require.Regexp(t, "ConfigMap istio-system/extra was changed by somebody else with kubectl-edit at \\S+Z \\(data.a\\), "+
		"as was Service istio-system/gateway \\(spec.ports\\[0\\].port\\), and is left as it is; `landbridge drift` shows it",
		east.open(east.writer("run-2")).Ensure(t.Context(), "gateway", c, values(501)).Error())

	dry := east.writer("run-2")
	dry.DryRun = true
	require.NoError(t, east.open(dry).Ensure(t.Context(), "gateway", c, values(501)))
	var drifted []string
	for _, ch := range dry.Changes().All() {
		if ch.Drift {
			drifted = append(drifted, ch.Kind+" "+ch.Name+" "+ch.Note)
		}
	}
	require.Equal(t, []string{"ConfigMap extra data.a", "Service gateway spec.ports[0].port"}, drifted)
}

// A webhook changes what Helm writes at every write: there is nothing to write and no drift,
// and what a person changes later is found as before.
func TestEnsure_AdmissionChangedAnObject_StaysAsItIs(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.ensure("run-1", c, 443)
	svc := east.service()
	svc.Spec.Type = corev1.ServiceTypeNodePort
	svc.Spec.Ports = append(svc.Spec.Ports, corev1.ServicePort{Name: "metrics", Port: 9090})
	east.Admit(svc)
	was := len(east.Writes())
	require.Equal(t, both(fleet.Keep), east.ensure("run-2", c, 443))
	require.Len(t, east.Writes(), was)
	east.edit(func(svc *corev1.Service) { svc.Spec.Type = corev1.ServiceTypeLoadBalancer })
	var drift *kube.DriftError
	require.ErrorAs(t, east.open(east.writer("run-3")).Ensure(t.Context(), "gateway", c, values(443)), &drift)
	require.Equal(t, "spec.type", drift.Fields)
}

func TestEnsure_NotOurs_IsRefused(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.ensure("run-1", c, 443)
	was := len(east.Writes())
	other := east.writer("run-9")
	other.Owner.Fleet = "staging"
	err := east.open(other).Ensure(t.Context(), "gateway", c, values(444))
	require.EqualError(t, err, "Helm release istio-system/gateway exists already and belongs to the fleet prod; rename or remove it, then try again")
	require.Len(t, east.Writes(), was)
}

// What never worked is removed and made again; Helm would refuse to go on.
func TestEnsure_AnInstallWasCutOff_BeginsAgain(t *testing.T) {
	for _, left := range []release.Status{release.StatusPendingInstall, release.StatusFailed, release.StatusUninstalling} {
		east, c := newWorld(t), aChart(t, "v1.31.0")
		east.ensure("run-1", c, 443)
		east.leave(left)
		require.Equal(t, append(both(fleet.Remove), both(fleet.Create)...), east.ensure("run-2", c, 443), left)
		require.Equal(t, release.StatusDeployed, east.last().Info.Status)
		require.Equal(t, 1, east.last().Version)
		require.Equal(t, "run-2", east.last().Labels[labelRun])
	}
}

// What worked before rolls forward; Helm would refuse it while it is pending.
func TestEnsure_AnUpgradeWasCutOff_RollsForward(t *testing.T) {
	for _, left := range []release.Status{release.StatusPendingUpgrade, release.StatusPendingRollback, release.StatusFailed, release.StatusUninstalling} {
		east, c := newWorld(t), aChart(t, "v1.31.0")
		east.ensure("run-1", c, 443)
		east.ensure("run-2", c, 444)
		east.leave(left)
		east.edit(setPort(443)) // half of the upgrade, and not somebody else's change
		dry := east.writer("run-3")
		dry.DryRun = true
		require.NoError(t, east.open(dry).markFailed(t.Context(), east.last()))
		require.Equal(t, left, east.last().Info.Status, "a dry run marks nothing")
		require.Equal(t, fleet.Update, east.ensure("run-3", c, 444)[0].Action, left)
		require.Equal(t, release.StatusDeployed, east.last().Info.Status)
		require.Equal(t, 3, east.last().Version)
		require.Equal(t, int32(444), east.service().Spec.Ports[0].Port)
	}
}

func TestEnsure_DryRun_RendersAndWritesNothing(t *testing.T) {
	east := newWorld(t)
	w := east.writer("run-1")
	w.DryRun, w.Render = true, true
	require.NoError(t, east.open(w).Ensure(t.Context(), "gateway", aChart(t, "v1.31.0"), values(443)))
	require.Empty(t, east.Writes())
	got := w.Changes().All()
	require.Len(t, got, 2)
	require.Equal(t, "east", got[1].Cluster)
	require.Contains(t, got[1].Manifest, "port: 443")
}

func TestEnsureAndRemove_AskBeforeTheyWrite(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	refused := errors.New("another run changes the cluster")
	locked := func(run string) *Releases {
		w := east.writer(run)
		w.Lock = func(context.Context) error { return refused }
		return east.open(w)
	}
	require.ErrorIs(t, locked("run-1").Ensure(t.Context(), "gateway", c, values(443)), refused)
	require.Empty(t, east.Writes())
	east.ensure("run-1", c, 443)
	was := len(east.Writes())
	require.ErrorIs(t, locked("run-2").Ensure(t.Context(), "gateway", c, values(444)), refused)
	require.ErrorIs(t, locked("run-2").Remove(t.Context(), ""), refused)
	require.Len(t, east.Writes(), was)
	east.ensure("run-2", c, 444)
	east.leave(release.StatusPendingUpgrade)
	was = len(east.Writes())
	require.ErrorIs(t, locked("run-3").Ensure(t.Context(), "gateway", c, values(444)), refused)
	require.Len(t, east.Writes(), was)
}

func TestRemove_OnlyTheOwners_AndOfARunWhatItInstalled(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	east.ensure("run-1", c, 443)
	otherLink := east.writer("run-2")
	otherLink.Owner.Link = "east.north"
	require.NoError(t, east.open(otherLink).Ensure(t.Context(), "north", c, values(443)))

	w := east.writer("run-2")
	require.NoError(t, east.open(w).Remove(t.Context(), "run-2"))
	require.Empty(t, w.Changes().All(), "run-1 installed it")

	dry := east.writer("run-3")
	dry.DryRun = true
	was := len(east.Writes())
	require.NoError(t, east.open(dry).Remove(t.Context(), ""))
	require.Equal(t, both(fleet.Remove), dry.Changes().All())
	require.Len(t, east.Writes(), was)

	w = east.writer("run-3")
	require.NoError(t, east.open(w).Remove(t.Context(), ""))
	require.Equal(t, both(fleet.Remove), w.Changes().All())
	require.Nil(t, east.last())
	list, err := east.Client.CoreV1().Services("istio-system").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Equal(t, "north", list.Items[0].Name)
}

func TestEnsure_TheAPIServerRefuses_SaysWhatHelmDid(t *testing.T) {
	east, c := newWorld(t), aChart(t, "v1.31.0")
	down := false
	east.React("*", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
		return down && a.GetResource().Resource == "services", nil, errors.New("etcd is full")
	})
	down = true
	require.ErrorContains(t, east.open(east.writer("run-1")).Ensure(t.Context(), "gateway", c, values(443)), "helm install gateway: ")
	down = false
	east.ensure("run-1", c, 443)
	down = true
	require.ErrorContains(t, east.open(east.writer("run-2")).Ensure(t.Context(), "gateway", c, values(443)), "look at Service gateway: ")
	require.ErrorContains(t, east.open(east.writer("run-2")).Remove(t.Context(), ""), "helm uninstall gateway: ")
}

// What Helm says around a refusal must not hide whose it is.
func TestEnsure_AQuotaRefuses_IsAdmissionsRefusal(t *testing.T) {
	for _, action := range []string{"install", "upgrade"} {
		east, c := newWorld(t), aChart(t, "v1.31.0")
		if action == "upgrade" {
			east.ensure("run-1", c, 443)
		}
		refuse := func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(kinds.Services.GroupResource(), "gateway", errors.New("exceeded quota: lb"))
		}
		east.React("create", "services", refuse)
		east.React("patch", "services", refuse)
		err := east.open(east.writer("run-2")).Ensure(t.Context(), "gateway", c, values(444))
		require.ErrorContains(t, err, "helm "+action+" gateway: ")
		require.ErrorContains(t, err, "exceeded quota: lb")
		require.True(t, kube.DeniedByAdmission(err), err)
	}
}

// An object that cannot become what the chart wants is made anew, and a plan says so.
func TestEnsure_AFieldThatCannotBeChanged_MakesTheObjectAnew(t *testing.T) {
	east := newWorld(t)
	east.ensure("run-1", aChart(t, "v1.31.0"), 443)
	svc := east.service()
	svc.Spec.ClusterIP = "10.0.0.1"
	east.Admit(svc)
	headless := values(444)
	headless["clusterIP"] = "None"
	east.React("patch", "services", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewInvalid(kinds.Services.GroupVersion().WithKind("Service").GroupKind(), "gateway",
			field.ErrorList{field.Invalid(field.NewPath("spec", "clusterIPs").Index(0), "None", "may not change once set")})
	})
	dry := east.writer("run-2")
	dry.DryRun = true
	was := len(east.Writes())
	require.NoError(t, east.open(dry).Ensure(t.Context(), "gateway", aChart(t, "v1.31.0"), headless))
	anew := change(fleet.Update, "Service", "gateway")
	anew.Note = "made anew: spec.clusterIP cannot be changed in place"
	anew.Fields = []fleet.Field{{Path: "spec.clusterIP", To: `"None"`}, {Path: "spec.ports[0].port", From: "443", To: "444"}}
	require.Contains(t, dry.Changes().All(), anew)
	require.Len(t, east.Writes(), was)

	uid := east.service().UID
	require.NoError(t, east.open(east.writer("run-2")).Ensure(t.Context(), "gateway", aChart(t, "v1.31.0"), headless))
	require.Equal(t, "None", east.service().Spec.ClusterIP)
	require.NotEqual(t, uid, east.service().UID)
	require.Equal(t, release.StatusDeployed, east.last().Info.Status)
}
