package kubetest

import (
	"fmt"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// store keeps the objects of both clients, each as client-go's type where there is
// one. It adds to client-go's tracker what the code under test relies on: UIDs,
// deletions of exactly one object, and finalizers.
type store struct {
	clienttesting.ObjectTracker
	scheme *runtime.Scheme
}

func newStore(scheme *runtime.Scheme) *store {
	return &store{clienttesting.NewFieldManagedObjectTracker(scheme, serializer.NewCodecFactory(scheme).UniversalDecoder(),
		eitherType{applyconfigurations.NewTypeConverter(scheme), managedfields.NewDeducedTypeConverter()}), scheme}
}

// guessed returns the name that the tracker has for a resource: it makes plurals
// of kinds by itself, and wrong ones of some.
func guessed(gvr schema.GroupVersionResource) schema.GroupVersionResource {
	for _, r := range untyped {
		if r.GroupVersionResource == gvr {
			gvr, _ = meta.UnsafeGuessKindToResource(r.GroupVersion().WithKind(r.Kind))
			return gvr
		}
	}
	return gvr
}

// asStored returns the object as its type, with an identity.
func (s *store) asStored(obj runtime.Object) (runtime.Object, error) {
	obj = obj.DeepCopyObject()
	if u, ok := obj.(*unstructured.Unstructured); ok {
		known, err := s.scheme.New(u.GroupVersionKind())
		if err != nil {
			return nil, fmt.Errorf("kubetest knows no kind %s", u.GroupVersionKind())
		}
		if _, stays := known.(*unstructured.Unstructured); !stays {
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, known); err != nil {
				return nil, err
			}
			obj = known
		}
	}
	identify(obj)
	return obj, nil
}

func identify(obj runtime.Object) {
	if m, err := meta.Accessor(obj); err == nil && m.GetUID() == "" {
		m.SetUID(types.UID(uuid.NewString()))
		m.SetCreationTimestamp(metav1.Now())
	}
}

// put adds or replaces an object.
func (s *store) put(obj runtime.Object) error {
	obj, at, err := s.located(obj)
	if err != nil {
		return err
	}
	if err := s.ObjectTracker.Update(at.gvr, obj, at.namespace); !apierrors.IsNotFound(err) {
		return err
	}
	return s.ObjectTracker.Create(at.gvr, obj, at.namespace)
}

// admit replaces an object past the field managers.
func (s *store) admit(obj runtime.Object) error {
	obj, at, err := s.located(obj)
	if err != nil {
		return err
	}
	if err := s.ObjectTracker.Delete(at.gvr, at.namespace, at.name); err != nil {
		return err
	}
	return s.ObjectTracker.Add(obj)
}

// location tells where an object is kept.
type location struct {
	gvr             schema.GroupVersionResource
	namespace, name string
}

// located returns an object as it is stored, and where.
func (s *store) located(obj runtime.Object) (runtime.Object, location, error) {
	obj, err := s.asStored(obj)
	if err != nil {
		return nil, location{}, err
	}
	gvks, _, err := s.scheme.ObjectKinds(obj)
	if err != nil {
		return nil, location{}, err
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		return nil, location{}, err
	}
	gvr, _ := meta.UnsafeGuessKindToResource(gvks[0])
	return obj, location{gvr, m.GetNamespace(), m.GetName()}, nil
}

func (s *store) Get(gvr schema.GroupVersionResource, ns, name string, opts ...metav1.GetOptions) (runtime.Object, error) {
	obj, err := s.ObjectTracker.Get(guessed(gvr), ns, name, opts...)
	if err == nil {
		restoreKind(gvr, obj)
	}
	return obj, err
}

func (s *store) List(gvr schema.GroupVersionResource, gvk schema.GroupVersionKind, ns string, opts ...metav1.ListOptions) (runtime.Object, error) {
	list, err := s.ObjectTracker.List(guessed(gvr), gvk, ns, opts...)
	if u, ok := list.(*unstructured.UnstructuredList); ok && err == nil {
		for i := range u.Items {
			restoreKind(gvr, &u.Items[i])
		}
	}
	return list, err
}

// restoreKind gives an object the kind that its resource has: server-side apply
// converts it by its Go type, which is the same for all kinds without one of
// client-go's.
func restoreKind(gvr schema.GroupVersionResource, obj runtime.Object) {
	for _, r := range untyped {
		if r.GroupVersionResource == gvr {
			obj.GetObjectKind().SetGroupVersionKind(r.GroupVersion().WithKind(r.Kind))
		}
	}
}

func (s *store) Create(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.CreateOptions) error {
	obj, err := s.asStored(obj)
	if err != nil {
		return err
	}
	return s.ObjectTracker.Create(guessed(gvr), obj, ns, opts...)
}

func (s *store) Apply(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.PatchOptions) error {
	m, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	if _, err := s.Get(gvr, ns, m.GetName()); apierrors.IsNotFound(err) {
		identify(obj)
	}
	return s.ObjectTracker.Apply(guessed(gvr), obj, ns, opts...)
}

// Update goes on to remove an object that only its finalizers kept.
func (s *store) Update(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.UpdateOptions) error {
	obj, err := s.asStored(obj)
	if err != nil {
		return err
	}
	if m, err := meta.Accessor(obj); err == nil && m.GetDeletionTimestamp() != nil && len(m.GetFinalizers()) == 0 {
		return s.ObjectTracker.Delete(guessed(gvr), ns, m.GetName())
	}
	return s.ObjectTracker.Update(guessed(gvr), obj, ns, opts...)
}

func (s *store) Patch(gvr schema.GroupVersionResource, obj runtime.Object, ns string, opts ...metav1.PatchOptions) error {
	obj, err := s.asStored(obj)
	if err != nil {
		return err
	}
	return s.ObjectTracker.Patch(guessed(gvr), obj, ns, opts...)
}

// Delete removes an object at once, or marks it where finalizers hold it.
func (s *store) Delete(gvr schema.GroupVersionResource, ns, name string, opts ...metav1.DeleteOptions) error {
	obj, err := s.Get(gvr, ns, name)
	if err != nil {
		return err
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	for _, o := range opts {
		if o.Preconditions != nil && o.Preconditions.UID != nil && *o.Preconditions.UID != m.GetUID() {
			return apierrors.NewConflict(gvr.GroupResource(), name, fmt.Errorf("the UID is %s", m.GetUID()))
		}
	}
	if len(m.GetFinalizers()) == 0 {
		return s.ObjectTracker.Delete(guessed(gvr), ns, name, opts...)
	}
	now := metav1.Now()
	m.SetDeletionTimestamp(&now)
	return s.ObjectTracker.Update(guessed(gvr), obj, ns)
}

// eitherType knows the fields of client-go's types, and deduces those of others.
type eitherType struct{ known, deduced managedfields.TypeConverter }

func (e eitherType) ObjectToTyped(obj runtime.Object, opts ...typed.ValidationOptions) (*typed.TypedValue, error) {
	if v, err := e.known.ObjectToTyped(obj, opts...); err == nil {
		return v, nil
	}
	return e.deduced.ObjectToTyped(obj, opts...)
}

func (e eitherType) TypedToObject(v *typed.TypedValue) (runtime.Object, error) {
	return e.deduced.TypedToObject(v)
}
