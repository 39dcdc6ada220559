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
	"k8s.io/apimachinery/pkg/types"
	discovered "k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/test/lab"
)

// connection reaches a cluster without Landbridge, as the lab's own user.
type connection struct {
	*kubernetes.Clientset
	dyn dynamic.Interface
	cfg *rest.Config
}

func (w *world) connect(cluster string) connection {
	t := w.t
	t.Helper()
	cfg, err := w.lab.RESTConfig(cluster)
	require.NoError(t, err)
	client, err := kubernetes.NewForConfig(cfg)
	require.NoError(t, err)
	dyn, err := dynamic.NewForConfig(cfg)
	require.NoError(t, err)
	return connection{client, dyn, cfg}
}

// apply applies a manifest to a cluster by server-side apply. dryRun is that of
// PatchOptions.
func (w *world) apply(cluster string, manifest []byte, dryRun ...string) error {
	name, kind, err := w.find(cluster, manifest)
	if err != nil {
		return err
	}
	force := true
	_, err = kind.Patch(context.Background(), name, types.ApplyPatchType, manifest,
		metav1.PatchOptions{FieldManager: "integration.test", Force: &force, DryRun: dryRun})
	return err
}

// remove deletes the object of a manifest.
func (w *world) remove(cluster string, manifest []byte) error {
	name, kind, err := w.find(cluster, manifest)
	if err != nil {
		return err
	}
	return kind.Delete(context.Background(), name, metav1.DeleteOptions{})
}

// find returns where a cluster has the object of a manifest.
func (w *world) find(cluster string, manifest []byte) (name string, kind dynamic.ResourceInterface, err error) {
	c := w.connect(cluster)
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(manifest, &obj.Object); err != nil {
		return "", nil, err
	}
	of := obj.GroupVersionKind()
	at, err := restmapper.NewDeferredDiscoveryRESTMapper(discovered.NewMemCacheClient(c.DiscoveryClient)).RESTMapping(of.GroupKind(), of.Version)
	if err != nil {
		return "", nil, err
	}
	return obj.GetName(), c.dyn.Resource(at.Resource).Namespace(obj.GetNamespace()), nil
}

// everyObject visits every object of every kind of a cluster.
func (w *world) everyObject(cluster string, visit func(key string, o *unstructured.Unstructured)) {
	w.t.Helper()
	require.NoError(w.t, w.lab.EveryObject(context.Background(), cluster, visit))
}

// snapshot returns every object of a cluster, without fields that change by themselves.
func (w *world) snapshot(cluster string) map[string]string {
	w.t.Helper()
	out, err := w.lab.Snapshot(context.Background(), cluster)
	require.NoError(w.t, err)
	return out
}

// versions returns the resource version of every object of a cluster.
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
		var err error
		before[n], err = w.lab.AtRest(context.Background(), n)
		require.NoError(t, err)
	}
	return func() {
		t.Helper()
		for _, n := range names {
			var diff []string
			// Pods end a moment after their Deployment is deleted, and an API server
			// forgets a kind a moment after it went.
			for end := time.Now().Add(30 * time.Second); ; time.Sleep(300 * time.Millisecond) {
				if now, err := w.lab.Snapshot(context.Background(), n); err != nil {
					diff = []string{err.Error()}
				} else {
					diff = lab.Compare(before[n], now)
				}
				if len(diff) == 0 || time.Now().After(end) {
					break
				}
			}
			require.Empty(t, diff, "%s is not what it was", n)
		}
	}
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
			Stage     string
			User      struct{ Username string }
			ObjectRef struct{ Resource string }
		}
		require.NoError(t, json.Unmarshal(s.Bytes(), &e))
		if e.User.Username == "landbridge" && e.Stage != "ResponseStarted" { // a watch has both
			counts[e.Verb+" "+e.ObjectRef.Resource]++
		}
	}
	require.NoError(t, s.Err())
	return counts, line
}

// writes returns the requests that change something. A SelfSubjectAccessReview is a
// question in the form of a creation; nothing is stored.
func writes(counts map[string]int) []string {
	var out []string
	for k, n := range counts {
		verb, resource, _ := strings.Cut(k, " ")
		if slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, verb) && !strings.HasPrefix(resource, "selfsubject") {
			out = append(out, fmt.Sprintf("%d× %s", n, k))
		}
	}
	slices.Sort(out)
	return out
}
