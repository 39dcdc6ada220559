package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/storage/driver"
	"istio.io/istio/manifests"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const sailFinalizer = "sailoperator.io/sail-operator"

// endOfLife lists versions that the CRD still lists and the operator refuses, as
// Sail 1.28 does with 1.24.
var endOfLife = []string{"v1.24.3"}

// sail stands in for the Sail operator on one cluster: it has Sail's kinds,
// installs Istio's own charts with Helm and reports status as Sail does. With
// KWOK nodes no istiod answers, so it leaves the webhooks out.
type sail struct {
	cluster Cluster
	// platform has the values that fit Istio to the lab's nodes, as Sail's profiles
	// fit it to a platform.
	platform map[string]any
	cfg      *rest.Config
	dyn      dynamic.Interface
	client   kubernetes.Interface
	objects  map[string]cache.Store // by kind
	began    map[string]time.Time   // by kind, name and generation
	applied  map[string]bool
}

// product pairs one kind of Sail's with the chart that it stands for.
type product struct {
	kind  string
	res   schema.GroupVersionResource
	chart string
	// release names the Helm release that Sail would make.
	release string
	// notReady names Sail's state of one that does not run yet.
	notReady string
}

var products = []product{
	{"IstioCNI", schema.GroupVersionResource{Group: "sailoperator.io", Version: "v1", Resource: "istiocnis"}, "charts/istio-cni", "istio-cni", "IstioCNINotReady"},
	{"Istio", schema.GroupVersionResource{Group: "sailoperator.io", Version: "v1", Resource: "istios"}, "charts/istio-control/istio-discovery", "istiod", "IstiodNotReady"},
}

// newSail watches a cluster's objects of Sail's kinds until the context ends.
func newSail(ctx context.Context, c Cluster, cfg *rest.Config, nodeDir string) (*sail, error) {
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	objects := map[string]cache.Store{}
	for _, p := range products {
		objects[p.kind] = watch(ctx, listWatch(dyn.Resource(p.res)), &unstructured.Unstructured{})
	}
	return &sail{c, platformValues(c, nodeDir), cfg, dyn, client, objects, map[string]time.Time{}, map[string]bool{}}, nil
}

func (s *sail) look(ctx context.Context, b Behaviour) error {
	var errs []error
	for _, p := range products {
		for _, o := range s.objects[p.kind].List() {
			obj := o.(*unstructured.Unstructured).DeepCopy()
			if err := s.reconcile(ctx, p, obj, b.Sail); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
				errs = append(errs, fmt.Errorf("%s %s: %w", p.kind, obj.GetName(), err))
			}
		}
	}
	return errors.Join(errs...)
}

func (s *sail) reconcile(ctx context.Context, p product, obj *unstructured.Unstructured, b SailBehaviour) error {
	ns, _, _ := unstructured.NestedString(obj.Object, "spec", "namespace")
	if obj.GetDeletionTimestamp() != nil {
		if err := s.uninstall(ns, p, obj); err != nil {
			return err
		}
		obj.SetFinalizers(slices.DeleteFunc(obj.GetFinalizers(), func(f string) bool { return f == sailFinalizer }))
		_, err := s.dyn.Resource(p.res).Update(ctx, obj, metav1.UpdateOptions{})
		return err
	}
	if !slices.Contains(obj.GetFinalizers(), sailFinalizer) {
		obj.SetFinalizers(append(obj.GetFinalizers(), sailFinalizer))
		_, err := s.dyn.Resource(p.res).Update(ctx, obj, metav1.UpdateOptions{})
		return err
	}
	key := fmt.Sprintf("%s/%s/%d", obj.GetUID(), p.kind, obj.GetGeneration())
	if _, ok := s.began[key]; !ok {
		s.began[key] = time.Now()
	}
	version, _, _ := unstructured.NestedString(obj.Object, "spec", "version")
	if why := s.refuse(ctx, ns, version, b); why != "" {
		return s.report(ctx, p, obj, "ReconcileError", why)
	}
	if !s.applied[key] {
		if err := s.install(ctx, ns, p, obj); err != nil {
			return err
		}
		s.applied[key] = true
	}
	ready, err := s.runs(ctx, ns, p)
	if err != nil {
		return err
	}
	if !ready || time.Since(s.began[key]) < b.Delay {
		return s.report(ctx, p, obj, p.notReady, "not ready yet")
	}
	return s.report(ctx, p, obj, sailHealthy, "")
}

