package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// connection reaches a cluster beside Landbridge, as the lab's own user.
type connection struct {
	*kubernetes.Clientset
	dyn dynamic.Interface
	cfg *rest.Config
}

func (w *world) connect(cluster string) connection {
	t := w.t
	t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", strings.TrimSuffix(w.lab.Kubeconfig(cluster), cluster+".kubeconfig")+"pki/"+cluster+"/lab.kubeconfig")
	require.NoError(t, err)
	cfg.QPS, cfg.Burst, cfg.WarningHandler = 500, 500, rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(cfg)
	require.NoError(t, err)
	dyn, err := dynamic.NewForConfig(cfg)
	require.NoError(t, err)
	return connection{client, dyn, cfg}
}

// Kubernetes writes these itself, all the time.
var selfWritten = []string{"events", "leases", "endpoints", "endpointslices", "nodes", "apiservices", "componentstatuses", "ipaddresses", "flowschemas", "prioritylevelconfigurations", "servicecidrs", "csinodes", "runtimeclasses"}

// everyObject visits every object of every kind of a cluster.
func (w *world) everyObject(cluster string, visit func(key string, o *unstructured.Unstructured)) {
	t := w.t
	t.Helper()
	c := w.connect(cluster)
	d, err := discovery.NewDiscoveryClientForConfig(c.cfg)
	require.NoError(t, err)
	lists, err := d.ServerPreferredResources()
	require.NoError(t, err)
	for _, l := range lists {
		gv, err := schema.ParseGroupVersion(l.GroupVersion)
		require.NoError(t, err)
		for _, r := range l.APIResources {
			if !slices.Contains(r.Verbs, "list") || slices.Contains(selfWritten, r.Name) {
				continue
			}
			objs, err := c.dyn.Resource(gv.WithResource(r.Name)).List(context.Background(), metav1.ListOptions{})
			require.NoError(t, err)
			for i := range objs.Items {
				o := &objs.Items[i]
				visit(fmt.Sprintf("%s %s/%s", r.Kind, o.GetNamespace(), o.GetName()), o)
			}
		}
	}
}

// snapshot is every object of a cluster, without what changes by itself.
func (w *world) snapshot(cluster string) map[string]string {
	t := w.t
	t.Helper()
	out := map[string]string{}
	w.everyObject(cluster, func(key string, o *unstructured.Unstructured) {
		if k := o.GetKind(); k == "Pod" || k == "Namespace" || k == "CustomResourceDefinition" {
			unstructured.RemoveNestedField(o.Object, "status")
		}
		o.SetResourceVersion("")
		o.SetManagedFields(nil)
		data, err := json.Marshal(o)
		require.NoError(t, err)
		out[key] = string(data)
	})
	return out
}

// versions are the resource versions of every object of a cluster.
func (w *world) versions(cluster string) map[string]string {
	t := w.t
	t.Helper()
	out := map[string]string{}
	w.everyObject(cluster, func(key string, o *unstructured.Unstructured) { out[key] = o.GetResourceVersion() })
	return out
}

// unchanged takes a snapshot of the clusters now, and returns a function that
// requires nothing to differ from it.
func (w *world) unchanged(names ...string) func() {
	t := w.t
	t.Helper()
	before := map[string]map[string]string{}
	for _, n := range names {
		before[n] = w.snapshot(n)
	}
	return func() {
		t.Helper()
		for _, n := range names {
			var diff []string
			// Pods of what was just deleted go a moment later.
			for end := time.Now().Add(15 * time.Second); ; time.Sleep(300 * time.Millisecond) {
				diff = compare(before[n], w.snapshot(n))
				if len(diff) == 0 || time.Now().After(end) {
					break
				}
			}
			require.Empty(t, diff, "%s is not what it was", n)
		}
	}
}

func compare(before, after map[string]string) []string {
	var diff []string
	for k, v := range before {
		switch now, ok := after[k]; {
		case !ok:
			diff = append(diff, "gone: "+k)
		case now != v:
			diff = append(diff, "changed: "+k+"\n  "+v+"\n  "+now)
		}
	}
	for k := range after {
		if _, ok := before[k]; !ok {
			diff = append(diff, "left: "+k)
		}
	}
	slices.Sort(diff)
	return diff
}

// requests counts Landbridge's requests to a cluster by verb and resource, from
// its audit log, since the given line.
func (w *world) requests(cluster string, since int) (map[string]int, int) {
	t := w.t
	t.Helper()
	f, err := os.Open(w.lab.AuditLog(cluster))
	require.NoError(t, err)
	defer f.Close()
	counts, line := map[string]int{}, 0
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if line++; line <= since {
			continue
		}
		var e struct {
			Verb      string
			User      struct{ Username string }
			ObjectRef struct{ Resource string }
		}
		require.NoError(t, json.Unmarshal(s.Bytes(), &e))
		if e.User.Username == "landbridge" {
			counts[e.Verb+" "+e.ObjectRef.Resource]++
		}
	}
	require.NoError(t, s.Err())
	return counts, line
}

// writes are the requests that change something. A SelfSubjectAccessReview is
// a question that is put as a creation; nothing is stored.
func writes(counts map[string]int) []string {
	var out []string
	for k, n := range counts {
		verb, resource, _ := strings.Cut(k, " ")
		if slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, verb) && resource != "selfsubjectaccessreviews" {
			out = append(out, fmt.Sprintf("%d× %s", n, k))
		}
	}
	slices.Sort(out)
	return out
}
