package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/landbridge/landbridge/internal/kinds"
)

// A look of a wait reads what the watches of that wait have told instead of asking the API
// server again, and learns from it that something still waits. A watch says nothing of what it has yet
// to tell, and may begin with a state of a moment ago: so nothing ends by it.

type toldKey struct{}

// told lets one look read what the watches told; used says that it did.
type told struct {
	by   *watches
	used bool
}

// askAgain is how long a wait relies on its watches: an API server's cache, from which it
// serves them, can stand still.
const askAgain = 15 * time.Second

// look looks once: at what the watches told where they told something, and at the API server
// where that would end the wait, or where it has not been asked for long.
func (w *watches) look(ctx context.Context, look Look) (waiting string, done bool, err error) {
	if !w.asked.IsZero() { // nothing but the first look may rely on what its activity has just read
		ctx = anew(ctx)
	}
	if w.told.Load() && time.Since(w.asked) < askAgain {
		t := &told{by: w}
		waiting, done, err = look(context.WithValue(ctx, toldKey{}, t))
		if !t.used || !done && err == nil {
			return waiting, done, err
		}
	}
	w.asked = time.Now()
	return look(ctx)
}

// note remembers what a watch tells. What was deleted it remembers as nil.
func (w *watches) note(of Watched, event watch.Event) {
	obj, ok := event.Object.(*unstructured.Unstructured)
	if !ok || event.Type == watch.Bookmark {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[Watched]map[string]*unstructured.Unstructured{}
	}
	if w.seen[of] == nil {
		w.seen[of] = map[string]*unstructured.Unstructured{}
	}
	key := path(obj.GetNamespace(), obj.GetName())
	if w.seen[of][key] = obj; event.Type == watch.Deleted {
		w.seen[of][key] = nil
	}
}

// forget drops what a watch has told when it ends: nobody knows what happens from then on.
func (w *watches) forget(of Watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.seen, of)
}

// object returns an object that a watch has told of, with NotFound where it told that the
// object is gone, or neither where none told of it.
func (w *watches) object(res kinds.Resource, namespace, name string) (*unstructured.Unstructured, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for of, objs := range w.seen {
		if of.Resource != res {
			continue
		}
		switch obj, told := objs[path(namespace, name)]; {
		case obj != nil:
			return obj.DeepCopy(), nil
		case told:
			return nil, apierrors.NewNotFound(res.GroupResource(), name)
		}
	}
	return nil, nil
}

// list returns the objects that one watch of the whole kind, or of a label that the selector
// has, told of so far, and whether there is such a watch.
func (w *watches) list(res kinds.Resource, namespace, selector string) (out []unstructured.Unstructured, watched bool) {
	wanted, err := labels.Parse(selector)
	if err != nil {
		return nil, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for of, objs := range w.seen {
		if of.Resource != res || of.Name != "" || of.Namespace != "" && of.Namespace != namespace || !within(selector, of.Labels) {
			continue
		}
		for _, obj := range objs {
			if obj != nil && (namespace == "" || obj.GetNamespace() == namespace) && wanted.Matches(labels.Set(obj.GetLabels())) {
				out = append(out, *obj.DeepCopy())
			}
		}
		return out, true
	}
	return nil, false
}

// within returns whether whatever has the labels of the one selector has those of the other.
func within(selector, of string) bool {
	has, err := labels.ConvertSelectorToLabelsMap(selector)
	needs, failed := labels.ConvertSelectorToLabelsMap(of)
	return err == nil && failed == nil && !labels.Conflicts(has, needs) && len(labels.Merge(has, needs)) == len(has)
}

// Get reads one object. The error is Kubernetes' own.
func (c *Cluster) Get(ctx context.Context, res kinds.Resource, namespace, name string) (*unstructured.Unstructured, error) {
	if t, _ := ctx.Value(toldKey{}).(*told); t != nil && t.by.cluster == c {
		if obj, err := t.by.object(res, namespace, name); obj != nil || err != nil {
			t.used = true
			return obj, err
		}
	}
	return c.In(res, namespace).Get(ctx, name, metav1.GetOptions{})
}

// List reads the objects of a kind that have some labels, or all of them. The error is
// Kubernetes' own.
func (c *Cluster) List(ctx context.Context, res kinds.Resource, namespace, selector string) ([]unstructured.Unstructured, error) {
	if t, _ := ctx.Value(toldKey{}).(*told); t != nil && t.by.cluster == c {
		if objs, watched := t.by.list(res, namespace, selector); watched {
			t.used = true
			return objs, nil
		}
	}
	list, err := c.In(res, namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}
