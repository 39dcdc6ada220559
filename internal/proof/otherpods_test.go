package proof

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

const trialName = "kube-apiserver-west-egress-gateway-trial"

// How a trial's pod ends, with pilot-agent's own words.
var (
	connected    = corev1.PodStatus{Phase: corev1.PodSucceeded}
	notLetIn     = failedWith(255, "error	timeout waiting for Envoy proxy to become ready. Last error: Get \"http://10.0.0.9:15021/healthz/ready\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)\n")
	noSuchFile   = failedWith(128, "exec: \"pilot-agent\": executable file not found in $PATH")
	cannotBePull = corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image \"proxyv2\""}}}}}
)

func failedWith(code int32, message string) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Message: message}}}}}
}

// withPolicy gives the egress gateway an address and a NetworkPolicy, and has the pods of
// trials end one after the other as told, the last one again and again.
func withPolicy(s *source, ends ...corev1.PodStatus) (trials *int) {
	s.Put(pod(egressName, map[string]string{"app": fleet.EgressGateway("west")}, func(p *corev1.Pod) {
		ready(p)
		p.Status.PodIP = "10.0.0.9"
		p.Spec.Containers = []corev1.Container{{Name: proxyContainer, Image: "proxyv2"}}
		p.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "mirror"}}
	}))
	s.Put(&networkingv1.NetworkPolicy{TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fleet.EgressGateway("west"), UID: "u", Generation: 1, Labels: map[string]string{fleet.LabelFleet: "prod"}},
		Spec:       networkingv1.NetworkPolicySpec{Ingress: make([]networkingv1.NetworkPolicyIngressRule, 1)}})
	trials = new(int)
	s.React("create", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		made := a.(clienttesting.CreateAction).GetObject().(*corev1.Pod).DeepCopy()
		if slices.ContainsFunc(s.Objects(), func(o unstructured.Unstructured) bool { return o.GetKind() == "Pod" && o.GetName() == made.Name }) {
			return true, nil, apierrors.NewAlreadyExists(schema.GroupResource{Resource: "pods"}, made.Name)
		}
		made.Status = ends[min(*trials, len(ends)-1)]
		*trials++
		s.Put(made)
		return true, made, nil
	})
	return trials
}

func (s *source) otherPods(t *testing.T, try bool) *api.LinkCheck {
	t.Helper()
	w := &kube.Writer{Cluster: s.Cluster.Cluster, Owner: kube.Owner{Fleet: "prod", Run: "run-1"}}
	c, err := OtherPods(t.Context(), w, api.LinkRef{ClusterRef: api.ClusterRef{Namespace: namespace}, Link: fleet.Link{From: "east", To: "west"}}, fleet.EgressPerLink, try)
	require.NoError(t, err)
	pods, err := s.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, p := range pods.Items {
		require.NotEqual(t, trialName, p.Name, "the pod of a trial goes")
	}
	return c
}

func TestOtherPods_EachEndOfATrial_IsToldAsItWas(t *testing.T) {
	for name, c := range map[string]struct {
		ends   []corev1.PodStatus
		want   api.LinkCheck
		trials int
	}{
		"no connection":            {[]corev1.PodStatus{notLetIn}, api.LinkCheck{OK: true, Detail: "no connection"}, 1},
		"a connection":             {[]corev1.PodStatus{connected}, api.LinkCheck{Detail: api.OpenToOthers}, 2},
		"the policy is quite new":  {[]corev1.PodStatus{connected, notLetIn}, api.LinkCheck{OK: true, Detail: "no connection"}, 2},
		"the image is another one": {[]corev1.PodStatus{noSuchFile}, api.LinkCheck{Detail: "not known: pod " + trialName + " is Failed: exit code 128: exec: \"pilot-agent\": executable file not found in $PATH"}, 1},
		"the image does not come":  {[]corev1.PodStatus{cannotBePull}, api.LinkCheck{Detail: "not known: pod " + trialName + " is Pending: Back-off pulling image \"proxyv2\""}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t)
				trials := withPolicy(s, c.ends...)
				c.want.Name = api.CheckOtherPods
				require.Equal(t, &c.want, s.otherPods(t, true))
				require.Equal(t, c.trials, *trials)
			})
		})
	}
}

