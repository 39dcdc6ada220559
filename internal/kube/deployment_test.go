package kube_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// gateway returns a Deployment of two replicas that is done, as an API server has it.
func gateway(change func(*appsv1.Deployment)) *appsv1.Deployment {
	replicas, deadline := int32(2), int32(600)
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "gateway", Generation: 3},
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, ProgressDeadlineSeconds: &deadline,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "gateway"}}},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 3, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2,
			Conditions: []appsv1.DeploymentCondition{
				{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability."},
				{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable", Message: "ReplicaSet \"gateway-1\" has successfully progressed."}}}}
	change(d)
	return d
}

const (
	available   = 0
	progressing = 1
)

func unavailable(d *appsv1.Deployment) {
	d.Status.ReadyReplicas, d.Status.AvailableReplicas = 0, 0
	d.Status.Conditions[available] = appsv1.DeploymentCondition{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionFalse,
		Reason: "MinimumReplicasUnavailable", Message: "Deployment does not have minimum availability."}
	d.Status.Conditions[progressing].Reason, d.Status.Conditions[progressing].Message = "ReplicaSetUpdated", "ReplicaSet \"gateway-1\" is progressing."
}

func pastDeadline(d *appsv1.Deployment) {
	unavailable(d)
	d.Status.Conditions[progressing] = appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse,
		Reason: "ProgressDeadlineExceeded", Message: "ReplicaSet \"gateway-1\" has timed out progressing."}
}

// waitBriefly waits for the Deployment for less than the time between two looks.
func waitBriefly(t *testing.T, c *kubetest.Cluster) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	return c.WaitDeployment(ctx, "istio-system", "gateway")
}

func TestWaitDeployment_InEachState(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*appsv1.Deployment)
		waiting string // empty: it is done
	}{
		"done":  {func(*appsv1.Deployment) {}, ""},
		"fresh": {func(d *appsv1.Deployment) { d.Status = appsv1.DeploymentStatus{} }, "Deployment istio-system/gateway is not ready yet (Replicas: 0/2)"},
		"no conditions": {func(d *appsv1.Deployment) { d.Status.Conditions = nil },
			"Deployment istio-system/gateway is not ready yet (ReplicaSet not Available)"},
		"progressing": {unavailable,
			"Deployment istio-system/gateway is not ready yet (Available: 0/2): Deployment does not have minimum availability"},
		"old replicas still run": {func(d *appsv1.Deployment) { d.Status.Replicas = 3 },
			"Deployment istio-system/gateway is not ready yet (Pending termination: 1)"},
		"the old template runs": {func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1 },
			"Deployment istio-system/gateway is not ready yet (Updated: 1/2)"},
		"generation not observed": {func(d *appsv1.Deployment) { d.Generation = 4 },
			"Deployment istio-system/gateway is not ready yet (Deployment generation is 4, but latest observed generation is 3)"},
		"the deadline is that of the generation before": {func(d *appsv1.Deployment) { pastDeadline(d); d.Generation = 4 },
			"Deployment istio-system/gateway is not ready yet (Deployment generation is 4, but latest observed generation is 3): " +
				"Deployment does not have minimum availability; ReplicaSet \"gateway-1\" has timed out progressing"},
		"failed: no pod may be made": {func(d *appsv1.Deployment) {
			unavailable(d)
			d.Status.Replicas, d.Status.UpdatedReplicas = 0, 0
			d.Status.Conditions = append(d.Status.Conditions, appsv1.DeploymentCondition{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue,
				Reason: "FailedCreate", Message: "pods \"gateway-1-\" is forbidden: exceeded quota"})
		}, "Deployment istio-system/gateway is not ready yet (Replicas: 0/2): Deployment does not have minimum availability; pods \"gateway-1-\" is forbidden: exceeded quota"},
	} {
		err := waitBriefly(t, kubetest.New("east", gateway(c.change)))
		if c.waiting == "" {
			require.NoError(t, err, name)
			continue
		}
		var notReady *kube.NotReadyError
		require.ErrorAs(t, err, &notReady, name)
		require.Equal(t, c.waiting, notReady.Waiting, name)
	}
}

