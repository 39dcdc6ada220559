package chart

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// readOnce reads the Secrets in which Helm keeps releases once for all of a release's steps:
// each of Helm's actions reads them anew, several times. It knows what it has read, and
// what it has written since. After a write that failed it knows nothing.
type readOnce struct {
	client.SecretInterface
	// known has the Secrets by name, and lists has the labels of each list that was read.
	known map[string]*corev1.Secret
	lists []labels.Set
}

// List implements client.SecretInterface.
func (r *readOnce) List(ctx context.Context, o metav1.ListOptions) (*corev1.SecretList, error) {
	wanted, err := labels.ConvertSelectorToLabelsMap(o.LabelSelector)
	if err != nil || o.FieldSelector != "" || o.Limit > 0 {
		return r.SecretInterface.List(ctx, o)
	}
	if !slices.ContainsFunc(r.lists, func(had labels.Set) bool { return had.AsSelector().Matches(wanted) }) {
		list, err := r.SecretInterface.List(ctx, o)
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			r.know(&list.Items[i])
		}
		r.lists = append(r.lists, wanted)
	}
	out := &corev1.SecretList{}
	for _, name := range slices.Sorted(maps.Keys(r.known)) {
		if s := r.known[name]; wanted.AsSelector().Matches(labels.Set(s.Labels)) {
			out.Items = append(out.Items, *s.DeepCopy())
		}
	}
	return out, nil
}

// Get implements client.SecretInterface.
func (r *readOnce) Get(ctx context.Context, name string, o metav1.GetOptions) (*corev1.Secret, error) {
	if s := r.known[name]; s != nil {
		return s.DeepCopy(), nil
	}
	return r.SecretInterface.Get(ctx, name, o)
}

// Create implements client.SecretInterface.
func (r *readOnce) Create(ctx context.Context, s *corev1.Secret, o metav1.CreateOptions) (*corev1.Secret, error) {
	return r.written(r.SecretInterface.Create(ctx, s, o))
}

// Update implements client.SecretInterface.
func (r *readOnce) Update(ctx context.Context, s *corev1.Secret, o metav1.UpdateOptions) (*corev1.Secret, error) {
	return r.written(r.SecretInterface.Update(ctx, s, o))
}

// Delete implements client.SecretInterface.
func (r *readOnce) Delete(ctx context.Context, name string, o metav1.DeleteOptions) error {
	err := r.SecretInterface.Delete(ctx, name, o)
	if delete(r.known, name); err != nil && !apierrors.IsNotFound(err) {
		r.forget()
	}
	return err
}

func (r *readOnce) written(s *corev1.Secret, err error) (*corev1.Secret, error) {
	if err != nil {
		r.forget()
		return nil, err
	}
	r.know(s)
	return s, nil
}

func (r *readOnce) know(s *corev1.Secret) {
	if r.known == nil {
		r.known = map[string]*corev1.Secret{}
	}
	r.known[s.Name] = s.DeepCopy()
}

func (r *readOnce) forget() { r.known, r.lists = nil, nil }
