package kube_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// service returns the Service that waits are for here, with an address or none.
func service(address string) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "gateway", Labels: map[string]string{"app": "gateway"}}}
	if address != "" {
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
	}
	return s
}

var (
	theService  = kube.Watched{Resource: kinds.Services, Namespace: "istio-system", Name: "gateway"}
	itsEndpoint = kube.Watched{Resource: kinds.ConfigMaps, Namespace: "istio-system", Name: "endpoint"}
)

// waits waits for the address of the Service, and returns how often it looked and how long
// it took.
func waits(ctx context.Context, c *kube.Cluster, of ...kube.Watched) (looks int, took time.Duration, err error) {
	began := time.Now()
	err = c.Wait(ctx, func(ctx context.Context) (string, bool, error) {
		looks++
		s, err := c.Client.CoreV1().Services("istio-system").Get(ctx, "gateway", metav1.GetOptions{})
		if err != nil {
			return "", false, err
		}
		return "no address yet", len(s.Status.LoadBalancer.Ingress) > 0, nil
	}, of...)
	return looks, time.Since(began), err
}

func TestWait_WhatIsWatchedChanges_EndsAtOnce(t *testing.T) {
	const later = 50500 * time.Millisecond // the API server has ended the watch twice by then
	for name, c := range map[string]struct {
		of   []kube.Watched
		late time.Duration
		most int
	}{
		"the object":           {[]kube.Watched{theService}, 30 * time.Millisecond, 22},
		"its label":            {[]kube.Watched{{Resource: kinds.Services, Namespace: "istio-system", Labels: "app=gateway"}}, 30 * time.Millisecond, 22},
		"all of its kind":      {[]kube.Watched{{Resource: kinds.Services}}, 30 * time.Millisecond, 22},
		"and what never comes": {[]kube.Watched{theService, itsEndpoint}, 30 * time.Millisecond, 22},
		"another object":       {[]kube.Watched{itsEndpoint}, time.Second, 70},
		"nothing":              {nil, time.Second, 70},
	} {
		synctest.Test(t, func(t *testing.T) {
			fake := kubetest.New("west", service(""))
			time.AfterFunc(later, func() { fake.Put(service("192.0.2.1")) })
			looks, took, err := waits(t.Context(), fake.Cluster, c.of...)
			require.NoError(t, err, name)
			require.LessOrEqual(t, took, later+c.late, name)
			require.LessOrEqual(t, looks, c.most, name)
		})
	}
}

// What happens between two watches, or between the first look and the watch, is there when
// the watch begins.
func TestWait_ChangedWhileNobodyWatches_IsSeen(t *testing.T) {
	for _, at := range []time.Duration{0, time.Millisecond, 25*time.Second + 500*time.Millisecond, 26 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			fake := kubetest.New("west", service(""))
			time.AfterFunc(at, func() { fake.Put(service("192.0.2.1")) })
			_, took, err := waits(t.Context(), fake.Cluster, theService)
			require.NoError(t, err)
			require.LessOrEqual(t, took, at+time.Second, "%s", at)
		})
	}
}

// Changes that come together take one look.
func TestWait_ManyChangesAtOnce_TakeOneLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := kubetest.New("west", service(""))
		time.AfterFunc(time.Second, func() {
			for range 50 {
				fake.Put(service(""))
			}
			fake.Put(service("192.0.2.1"))
		})
		looks, _, err := waits(t.Context(), fake.Cluster, theService)
		require.NoError(t, err)
		require.Equal(t, 3, looks, "one before the watch, one as it begins, one for all changes")
	})
}

// reach connects to a server as a worker does.
func reach(t *testing.T, server *kubetest.Server) *kube.Cluster {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "k"), server.Kubeconfig(), 0o600))
	c, err := kube.Access{Dirs: []string{dir}}.Open(t.Context(), "west", fleet.Kubeconfig{Path: "k"})
	require.NoError(t, err)
	return c
}

