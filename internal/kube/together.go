package kube

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/kinds"
)

// mostTogether limits how many objects of a kind are read of the whole cluster to look into
// several namespaces at once. Where there are more, each namespace is read by itself.
const mostTogether = 200

// wholeCluster holds what was read of the whole cluster, by kind, to look into several
// namespaces that are removed at the same time.
type wholeCluster struct {
	deletable []kinds.Resource
	// read has the objects of a kind; a kind that has to be read by namespace has none.
	read map[kinds.Resource][]unstructured.Unstructured
	// tried lists the kinds that were read.
	tried []kinds.Resource
	// refused says that the worker may not read the whole cluster.
	refused bool
}

// LookTogether makes Unmanaged read most kinds once for all namespaces that this writer looks into
// from now on. They are to be removed at once: what is put into one later is not seen.
func (w *Writer) LookTogether() {
	w.together = &wholeCluster{read: map[kinds.Resource][]unstructured.Unstructured{}}
}

// kindsToLookAt lists the kinds that deletable does, once where namespaces are looked into together.
func (w *Writer) kindsToLookAt() ([]kinds.Resource, error) {
	if w.together == nil {
		return w.deletable()
	}
	if w.together.deletable == nil {
		all, err := w.deletable()
		if err != nil {
			return nil, err
		}
		w.together.deletable = all
	}
	return w.together.deletable, nil
}

// objectsIn lists the objects of a kind in a namespace. Nobody's Secrets are read but those of
// the namespace. The error is Kubernetes' own.
func (w *Writer) objectsIn(ctx context.Context, r kinds.Resource, namespace string) ([]unstructured.Unstructured, error) {
	if all, ok := w.everywhere(ctx, r); ok {
		return slices.DeleteFunc(slices.Clone(all), func(o unstructured.Unstructured) bool { return o.GetNamespace() != namespace }), nil
	}
	list, err := w.In(r, namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// everywhere returns the objects of a kind in the whole cluster, where namespaces are looked into
// together, the worker may read that, and they are few.
func (w *Writer) everywhere(ctx context.Context, r kinds.Resource) ([]unstructured.Unstructured, bool) {
	if w.together == nil || w.together.refused || r.Resource == kinds.Secrets.Resource {
		return nil, false
	}
	if !slices.Contains(w.together.tried, r) {
		w.together.tried = append(w.together.tried, r)
		list, err := w.In(r, "").List(ctx, metav1.ListOptions{Limit: mostTogether})
		if w.together.refused = apierrors.IsForbidden(err); err == nil && list.GetContinue() == "" {
			w.together.read[r] = list.Items
		}
	}
	all, ok := w.together.read[r]
	return all, ok
}
