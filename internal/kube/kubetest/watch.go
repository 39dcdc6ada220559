package kubetest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	clienttesting "k8s.io/client-go/testing"
)

// watching answers a watch as an API server does: with the objects that are there, and
// then with what happens to them, until its time is up.
func (s *store) watching(action clienttesting.Action) (bool, watch.Interface, error) {
	a := action.(clienttesting.WatchActionImpl)
	from, err := s.Watch(guessed(a.GetResource()), a.GetNamespace(), a.ListOptions)
	if err != nil {
		return true, nil, err
	}
	var timeUp <-chan time.Time
	if limit := a.ListOptions.TimeoutSeconds; limit != nil {
		timeUp = time.After(time.Duration(*limit) * time.Second)
	}
	events := make(chan watch.Event)
	to := watch.NewProxyWatcher(events)
	go func() {
		defer from.Stop()
		defer close(events)
		for {
			select {
			case <-to.StopChan():
				return
			case <-timeUp:
				return
			case e := <-from.ResultChan():
				obj, wanted := s.selected(e.Object, a)
				if !wanted {
					continue
				}
				select {
				case <-to.StopChan():
					return
				case events <- watch.Event{Type: e.Type, Object: obj}:
				}
			}
		}
	}()
	return true, to, nil
}

// selected returns a copy of an object as the dynamic client has it, and whether a watch
// selects it. The tracker still reads the object itself.
func (s *store) selected(obj runtime.Object, a clienttesting.WatchActionImpl) (runtime.Object, bool) {
	m, err := meta.Accessor(obj)
	if err != nil {
		return nil, false
	}
	by := a.WatchRestrictions
	if by.Labels != nil && !by.Labels.Matches(labels.Set(m.GetLabels())) || by.Fields != nil && !by.Fields.Matches(fields.Set{metav1.ObjectNameField: m.GetName()}) {
		return nil, false
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj.DeepCopyObject())
	if err != nil {
		return nil, false
	}
	out := &unstructured.Unstructured{Object: content}
	out.SetGroupVersionKind(s.kindOf(a.GetResource(), obj))
	return out, true
}

// kindOf returns the kind of a resource, of which this is an object.
func (s *store) kindOf(gvr schema.GroupVersionResource, obj runtime.Object) schema.GroupVersionKind {
	for _, r := range served {
		if r.GroupVersionResource == gvr {
			return r.GroupVersion().WithKind(r.Kind)
		}
	}
	return obj.GetObjectKind().GroupVersionKind()
}

// watch streams what happens until the client leaves or its time is up.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, client dynamic.ResourceInterface) {
	q := r.URL.Query()
	options := metav1.ListOptions{LabelSelector: q.Get("labelSelector"), FieldSelector: q.Get("fieldSelector")}
	if seconds, err := strconv.ParseInt(q.Get("timeoutSeconds"), 10, 64); err == nil {
		options.TimeoutSeconds = &seconds
	}
	stream, err := client.Watch(r.Context(), options)
	if err != nil {
		fail(w, err)
		return
	}
	defer stream.Stop()
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	out, flush := json.NewEncoder(w), http.NewResponseController(w).Flush
	for {
		_ = flush() // a client that left is seen below
		select {
		case <-r.Context().Done():
			return
		case e, open := <-stream.ResultChan():
			if !open {
				return
			}
			_ = out.Encode(metav1.WatchEvent{Type: string(e.Type), Object: runtime.RawExtension{Object: e.Object}})
		}
	}
}