func TestWait_DoneAtTheFirstLook_WatchesNothing(t *testing.T) {
	server := kubetest.Listen(t, kubetest.New("west", service("192.0.2.1")))
	looks, _, err := waits(t.Context(), reach(t, server), theService)
	require.NoError(t, err)
	require.Equal(t, 1, looks)
	require.Len(t, server.Requests(), 1)
}

func TestWait_MayWatch_WatchesOnceAndHasTheRestFromThere(t *testing.T) {
	t.Parallel() // it takes its time
	fake := kubetest.New("west", service(""))
	server := kubetest.Listen(t, fake)
	time.AfterFunc(500*time.Millisecond, func() { fake.Put(service("192.0.2.1")) })
	looks, took, err := waits(t.Context(), reach(t, server), theService)
	require.NoError(t, err)
	require.Equal(t, 3, looks, "it did not poll in between")
	require.Less(t, took, time.Second)
	require.Contains(t, server.Requests(), kubetest.Request{Verb: "watch", Resource: "services", Namespace: "istio-system"})
}

// A look that reads by Get or List asks the API server at first and at the end: in between it
// reads what the watch told.
func TestWait_LooksAtWhatIsWatched_AsksTwice(t *testing.T) {
	t.Parallel() // it takes its time
	fake := kubetest.New("west", service(""))
	server := kubetest.Listen(t, fake)
	for i := range 5 {
		time.AfterFunc(time.Duration(i+1)*200*time.Millisecond, func() {
			now := service("")
			if now.Annotations = map[string]string{"n": strconv.Itoa(i)}; i == 4 {
				now = service("192.0.2.1")
			}
			fake.Put(now)
		})
	}
	c, looks := reach(t, server), 0
	err := c.Wait(t.Context(), func(ctx context.Context) (string, bool, error) {
		looks++
		s, err := c.Get(ctx, kinds.Services, "istio-system", "gateway")
		if err != nil {
			return "", false, err
		}
		all, err := c.List(ctx, kinds.Services, "istio-system", "app=gateway,other=no")
		require.Empty(t, all)
		_, has, _ := unstructured.NestedSlice(s.Object, "status", "loadBalancer", "ingress")
		return "no address yet", has, err
	}, kube.Watched{Resource: kinds.Services, Namespace: "istio-system", Labels: "app=gateway"})
	require.NoError(t, err)
	require.GreaterOrEqual(t, looks, 5)
	verbs := map[string]int{}
	for _, r := range server.Requests() {
		verbs[r.Verb]++
	}
	require.Equal(t, map[string]int{"get": 2, "list": 2, "watch": 1}, verbs)
}

// A role of before has no right to watch, and some platforms give none.
func TestWait_MayNotWatch_Polls(t *testing.T) {
	t.Parallel() // it takes its time
	fake := kubetest.New("west", service(""))
	server := kubetest.Listen(t, fake)
	refused := 0
	server.Authorize = func(r kubetest.Request) bool {
		if r.Verb == "watch" {
			refused++
		}
		return r.Verb != "watch"
	}
	time.AfterFunc(2*time.Second, func() { fake.Put(service("192.0.2.1")) })
	looks, _, err := waits(t.Context(), reach(t, server), theService)
	require.NoError(t, err)
	require.Greater(t, looks, 3, "it looked as rarely as where a watch tells of changes")
	require.LessOrEqual(t, looks, 14)
	require.Equal(t, 1, refused, "it asked once")
}

func TestWait_Cancelled_EndsAndStopsWatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which waits for everything that was started in it
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		_, took, err := waits(ctx, kubetest.New("west", service("")).Cluster, theService, itsEndpoint)
		require.Equal(t, context.Canceled, err)
		require.Equal(t, 10*time.Second, took)
	})
}

func TestWait_TimeIsUp_SaysWhatItWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, took, err := waits(ctx, kubetest.New("west", service("")).Cluster, theService)
		require.Equal(t, &kube.NotReadyError{Waiting: "no address yet"}, err)
		require.Equal(t, 10*time.Second, took)
	})
}
