package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxMoments is in how many moments requests may fail: in each of the two drains when a
// gateway's pod ends, and when kube-proxy learns of it. How many they are, and how long a new
// connection takes, depends on how busy the machine is.
const maxMoments = 4

// drains empties a node of the source and then one of the target, as `kubectl drain` does,
// under 50 requests a second through the tunnel, and requires that the requests go on.
func (r *real) drains() {
	stop := r.pace("east", "west")
	for _, c := range []struct{ cluster, gateway string }{{"east", "kube-apiserver-west-egress-gateway"}, {"west", "istio-eastwestgateway"}} {
		nodes := map[string]bool{}
		pods, err := r.pods(c.cluster, "istio-system", "app="+c.gateway)
		require.NoError(r.t, err)
		for _, p := range pods {
			nodes[p.Spec.NodeName] = true
		}
		require.Len(r.t, nodes, 2, "the pods of %s are on two nodes", c.gateway)
		began := time.Now()
		uncordon := sync.OnceFunc(func() { r.patch(c.cluster, "/api/v1/nodes/"+c.cluster+"-node-2", `{"spec":{"unschedulable":false}}`) })
		r.t.Cleanup(uncordon)
		evicted := r.drain(c.cluster, c.cluster+"-node-2")
		require.Contains(r.t, evicted, c.gateway)
		r.t.Logf("%s-node-2 is empty after %s; it had %s", c.cluster, time.Since(began).Round(time.Millisecond), evicted)
		r.t.Logf("a Service of west in east's istiod after %s", r.sees("east", "west", "drained-"+c.cluster))
		r.eventually("both pods run on the node that is left", func() error {
			pods, err := r.pods(c.cluster, "istio-system", "app="+c.gateway)
			if err == nil && len(pods) != 2 {
				err = fmt.Errorf("%d of 2 are ready", len(pods))
			}
			return err
		})
		r.whole(c.cluster)
		uncordon()
	}
	r.allProven()
	r.fewFailed(stop(), maxMoments)
}

// whole waits until every Deployment of Istio's namespace has all its pods. Where istiod was
// drained, too, its webhook did not answer for a while, and Kubernetes' ReplicaSet controller tries
// a pod that it refused again after longer and longer pauses.
func (r *real) whole(cluster string) {
	r.eventually("every Deployment of "+cluster+" has all its pods", func() error {
		list, err := r.connect(cluster).AppsV1().Deployments("istio-system").List(context.Background(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, d := range list.Items {
			if d.Status.AvailableReplicas < *d.Spec.Replicas {
				return fmt.Errorf("%s has %d of %d", d.Name, d.Status.AvailableReplicas, *d.Spec.Replicas)
			}
		}
		return nil
	})
}

// drain lets nothing more be scheduled on a node, evicts what is there and no DaemonSet's
// or the lab's, and waits until that is gone. It returns the pods' names.
func (r *real) drain(cluster, node string) string {
	c, ctx := r.connect(cluster), context.Background()
	r.patch(cluster, "/api/v1/nodes/"+node, `{"spec":{"unschedulable":true}}`)
	var evicted []string
	r.eventually(node+" is empty", func() error {
		list, err := c.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + node})
		if err != nil {
			return err
		}
		left := 0
		for _, p := range list.Items {
			// The lab's DNS was there before, and must be as it was at the end.
			if owner := metav1.GetControllerOf(&p); owner == nil || owner.Kind == "DaemonSet" || p.Namespace == "kube-system" {
				continue
			}
			left++
			if !slices.Contains(evicted, p.Name) {
				evicted = append(evicted, p.Name)
			}
			if p.DeletionTimestamp == nil {
				err = c.CoreV1().Pods(p.Namespace).EvictV1(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name}})
				if err != nil && !apierrors.IsTooManyRequests(err) && !apierrors.IsNotFound(err) {
					return err
				}
			}
		}
		if left > 0 {
			return fmt.Errorf("%d pods are still there, %v", left, err)
		}
		return nil
	})
	return strings.Join(evicted, ", ")
}

// recovers deletes the pods that carry istiod's watch, and waits until istiod sees a new
// service.
func (r *real) recovers() {
	for _, c := range []struct{ cluster, selector string }{
		{"east", "app=kube-apiserver-west-egress-gateway"}, {"west", "app=istio-eastwestgateway"}, {"east", "app=istiod"}} {
		pod, err := r.pod(c.cluster, "istio-system", c.selector)
		require.NoError(r.t, err)
		r.patch(c.cluster, "/api/v1/namespaces/istio-system/pods/"+pod, "")
		r.t.Logf("%s of %s deleted: its watch brings news again after %s", c.selector, c.cluster, r.sees("east", "west", "back"))
	}
	r.allProven()
}