// refuse says why Sail would not install this, in its words.
func (s *sail) refuse(ctx context.Context, ns, version string, b SailBehaviour) string {
	if b.Error != "" && (b.Only == "" || b.Only == s.cluster.Name) {
		return b.Error
	}
	if slices.Contains(endOfLife, version) {
		return fmt.Sprintf("version %q has reached end-of-life and is no longer supported", version)
	}
	if _, err := s.client.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{}); apierrors.IsNotFound(err) {
		return fmt.Sprintf("namespace %q doesn't exist", ns)
	}
	return ""
}

// sailHealthy is Sail's word for a resource that runs.
const sailHealthy = "Healthy"

// report writes the status as Sail does; an unchanged one is not written again.
func (s *sail) report(ctx context.Context, p product, obj *unstructured.Unstructured, state, message string) error {
	healthy := state == sailHealthy
	condition := func(typ string, ok bool, reason string) map[string]any {
		status := "True"
		if !ok {
			status = "False"
		}
		return map[string]any{"type": typ, "status": status, "reason": reason, "message": message}
	}
	reconciled := state != "ReconcileError"
	status := map[string]any{"observedGeneration": obj.GetGeneration(), "state": state, "conditions": []any{
		condition("Reconciled", reconciled, ifElse(reconciled, "Reconciled", state)),
		condition("Ready", healthy, ifElse(healthy, "Ready", state)),
	}}
	if fmt.Sprint(obj.Object["status"]) == fmt.Sprint(status) {
		return nil
	}
	obj.Object["status"] = status
	_, err := s.dyn.Resource(p.res).UpdateStatus(ctx, obj, metav1.UpdateOptions{})
	return err
}

// runs says whether what a chart installed is at work.
func (s *sail) runs(ctx context.Context, ns string, p product) (bool, error) {
	if p.kind == "IstioCNI" {
		list, err := s.client.AppsV1().DaemonSets(ns).List(ctx, metav1.ListOptions{LabelSelector: "k8s-app=istio-cni-node"})
		if err != nil || len(list.Items) == 0 {
			return false, err
		}
		st := list.Items[0].Status
		return st.ObservedGeneration == list.Items[0].Generation && st.DesiredNumberScheduled > 0 && st.NumberReady == st.DesiredNumberScheduled, nil
	}
	list, err := s.client.AppsV1().Deployments(ns).List(ctx, metav1.ListOptions{LabelSelector: "app=istiod"})
	if err != nil || len(list.Items) == 0 {
		return false, err
	}
	st := list.Items[0].Status
	return st.ObservedGeneration == list.Items[0].Generation && st.UpdatedReplicas > 0 && st.ReadyReplicas == st.Replicas, nil
}

func ifElse(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

func (s *sail) install(ctx context.Context, ns string, p product, obj *unstructured.Unstructured) error {
	cfg, err := s.helm(ns)
	if err != nil {
		return err
	}
	c, err := loadChart(p.chart)
	if err != nil {
		return err
	}
	values, _, _ := unstructured.NestedMap(obj.Object, "spec", "values")
	values = chartutil.CoalesceTables(values, s.platform)
	if _, err := cfg.Releases.Last(p.releaseOf(obj)); errors.Is(err, driver.ErrReleaseNotFound) {
		in := action.NewInstall(cfg)
		in.ReleaseName, in.Namespace, in.PostRenderer = p.releaseOf(obj), ns, s.postRenderer()
		_, err := in.RunWithContext(ctx, c, values)
		return err
	}
	up := action.NewUpgrade(cfg)
	up.Namespace, up.PostRenderer, up.ResetValues = ns, s.postRenderer(), true
	_, err = up.RunWithContext(ctx, p.releaseOf(obj), c, values)
	return err
}

func (s *sail) uninstall(ns string, p product, obj *unstructured.Unstructured) error {
	cfg, err := s.helm(ns)
	if err != nil {
		return err
	}
	un := action.NewUninstall(cfg)
	un.IgnoreNotFound = true
	_, err = un.Run(p.releaseOf(obj))
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil
	}
	return err
}

func (p product) releaseOf(obj *unstructured.Unstructured) string {
	return obj.GetName() + "-" + p.release
}

func (s *sail) helm(ns string) (*action.Configuration, error) {
	flags := genericclioptions.NewConfigFlags(false)
	flags.WrapConfigFn = func(*rest.Config) *rest.Config { return rest.CopyConfig(s.cfg) }
	flags.Namespace = &ns
	cfg := &action.Configuration{}
	return cfg, cfg.Init(flags, ns, "secret", func(string, ...any) {})
}

func loadChart(root string) (*chart.Chart, error) {
	var files []*loader.BufferedFile
	err := fs.WalkDir(manifests.FS, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := manifests.FS.ReadFile(p)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		files = append(files, &loader.BufferedFile{Name: path.Clean(filepath.ToSlash(name)), Data: data})
		return err
	})
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}
