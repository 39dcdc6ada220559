package kube

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/kinds"
)

// stuckAfter is how long Kubernetes may fail to empty a namespace until nobody waits
// for it any more: an API's backend that restarts is back by then.
const stuckAfter = time.Minute

// stuckConditions lists those with which Kubernetes itself fails to look into a
// namespace or to empty it. The others tell of content that may yet go.
var stuckConditions = []string{string(corev1.NamespaceDeletionDiscoveryFailure), string(corev1.NamespaceDeletionGVParsingFailure), string(corev1.NamespaceDeletionContentFailure)}

// fails returns whether a namespace has one of these conditions.
func fails(obj *unstructured.Unstructured, conditions ...string) bool {
	with, err := status.GetObjectWithConditions(obj.Object)
	return err == nil && obj.GetKind() == kinds.Namespaces.Kind && slices.ContainsFunc(with.Status.Conditions, func(c status.BasicCondition) bool {
		return c.Status == corev1.ConditionTrue && slices.Contains(conditions, c.Type)
	})
}

// remedy tells what a person can do about a namespace that Kubernetes cannot look into.
func remedy(obj *unstructured.Unstructured) string {
	if !fails(obj, string(corev1.NamespaceDeletionDiscoveryFailure)) {
		return ""
	}
	return " (it goes by itself once that API answers or its APIService is removed; `kubectl get apiservices` lists them)"
}

// WaitNamespacesGone waits until none of these namespaces is there. The heartbeat and the
// error tell what keeps them. It ends early with a *DeadEndError where Kubernetes has long
// failed to empty one.
func (w *Writer) WaitNamespacesGone(ctx context.Context, objs ...*unstructured.Unstructured) error {
	patience := &patience{}
	var all []Watched
	for _, obj := range objs {
		all = append(all, Watched{Resource: kinds.Namespaces, Name: obj.GetName()})
	}
	return w.Wait(ctx, func(ctx context.Context) (string, bool, error) {
		left := map[string][]string{} // by what keeps them
		for _, obj := range objs {
			live, err := w.Find(ctx, kinds.Namespaces, obj)
			if err != nil {
				return "", false, err
			}
			if live == nil {
				continue
			}
			if err := patience.endsWith(live); err != nil {
				return "", false, err
			}
			left[Kept(live)] = append(left[Kept(live)], obj.GetName())
		}
		return stillThere(left), len(left) == 0, nil
	}, all...)
}

// stillThere says which namespaces are being deleted, and what keeps them.
func stillThere(left map[string][]string) string {
	var out []string
	for _, kept := range slices.Sorted(maps.Keys(left)) {
		what, are := "Namespace ", " is"
		if len(left[kept]) > 1 {
			what, are = "Namespaces ", " are"
		}
		out = append(out, what+listed(left[kept])+are+" still being deleted"+kept)
	}
	return strings.Join(out, "; ")
}

// patience ends a wait for namespaces that Kubernetes has failed to empty for long. The
// zero value has just begun.
type patience struct{ since map[string]time.Time }

func (p *patience) endsWith(obj *unstructured.Unstructured) error {
	name := obj.GetName()
	if !fails(obj, stuckConditions...) {
		delete(p.since, name)
		return nil
	}
	if p.since == nil {
		p.since = map[string]time.Time{}
	}
	first, ok := p.since[name]
	if !ok {
		p.since[name] = time.Now()
		return nil
	}
	if time.Since(first) < stuckAfter {
		return nil
	}
	return &DeadEndError{"Namespace " + name + " is still being deleted" + Kept(obj) + "; clean up again after that"}
}
