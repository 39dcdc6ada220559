package chart

import (
	"context"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/landbridge/landbridge/internal/kube"
)

// removedForAnew deletes the object for which an upgrade failed, where that is one of the
// release's own with a field that cannot be changed in place: the next upgrade makes what
// is missing. It returns whether it did.
func (r *Releases) removedForAnew(ctx context.Context, rel *release.Release, failed error) bool {
	refused := r.seen.refusal.Load()
	if failed == nil || r.w.DryRun || refused == nil || !apierrors.IsInvalid(refused) || refused.ErrStatus.Details == nil {
		return false
	}
	about := refused.ErrStatus.Details
	removed := false
	_ = r.each(rel.Manifest, func(o *resource.Info) error {
		kind := o.Mapping.GroupVersionKind.Kind
		if removed || kind != about.Kind || o.Name != about.Name || !immutable(refused.ErrStatus) {
			return nil
		}
		policy := metav1.DeletePropagationBackground
		_, err := resource.NewHelper(o.Client, o.Mapping).DeleteWithOptions(o.Namespace, o.Name, &metav1.DeleteOptions{PropagationPolicy: &policy})
		if err != nil {
			return err
		}
		removed = kube.Poll(ctx, func(context.Context) (string, bool, error) {
			_, err := resource.NewHelper(o.Client, o.Mapping).Get(o.Namespace, o.Name)
			if apierrors.IsNotFound(err) {
				return "", true, nil
			}
			return fmt.Sprintf("%s %s is made anew; it is still being deleted", kind, o.Name), false, err
		}) == nil
		return nil
	})
	return removed
}

// immutable recognizes the API server's words for a field that cannot be changed: it has
// no reason of its own for that.
func immutable(status metav1.Status) bool {
	for _, c := range status.Details.Causes {
		for _, words := range []string{"field is immutable", "may not change once set", "cannot change roleRef"} {
			if strings.Contains(c.Message, words) {
				return true
			}
		}
	}
	return false
}

// noteAnew says in a plan which objects of a release an upgrade would make anew.
func (r *Releases) noteAnew(manifest string) (map[key]string, error) {
	out := map[key]string{}
	err := r.each(manifest, func(o *resource.Info) error {
		kind := o.Mapping.GroupVersionKind.Kind
		live, err := resource.NewHelper(o.Client, o.Mapping).Get(o.Namespace, o.Name)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look at %s %s: %w", kind, o.Name, err)
		}
		is, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
		if err != nil {
			return err
		}
		want, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o.Object)
		if err != nil {
			return err
		}
		if field := kube.Fixed(kind, is, want); field != "" {
			out[key{kind, o.Name}] = kube.MadeAnew(field)
		}
		return nil
	})
	return out, err
}

// each calls look for every object of a manifest.
func (r *Releases) each(manifest string, look func(*resource.Info) error) error {
	objs, err := r.cfg.KubeClient.Build(strings.NewReader(manifest), false)
	if err != nil {
		return fmt.Errorf("read the release's manifest: %w", err)
	}
	for _, o := range objs {
		if err := look(o); err != nil {
			return err
		}
	}
	return nil
}
