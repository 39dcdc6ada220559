package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	corev1 "k8s.io/api/core/v1"

	"github.com/landbridge/landbridge/test/lab"
)

// acts changes how the lab's cloud and Sail act, as long as a command runs.
func acts(change func(*lab.Behaviour)) disturbance {
	return func(_ context.Context, s *scene) func() {
		_ = s.behave(change)
		s.faults++
		return func() { _ = s.behave(nil) }
	}
}

var cloudNever = acts(func(b *lab.Behaviour) { b.Cloud.Never = true })

// conditions returns the cases with a cloud, a Sail or an etcd that fails.
func conditions() []chaos {
	const short = "  gateways: {loadBalancerTimeout: 5s}\n  rollout: {stepTimeout: 60s, undoTimeout: 60s, skipProof: true}\n"
	const hasty = "  gateways: {loadBalancerTimeout: 45s}\n  rollout: {stepTimeout: 30s, undoTimeout: 60s, skipProof: true}\n"
	sail := "Sail"
	return []chaos{
		{Family: "cloud", Name: "cloud never gives an address", fleet: short, rollout: cloudNever, mayFail: true},
		{Family: "cloud", Name: "cloud fails five times", rollout: acts(func(b *lab.Behaviour) { b.Cloud.Failures = 5 })},
		{Family: "cloud", Name: "cloud changes its addresses during the rollout", rollout: after(linksBegin, 0, func(_ context.Context, s *scene) {
			_ = s.behave(func(b *lab.Behaviour) { b.Cloud.Generation = 7 })
			s.faults++
		})},
		{Family: "cloud", Name: "cloud withdraws an address during the rollout", rollout: after(linksBegin, 0, addressGoes), mayFail: true},
		{Family: sail, Name: "Sail takes 40 s", rollout: acts(func(b *lab.Behaviour) { b.Sail.Delay = 40 * time.Second })},
		{Family: sail, Name: "Sail is not ready in time", fleet: hasty, rollout: acts(func(b *lab.Behaviour) { b.Sail.Delay = 5 * time.Minute }), mayFail: true},
		{Family: sail, Name: "Sail cannot reconcile", fleet: hasty, mayFail: true,
			rollout: acts(func(b *lab.Behaviour) { b.Sail.Error = "failed to install: no matches for kind" })},
		{Family: "etcd", Name: "etcd killed in the rollout", rollout: after(anyWrite, 200*time.Millisecond, etcdKilled)},
		{Family: "etcd", Name: "etcd killed late in the rollout", rollout: after(linksBegin, 0, etcdKilled)},
		{Family: "etcd", Name: "etcd killed in the cleanup", cleanup: after(anyWrite, 3*time.Second, etcdKilled)},
		{Family: "etcd", Name: "etcd full in the rollout", rollout: after(anyWrite, 500*time.Millisecond, etcdFull)},
		{Family: "etcd", Name: "etcd full in the cleanup", cleanup: after(anyWrite, time.Second, etcdFull)},
	}
}

// addressGoes empties the status of a load balancer that had an address.
func addressGoes(ctx context.Context, s *scene) {
	_ = s.behave(func(b *lab.Behaviour) { b.Cloud.Never = true })
	cfg, err := s.lab.RESTConfig(s.clusters[0])
	if err != nil {
		return
	}
	services := kubernetes.NewForConfigOrDie(cfg).CoreV1().Services("")
	list, err := services.List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	for _, svc := range slices.DeleteFunc(list.Items, func(x corev1.Service) bool { return len(x.Status.LoadBalancer.Ingress) == 0 }) {
		svc.Status.LoadBalancer = corev1.LoadBalancerStatus{}
		if _, err := kubernetes.NewForConfigOrDie(cfg).CoreV1().Services(svc.Namespace).UpdateStatus(ctx, &svc, metav1.UpdateOptions{}); err == nil {
			s.faults++
		}
	}
}

func etcdKilled(_ context.Context, s *scene) {
	if err := s.lab.Restart(context.Background(), "etcd", 3*time.Second); err == nil {
		s.killed = append(s.killed, time.Now())
	}
}

// etcdFull makes etcd refuse writes as a full disk's quota does, for 20 s.
func etcdFull(_ context.Context, s *scene) {
	if err := alarm(s, "ACTIVATE"); err != nil {
		return
	}
	s.faults++
	time.Sleep(20 * time.Second)
	_ = until(context.Background(), time.Minute, func() error { return alarm(s, "DEACTIVATE") })
}

// alarm sets or ends etcd's alarm of no space, through its JSON gateway.
func alarm(s *scene, action string) error {
	p, err := s.lab.Process("etcd")
	if err != nil {
		return err
	}
	args, err := p.Args()
	if err != nil {
		return err
	}
	url := args[slices.Index(args, "--listen-client-urls")+1]
	res, err := http.Post(url+"/v3/maintenance/alarm", "application/json", bytes.NewBufferString(`{"action":"`+action+`","memberID":"0","alarm":"NOSPACE"}`))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd answers %s to %s", res.Status, strings.ToLower(action))
	}
	return nil
}
