package activities

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

func (w *world) pod(name string, labels map[string]string, restarts int32, waiting string) {
	s := corev1.ContainerStatus{Ready: waiting == "", RestartCount: restarts}
	if waiting != "" {
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: waiting}
	}
	w.Put(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: name, Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c"}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{s}}})
}

func (w *world) event(name, message string, at time.Time) {
	w.Put(&corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: name}, Type: "Warning", Reason: "Failed", Message: message,
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "istiod-1"}, EventTime: metav1.NewMicroTime(at)})
}

func (w *world) gather() api.GatherClusterResult {
	w.t.Helper()
	got, err := w.acts.GatherCluster(w.t.Context(), api.GatherClusterInput{ClusterRef: w.ref})
	require.NoError(w.t, err)
	return got
}

func TestGather_ShowsWhatHelps_AndNoSecret(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	_, err := w.acts.EnsureRemoteSecret(t.Context(), w.remoteSecret(fleet.Link{From: "east", To: "west"}))
	require.NoError(t, err)
	w.pod("istiod-1", map[string]string{"app": "istiod"}, 3, "CrashLoopBackOff")
	w.pod("app-1", nil, 0, "")
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	w.event("older", "older", now)
	w.event("newer", "the token is eyJhbGciOiJSUzI1NiIs.eyJpc3MiOiJrdWJl.c2ln", now.Add(time.Minute))

	files := w.gather().Files
	require.Equal(t, "Kubernetes "+kubetest.Version+"\n", files["version.txt"])
	require.Equal(t, "app-1 1/1 Running, 0 restarts\nistiod-1 0/1 Running, 3 restarts CrashLoopBackOff\n", files["pods.txt"])
	require.Equal(t, "09:01:00 Warning Pod/istiod-1 Failed: the token is (redacted)\n09:00:00 Warning Pod/istiod-1 Failed: older\n", files["events.txt"])
	require.Equal(t, kubetest.Log, files["logs/istiod-1.log"])
	require.NotContains(t, files, "logs/app-1.log", "it is neither istiod nor the fleet's")
	objects := files["objects.yaml"]
	require.Contains(t, objects, "name: landbridge-inventory")
	require.Contains(t, objects, "name: istio-remote-secret-west")
	require.Regexp(t, `west: \d+ bytes, sha256:[0-9a-f]{16}`, objects)
	require.Regexp(t, `identity.age: 74 bytes, sha256:[0-9a-f]{16}`, objects)
	for name, text := range files {
		for _, secret := range []string{"AGE-SECRET-KEY", "QUdFLVNFQ1JFVC", "managedFields", "token: "} {
			require.NotContains(t, text, secret, name)
		}
	}
}

func TestGather_WhatTheWorkerMayNotRead_IsSaidInItsPlace(t *testing.T) {
	w := newWorld(t, "east").withInventory()
	for _, resource := range []string{"pods", "events", "istios"} {
		w.forbid("list", resource)
	}
	files := w.gather().Files
	require.Contains(t, files["pods.txt"], "forbidden")
	require.Contains(t, files["events.txt"], "forbidden")
	require.Contains(t, files["objects.yaml"], "# istios.sailoperator.io: ")
	require.Contains(t, files["objects.yaml"], "name: landbridge-inventory", "the rest is there")
}

func TestGather_NothingThere_SaysSo(t *testing.T) {
	files := newWorld(t, "east").gather().Files
	require.Equal(t, "there are none in istio-system\n", files["pods.txt"])
	require.Equal(t, "there are none in istio-system\n", files["events.txt"])
}

func TestGather_MoreThanTemporalCarries_IsCutBetweenCharacters(t *testing.T) {
	w := newWorld(t, "east")
	for i := range gatheredLines {
		w.event(fmt.Sprint("e", i), strings.Repeat("ü", 5000), time.Now())
	}
	got := w.gather()
	require.True(t, got.Cut)
	total := 0
	for _, text := range got.Files {
		require.True(t, utf8.ValidString(text))
		total += len(text)
	}
	require.LessOrEqual(t, total, maxGathered)
	require.Greater(t, total, maxGathered-10)
}

func TestGather_UnreachableCluster_SaysWhere(t *testing.T) {
	w := newWorld(t, "east")
	w.server.Close()
	_, err := w.acts.GatherCluster(t.Context(), api.GatherClusterInput{ClusterRef: w.ref})
	require.ErrorContains(t, err, "the API server at 127.0.0.1:")
	require.ErrorContains(t, err, "cannot be reached")
	require.Equal(t, api.TypeUnreachable, typeOf(err))
}
