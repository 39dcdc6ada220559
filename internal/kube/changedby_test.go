package kube

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
)

func TestChangedBy_IsWhoHasTheField_OrWroteLast(t *testing.T) {
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	by := func(manager, fields, subresource string, minute int) metav1.ManagedFieldsEntry {
		at := metav1.NewTime(noon.Add(time.Duration(minute) * time.Minute))
		return metav1.ManagedFieldsEntry{Manager: manager, Subresource: subresource, Time: &at, FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(fields)}}
	}
	live := &unstructured.Unstructured{Object: map[string]any{}}
	live.SetManagedFields([]metav1.ManagedFieldsEntry{
		by(FieldManager, `{"f:spec":{"f:type":{}}}`, "", 0),
		by("kubectl-edit", `{"f:spec":{"f:ports":{"k:{\"port\":443,\"protocol\":\"TCP\"}":{".":{},"f:targetPort":{}}}}}`, "", 1),
		by("kubectl-label", `{"f:metadata":{"f:labels":{"f:app.kubernetes.io/name":{}}}}`, "", 2),
		by("controller", `{"f:status":{"f:loadBalancer":{}}}`, "status", 3),
	})
	at := func(manager string, minute int) fleet.ChangedBy {
		return fleet.ChangedBy{With: manager, At: noon.Add(time.Duration(minute) * time.Minute)}
	}
	for field, want := range map[string]fleet.ChangedBy{
		"spec.ports[0].targetPort":               at("kubectl-edit", 1),
		"spec.ports":                             at("kubectl-edit", 1),
		"metadata.labels.app.kubernetes.io/name": at("kubectl-label", 2),
		"spec.selector":                          at("kubectl-label", 2), // it was removed: nobody has it
		"status.loadBalancer":                    at("kubectl-label", 2), // no person's request
	} {
		require.Equal(t, want, ChangedBy(live, []string{field}), field)
	}
	require.Equal(t, at("kubectl-edit", 1), ChangedBy(live, []string{"spec.selector", "spec.ports[0]"}))
	live.SetManagedFields(nil)
	require.Zero(t, ChangedBy(live, []string{"spec"}))
}