// A trial takes seconds and starts a pod: its answer counts for a day, and for the
// NetworkPolicy that it was made with.
func TestOtherPods_TheAnswer_IsKeptForADayAndForThatPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		trials := withPolicy(s, connected)
		require.Equal(t, "not known: a rollout with proofs tries it", s.otherPods(t, false).Detail)
		require.Zero(t, *trials, "who only looks starts no pod")
		require.Equal(t, api.OpenToOthers, s.otherPods(t, true).Detail)
		require.Equal(t, 2, *trials)
		require.Equal(t, api.OpenToOthers, s.otherPods(t, false).Detail)
		require.Equal(t, api.OpenToOthers, s.otherPods(t, true).Detail)
		require.Equal(t, 2, *trials, "it is kept")

		policies := s.Client.NetworkingV1().NetworkPolicies(namespace)
		p, err := policies.Get(t.Context(), fleet.EgressGateway("west"), metav1.GetOptions{})
		require.NoError(t, err)
		require.True(t, fleet.OpenToOtherPods(p.Annotations))
		p.Generation = 2
		_, err = policies.Update(t.Context(), p, metav1.UpdateOptions{})
		require.NoError(t, err)
		s.otherPods(t, true)
		require.Equal(t, 4, *trials, "somebody changed the policy")
		time.Sleep(25 * time.Hour)
		s.otherPods(t, true)
		require.Equal(t, 6, *trials, "a day has passed")
	})
}

func TestOtherPods_WhereMetricsMayBeReadFrom_AConnectionProvesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		withPolicy(s, connected)
		policies := s.Client.NetworkingV1().NetworkPolicies(namespace)
		p, err := policies.Get(t.Context(), fleet.EgressGateway("west"), metav1.GetOptions{})
		require.NoError(t, err)
		p.Spec.Ingress = append(p.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{})
		_, err = policies.Update(t.Context(), p, metav1.UpdateOptions{})
		require.NoError(t, err)
		require.Equal(t, "not known: gateways.egress.networkPolicy.metricsFrom may let the pod in that tries it", s.otherPods(t, true).Detail)
	})
}

func TestOtherPods_AdmissionRefusesThePod_IsToldAndHoldsNothingUp(t *testing.T) {
	s := newSource(t)
	withPolicy(s, notLetIn)
	s.React("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, trialName, errors.New("exceeded quota: pods"))
	})
	require.Contains(t, s.otherPods(t, true).Detail, "exceeded quota")
}

func TestOtherPods_OfAKilledWorker_GoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t)
		withPolicy(s, notLetIn)
		s.Put(pod(trialName, nil, nil))
		require.Equal(t, "no connection", s.otherPods(t, true).Detail)
	})
}

func TestOtherPods_WithoutAPolicyOfTheFleets_AreNotLookedAt(t *testing.T) {
	s := newSource(t)
	require.Nil(t, s.otherPods(t, true))
}

// A worker that verifies and rolls nothing out may have fewer rights.
func TestOtherPods_TheWorkerMayNotReadNetworkPolicies_AreNotKnown(t *testing.T) {
	s := newSource(t)
	withPolicy(s, connected)
	s.React("get", "networkpolicies", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "networkpolicies"}, fleet.EgressGateway("west"), errors.New("no"))
	})
	require.Equal(t, &api.LinkCheck{Name: api.CheckOtherPods, Detail: "not known: the worker may not get NetworkPolicy istio-system/kube-apiserver-west-egress-gateway"}, s.otherPods(t, false))
}

// The pod must pass where the gateway's pods pass, and must be no istiod, no gateway and in
// no mesh.
func TestTrialPod_IsLikeTheGatewaysAndNoneOfThem(t *testing.T) {
	s := newSource(t)
	withPolicy(s, notLetIn)
	gateway, err := s.Client.CoreV1().Pods(namespace).Get(t.Context(), egressName, metav1.GetOptions{})
	require.NoError(t, err)
	p := trialPod("trial", &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: fleet.EgressGateway("west"), UID: "u"}}, gateway, kube.Owner{Fleet: "prod"})
	require.Equal(t, "proxyv2", p.Spec.Containers[0].Image)
	require.Equal(t, gateway.Spec.ImagePullSecrets, p.Spec.ImagePullSecrets)
	require.Empty(t, p.Labels["app"])
	require.Equal(t, "false", p.Labels["sidecar.istio.io/inject"])
	require.False(t, *p.Spec.AutomountServiceAccountToken)
	require.Contains(t, p.Spec.Containers[0].Command, "http://10.0.0.9:15021/healthz/ready")
	require.Equal(t, "NetworkPolicy", p.OwnerReferences[0].Kind)
}
