package proof

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/redact"
)

const (
	// triedFor says how long the answer of a trial counts.
	triedFor = 24 * time.Hour
	// trialTimeout bounds a trial, the pull of the image included. The proof before it may
	// have left less time, and needs afterTrial of that for its answer.
	trialTimeout = time.Minute
	afterTrial   = 10 * time.Second
)

// enforcing is the time that a cluster's network gets until it enforces a new NetworkPolicy.
const enforcing = 10 * time.Second

// OtherPods tells whether a pod of the source that is not istiod gets a connection to the
// egress gateway of a link. It returns nil where the gateway has no NetworkPolicy of the
// fleet's. Whether a network enforces those, no API tells: with try, and where the answer
// that the NetworkPolicy keeps is older than a day, a pod tries it. An error means that the
// source could not be read, or that the wait was ended. Where a pod could not try, or the worker
// may not read NetworkPolicies, it is not known, and fails nothing.
func OtherPods(ctx context.Context, w *kube.Writer, link api.LinkRef, mode fleet.EgressMode, try bool) (*api.LinkCheck, error) {
	to := link.Link.To
	t := &trial{w, link.Namespace, mode.Gateway(to), mode.Service(to) + "-trial"}
	policy, err := w.Client.NetworkingV1().NetworkPolicies(t.namespace).Get(ctx, t.gateway, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && policy.Labels[fleet.LabelFleet] != w.Owner.Fleet {
		return nil, nil
	}
	if apierrors.IsForbidden(err) { // a link that carries requests is proven without that
		return verdict{}.check(fmt.Sprintf("the worker may not get NetworkPolicy %s/%s", t.namespace, t.gateway)), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read NetworkPolicy %s/%s: %w", t.namespace, t.gateway, err)
	}
	last := lastAnswer(policy)
	if !try || last.counts(policy) {
		return last.check(""), nil
	}
	kube.Waiting(ctx, "a pod tries to connect to "+t.gateway)
	limit := trialTimeout
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)-afterTrial)
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	now, why, err := t.ask(limited, policy)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		why = err.Error()
	}
	return now.check(fleet.Brief(redact.Secrets(why), maxWhy)), nil
}

// verdict tells what a trial found, when, and with which NetworkPolicy.
type verdict struct {
	is         string
	at         time.Time
	generation string
}

// lastAnswer reads the answer that a NetworkPolicy keeps, or returns an empty one.
func lastAnswer(p *networkingv1.NetworkPolicy) (a verdict) {
	f := strings.Fields(p.Annotations[fleet.AnnotationOtherPods])
	if len(f) != 3 {
		return verdict{}
	}
	at, err := time.Parse(time.RFC3339, f[1])
	if err != nil {
		return verdict{}
	}
	return verdict{f[0], at, f[2]}
}

func (a verdict) counts(p *networkingv1.NetworkPolicy) bool {
	return a.is != "" && a.generation == fmt.Sprint(p.Generation) && time.Since(a.at) < triedFor
}

func (a verdict) check(why string) *api.LinkCheck {
	c := &api.LinkCheck{Name: api.CheckOtherPods, OK: a.is == fleet.OtherPodsDoNot}
	switch {
	case a.is == fleet.OtherPodsDoNot:
		c.Detail = "no connection"
	case a.is == fleet.OtherPodsGetIn:
		c.Detail = api.OpenToOthers
	case why != "":
		c.Detail = "not known: " + why
	default:
		c.Detail = "not known: a rollout with proofs tries it"
	}
	return c
}

// trial connects to an egress gateway as any pod of its cluster may.
type trial struct {
	*kube.Writer
	namespace, gateway string
	// name of the pod: one for each link, since several may try a gateway at once.
	name string
}

