package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// selfWritten lists what Kubernetes writes itself, all the time.
var selfWritten = []string{"events", "leases", "endpoints", "endpointslices", "nodes", "apiservices", "componentstatuses", "ipaddresses", "flowschemas", "prioritylevelconfigurations", "servicecidrs", "csinodes", "runtimeclasses"}

// OwnKubeconfig names the file of the lab's own user, who may do everything.
func (l *Lab) OwnKubeconfig(cluster string) string { return l.labKubeconfig(cluster) }

// RESTConfig reaches a cluster beside Landbridge, as the lab's own user.
func (l *Lab) RESTConfig(cluster string) (*rest.Config, error) {
	cfg, err := l.restConfig(cluster)
	if err == nil {
		cfg.QPS, cfg.Burst, cfg.WarningHandler = 500, 500, rest.NoWarnings{}
	}
	return cfg, err
}

// EveryObject visits every object of every kind of a cluster; its key is
// "Kind namespace/name".
func (l *Lab) EveryObject(ctx context.Context, cluster string, visit func(key string, o *unstructured.Unstructured)) error {
	cfg, err := l.RESTConfig(cluster)
	if err != nil {
		return err
	}
	d, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return err
	}
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return err
	}
	lists, err := d.ServerPreferredResources()
	if err != nil {
		return err
	}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return err
		}
		for _, r := range list.APIResources {
			if !slices.Contains(r.Verbs, "list") || slices.Contains(selfWritten, r.Name) {
				continue
			}
			objs, err := dyn.Resource(gv.WithResource(r.Name)).List(ctx, metav1.ListOptions{})
			if apierrors.IsNotFound(err) {
				continue // the kind went since it was discovered, and all its objects with it
			}
			if err != nil {
				return fmt.Errorf("list %s of %s: %w", r.Name, cluster, err)
			}
			for i := range objs.Items {
				o := &objs.Items[i]
				visit(fmt.Sprintf("%s %s/%s", r.Kind, o.GetNamespace(), o.GetName()), o)
			}
		}
	}
	return nil
}

// Snapshot reads every object of a cluster, in JSON by its key, without what
// changes by itself, such as a status, which tells what controllers saw last, and when.
func (l *Lab) Snapshot(ctx context.Context, cluster string) (map[string]string, error) {
	out := map[string]string{}
	err := l.EveryObject(ctx, cluster, func(key string, o *unstructured.Unstructured) {
		if o.GetNamespace() == operatorNamespace && o.GetKind() != "Secret" {
			return // the operator stops and starts; only its releases tell of Istio
		}
		if o.GetKind() == "Secret" && o.GetLabels()["app"] == PluginName {
			return // a credential is revoked by making that anew
		}
		if name := o.GetLabels()["name"]; o.Object["type"] == "helm.sh/release.v1" && sailInstalls(name) {
			// Whenever istiod's pods get ready, or stop being so, its release has another revision.
			out[fmt.Sprintf("Helm release %s/%s", o.GetNamespace(), name)] = ""
			return
		}
		unstructured.RemoveNestedField(o.Object, "status")
		if o.GetKind() == "CustomResourceDefinition" {
			o.SetGeneration(0) // an operator of another release writes its kinds anew, and back
		}
		// Who leads, and since when.
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations", "control-plane.alpha.kubernetes.io/leader")
		o.SetResourceVersion("")
		o.SetManagedFields(nil)
		data, _ := json.Marshal(o)
		out[key] = string(data)
	})
	return out, err
}

// AtRest reads a Snapshot once the controllers have seen what was written, or after some
// seconds: what is compared with it later must not differ by what a controller still
// added, such as a Deployment's ReplicaSet.
func (l *Lab) AtRest(ctx context.Context, cluster string) (map[string]string, error) {
	_ = until(ctx, 10*time.Second, 200*time.Millisecond, func(ctx context.Context) (atRest bool, err error) {
		atRest = true
		err = l.EveryObject(ctx, cluster, func(_ string, o *unstructured.Unstructured) {
			if k := o.GetKind(); k == "Deployment" || k == "ReplicaSet" || k == "DaemonSet" {
				seen, _, _ := unstructured.NestedInt64(o.Object, "status", "observedGeneration")
				atRest = atRest && seen >= o.GetGeneration()
			}
		})
		return atRest && err == nil, err
	})
	return l.Snapshot(ctx, cluster)
}

// Compare says what is missing, changed or left between two snapshots, one line (of
// a change, three) each, sorted.
func Compare(before, after map[string]string) []string {
	var diff []string
	for k, v := range before {
		switch now, ok := after[k]; {
		case !ok:
			diff = append(diff, "missing: "+k)
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
