package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	networking "istio.io/client-go/pkg/apis/networking/v1"
	security "istio.io/client-go/pkg/apis/security/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// exclusive lists the kinds that decide who may do what and what leads where, with the parts that
// are Landbridge's alone. A field more than Landbridge sets turns the meaning of such an object
// around: an action DENY where ALLOW is the default, one more label in a selector, a second
// cluster in a remote secret. Of any other kind platforms and clouds fill in fields.
var exclusive = map[kinds.Resource]struct {
	as    any // its type
	parts []string
}{
	kinds.AuthorizationPolicies: {security.AuthorizationPolicy{}, []string{"spec"}},
	kinds.IstioGateways:         {networking.Gateway{}, []string{"spec"}},
	kinds.VirtualServices:       {networking.VirtualService{}, []string{"spec"}},
	kinds.DestinationRules:      {networking.DestinationRule{}, []string{"spec"}},
	kinds.ServiceEntries:        {networking.ServiceEntry{}, []string{"spec"}},
	kinds.NetworkPolicies:       {networkingv1.NetworkPolicy{}, []string{"spec"}},
	kinds.Roles:                 {rbacv1.Role{}, []string{"rules"}},
	kinds.ClusterRoles:          {rbacv1.ClusterRole{}, []string{"rules", "aggregationRule"}},
	kinds.RoleBindings:          {rbacv1.RoleBinding{}, []string{"subjects"}},
	kinds.ClusterRoleBindings:   {rbacv1.ClusterRoleBinding{}, []string{"subjects"}},
	kinds.Secrets:               {corev1.Secret{}, []string{"data"}},
}

// addition is a field that somebody added to an object of Landbridge's.
type addition struct {
	// at is the path as people read it.
	at string
	// keys lead to the field, or to the list that has it: server-side apply replaces a list as
	// a whole.
	keys   []string
	inList bool
	value  any
	// foreign says that somebody else set it, or what has it, as a whole.
	foreign bool
}

// additions lists what somebody else added to the exclusive parts of a live object. What nobody
// set, such as a default of the API server, is no addition, nor is a default that is written out.
func additions(res kinds.Resource, live, want *unstructured.Unstructured) []addition {
	kind, is := exclusive[res]
	if !is || live == nil {
		return nil
	}
	a, o := &adding{}, ownersOf(live)
	if o.others.Empty() {
		return nil // as nearly every object is
	}
	there, wanted := canonical(live, kind.as), canonical(want, kind.as)
	for _, part := range kind.parts {
		if res == kinds.Secrets && isEmpty(wanted[part]) {
			continue // Kubernetes fills in the Secret of a token
		}
		a.fields(map[string]any{part: there[part]}, map[string]any{part: wanted[part]}, o, addition{})
	}
	return a.found
}

// canonical returns an object as its type writes it: without defaults that are written out, and
// without fields that the type does not have.
func canonical(obj *unstructured.Unstructured, as any) map[string]any {
	typed := reflect.New(reflect.TypeOf(as)).Interface()
	data, err := json.Marshal(obj.Object)
	if err == nil && json.Unmarshal(data, typed) == nil {
		if out, ok := viaJSON(typed).(map[string]any); ok {
			return out
		}
	}
	out, _ := viaJSON(obj.Object).(map[string]any)
	return out
}

type adding struct{ found []addition }

// fields compares a part of an object.
func (a *adding) fields(live, want any, o owners, at addition) {
	switch l := live.(type) {
	case map[string]any:
		w, _ := want.(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(l)) {
			a.member(l, w, k, o, at)
		}
	case []any:
		w, _ := want.([]any)
		for i := range min(len(l), len(w)) { // another length is another value, which difference names
			below := at
			below.at, below.inList = fmt.Sprintf("%s[%d]", at.at, i), true
			a.fields(l[i], w[i], owners{fieldpath.NewSet(), fieldpath.NewSet()}, below)
		}
	}
}

func (a *adding) member(live, want map[string]any, key string, o owners, at addition) {
	pe := fieldpath.FieldNameElement(key)
	below := owners{o.ours.WithPrefix(pe), o.others.WithPrefix(pe)}
	at.foreign = at.foreign || o.others.Members.Has(pe) && !o.ours.Members.Has(pe)
	at.at, at.value = at.at+"."+key, live[key]
	if !at.inList {
		at.keys = append(slices.Clone(at.keys), key)
	}
	if w, wanted := want[key]; wanted && !isEmpty(w) {
		a.fields(live[key], w, below, at)
		return
	}
	if !isEmpty(live[key]) && (at.foreign || !below.others.Empty()) {
		at.at = orObject(at.at)
		a.found = append(a.found, at)
	}
}

// NoteTouched notes on the change of a Secret, whose wanted content is not known here, what somebody
// else did to it since Landbridge wrote it: set or removed a key, or added another. written is the
// Secret as Landbridge writes it, with what is in the live one. A backup that is put back changes
// who set the keys, and nothing else.
func (w *Writer) NoteTouched(ch *fleet.Change, live *unstructured.Unstructured, written *corev1.Secret) error {
	obj, res, err := w.labelled(written)
	if err != nil {
		return err
	}
	hash, err := digest(obj)
	if err != nil {
		return err
	}
	touched := paths(additions(res, live, obj))
	if live.GetAnnotations()[fleet.AnnotationApplied] != hash {
		unknown := map[string]any{}
		for key := range written.Data {
			unknown[key] = "?"
		}
		touched = append(Strayed(live, map[string]any{"data": unknown}), touched...)
	}
	if len(touched) > 0 {
		ch.Action, ch.Note, ch.Drift, ch.ChangedBy = fleet.Update, touched[0], true, ChangedBy(live, touched)
	}
	return nil
}

// paths returns the additions as people read them.
func paths(added []addition) (out []string) {
	for _, a := range added {
		out = append(out, a.at)
	}
	return out
}

// fieldsOfAdded shows what somebody added as fields that go.
func fieldsOfAdded(res kinds.Resource, added []addition) (out []fleet.Field) {
	for _, a := range added {
		out = append(out, fleet.Field{Path: a.at, From: shown(a.value, res == kinds.Secrets)})
	}
	return out
}

// takeOut removes what somebody added, from exactly the object that was read. Server-side apply
// leaves to others what they alone set.
func (w *Writer) takeOut(ctx context.Context, res kinds.Resource, live *unstructured.Unstructured, added []addition) error {
	patch := map[string]any{}
	for _, a := range added {
		if !a.inList {
			if err := unstructured.SetNestedField(patch, nil, a.keys...); err != nil {
				return err
			}
		}
	}
	if len(patch) == 0 {
		return nil
	}
	patch["metadata"] = map[string]any{"uid": string(live.GetUID()), "resourceVersion": live.GetResourceVersion()}
	data, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = w.In(res, live.GetNamespace()).Patch(ctx, live.GetName(), types.MergePatchType, data, metav1.PatchOptions{FieldManager: FieldManager})
	if err != nil {
		return fmt.Errorf("remove %s from %s %s: %w", strings.Join(paths(added), ", "), res.Kind, path(live.GetNamespace(), live.GetName()), err)
	}
	return nil
}