func TestWaitDeployment_PastItsDeadline_EndsAtOnceWithItsOwnWords(t *testing.T) {
	at := func(minute int) metav1.Time {
		return metav1.NewTime(time.Date(2026, 11, 24, 9, minute, 0, 0, time.UTC))
	}
	event := func(name, kind, object, typ string, when metav1.Time) *corev1.Event {
		return &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: name}, InvolvedObject: corev1.ObjectReference{Kind: kind, Name: object},
			Type: typ, Reason: "Failed", Message: "message of " + name, LastTimestamp: when}
	}
	owner := []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "gateway-1"}}
	again := event("again", "Pod", "gateway-1-a", corev1.EventTypeWarning, at(1))
	again.Message = "message of pod"
	c := kubetest.New("east", gateway(pastDeadline),
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "gateway-1-a", Labels: map[string]string{"app": "gateway"}, OwnerReferences: owner}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "other-1-a", Labels: map[string]string{"app": "other"}}},
		event("pod", "Pod", "gateway-1-a", corev1.EventTypeWarning, at(3)), again,
		event("replicaset", "ReplicaSet", "gateway-1", corev1.EventTypeWarning, at(2)),
		event("deployment", "Deployment", "gateway", corev1.EventTypeWarning, at(5)),
		event("too-old", "Deployment", "gateway", corev1.EventTypeWarning, at(0)),
		event("harmless", "Pod", "gateway-1-a", corev1.EventTypeNormal, at(6)),
		event("of-another", "Pod", "other-1-a", corev1.EventTypeWarning, at(7)))

	began := time.Now()
	err := c.WaitDeployment(t.Context(), "istio-system", "gateway") // no limit: it ends by itself
	require.Less(t, time.Since(began), time.Second)
	var deadEnd *kube.DeadEndError
	require.ErrorAs(t, err, &deadEnd)
	require.Equal(t, "Deployment istio-system/gateway cannot become ready: Deployment does not have minimum availability; "+
		"ReplicaSet \"gateway-1\" has timed out progressing (Failed: message of deployment; Failed: message of pod; Failed: message of replicaset)", deadEnd.Reason)
}

func TestWaitDeployment_BeingDeleted_EndsAtOnceAndMayBeTriedAgain(t *testing.T) {
	now := metav1.Now()
	c := kubetest.New("east", gateway(func(d *appsv1.Deployment) { d.DeletionTimestamp, d.Finalizers = &now, []string{"x"} }))
	began := time.Now()
	var notReady *kube.NotReadyError
	require.ErrorAs(t, c.WaitDeployment(t.Context(), "istio-system", "gateway"), &notReady)
	require.Less(t, time.Since(began), time.Second)
	require.Equal(t, "Deployment istio-system/gateway is being deleted while it is waited for", notReady.Waiting)
}

// An autoscaler looks four times a minute; one pod is not as good as two until then.
func TestScaleUp_ToAtLeastSoMany_AndNothingThatIsOff(t *testing.T) {
	for have, want := range map[int32]int32{0: 0, 1: 3, 2: 3, 3: 3, 5: 5} {
		c := kubetest.New("east", gateway(func(d *appsv1.Deployment) { d.Spec.Replicas = &have }))
		locks := 0
		w := &kube.Writer{Cluster: c.Cluster, Lock: func(context.Context) error { locks++; return nil }}
		require.NoError(t, w.ScaleUp(t.Context(), "istio-system", "gateway", 3))
		d, err := c.Client.AppsV1().Deployments("istio-system").Get(t.Context(), "gateway", metav1.GetOptions{})
		require.NoError(t, err)
		require.Equal(t, want, *d.Spec.Replicas)
		require.Equal(t, have != want, len(c.Writes()) == 1, "what is enough stays as it is")
		require.Equal(t, len(c.Writes()), locks)
	}
}

func TestWaitDeployment_NotThere_IsKubernetesOwnError(t *testing.T) {
	require.True(t, apierrors.IsNotFound(waitBriefly(t, kubetest.New("east"))))
}

func TestWaitDeployment_BecomesReadyWhileItWaits(t *testing.T) {
	c := kubetest.New("east", gateway(unavailable))
	go func() {
		time.Sleep(100 * time.Millisecond)
		_, _ = c.Client.AppsV1().Deployments("istio-system").Update(context.Background(), gateway(func(*appsv1.Deployment) {}), metav1.UpdateOptions{})
	}()
	require.NoError(t, c.WaitDeployment(t.Context(), "istio-system", "gateway"))
}