// ask tries it, again where there was a connection, since a network may not enforce a new
// policy at once, and keeps the answer on the policy.
func (t *trial) ask(ctx context.Context, policy *networkingv1.NetworkPolicy) (a verdict, why string, err error) {
	if err := t.BeforeWrite(ctx); err != nil {
		return a, "", err
	}
	a.is, why, err = t.try(ctx, policy)
	if a.is == fleet.OtherPodsGetIn {
		if err := pause(ctx, enforcing); err != nil {
			return a, "", err
		}
		a.is, why, err = t.try(ctx, policy)
	}
	if a.is == fleet.OtherPodsGetIn && len(policy.Spec.Ingress) > 1 {
		// The port that is tried is open to those whom the fleet file names.
		return verdict{}, "gateways.egress.networkPolicy.metricsFrom may let the pod in that tries it", nil
	}
	if err != nil || a.is == "" {
		return a, why, err
	}
	note := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"%s %s %d"}}}`, fleet.AnnotationOtherPods, a.is, time.Now().UTC().Format(time.RFC3339), policy.Generation)
	_, err = t.Client.NetworkingV1().NetworkPolicies(t.namespace).Patch(ctx, policy.Name, types.MergePatchType, note, metav1.PatchOptions{FieldManager: kube.FieldManager + "-proof"})
	return a, why, err
}

// try starts a pod that asks the gateway whether it is ready, and returns what came of it:
// open, closed, or nothing and why.
func (t *trial) try(ctx context.Context, policy *networkingv1.NetworkPolicy) (is, why string, err error) {
	gateway, err := t.readyPod(ctx)
	if err != nil || gateway == nil {
		return "", "no pod of " + t.gateway + " is ready", err
	}
	pod, err := t.start(ctx, trialPod(t.name, policy, gateway, t.Owner))
	if err != nil {
		return "", "", err
	}
	defer t.remove(context.WithoutCancel(ctx), pod)
	err = t.Wait(ctx, func(ctx context.Context) (string, bool, error) {
		live, err := t.Client.CoreV1().Pods(t.namespace).Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			return "", false, err
		}
		is, why = outcome(live)
		return why, is != "" || ended(live), nil
	}, kube.Watched{Resource: kinds.Pods, Namespace: t.namespace, Name: pod.Name})
	var slow *kube.NotReadyError
	if errors.As(err, &slow) {
		return "", slow.Error(), nil
	}
	return is, why, err
}

func (t *trial) readyPod(ctx context.Context) (*corev1.Pod, error) {
	list, err := t.Client.CoreV1().Pods(t.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + t.gateway})
	if err != nil {
		return nil, fmt.Errorf("list the pods of %s: %w", t.gateway, err)
	}
	i := slices.IndexFunc(list.Items, func(p corev1.Pod) bool { return kube.PodReady(&p) && p.Status.PodIP != "" })
	if i < 0 {
		return nil, nil
	}
	return &list.Items[i], nil
}

// start creates the pod. One that a worker left behind that was killed goes first.
func (t *trial) start(ctx context.Context, pod *corev1.Pod) (made *corev1.Pod, err error) {
	err = kube.Poll(ctx, func(ctx context.Context) (string, bool, error) {
		made, err = t.Client.CoreV1().Pods(t.namespace).Create(ctx, pod, metav1.CreateOptions{FieldManager: kube.FieldManager})
		if apierrors.IsAlreadyExists(err) {
			t.remove(ctx, pod)
			return "pod " + pod.Name + " of a try before is still there", false, nil
		}
		return "", err == nil, err
	})
	return made, err
}

// remove deletes the pod. Where it cannot, the pod goes with the NetworkPolicy that owns it.
func (t *trial) remove(ctx context.Context, pod *corev1.Pod) {
	ctx, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	now := int64(0)
	_ = t.Client.CoreV1().Pods(t.namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
}

// readiness returns where every Istio proxy says whether it is ready.
func readiness(p *corev1.Pod) string {
	return "http://" + net.JoinHostPort(p.Status.PodIP, "15021") + "/healthz/ready"
}
