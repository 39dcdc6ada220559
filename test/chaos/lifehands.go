package main

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/landbridge/landbridge/internal/fleet"
)

// What people do with kubectl behind the fleet's back.

// ours names a few kinds that a member or a link has, in Istio's namespace.
var ours = []schema.GroupVersionResource{
	{Group: "networking.istio.io", Version: "v1", Resource: "gateways"}, {Group: "networking.istio.io", Version: "v1", Resource: "serviceentries"},
	{Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"}}

// one draws an object of the fleet's in a member, and returns the client for it.
func (l *life) one(ctx context.Context, from []schema.GroupVersionResource) (dynamic.ResourceInterface, string, error) {
	dyn, err := l.dynamic(l.member())
	if err != nil {
		return nil, "", err
	}
	of := dyn.Resource(from[l.random.IntN(len(from))]).Namespace("istio-system")
	list, err := of.List(ctx, metav1.ListOptions{LabelSelector: "landbridge.dev/fleet=" + l.fleetName})
	if err != nil || len(list.Items) == 0 {
		return nil, "", fmt.Errorf("nothing of the fleet is there: %w", err)
	}
	return of, list.Items[l.random.IntN(len(list.Items))].GetName(), nil
}

// deleted deletes an object of the fleet's. Drift shows it, and a rollout makes it anew.
func deleted(ctx context.Context, l *life) error {
	of, name, err := l.one(ctx, ours)
	if err != nil {
		return err
	}
	if err := of.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	if err := l.says(ctx, 3, name, "drift", "-f", l.file); err != nil {
		return err
	}
	return l.apply(ctx)
}

// changedByHand adds a host to a Gateway, as a person with kubectl does. Only
// --force-conflicts removes it.
func changedByHand(ctx context.Context, l *life) error {
	of, name, err := l.one(ctx, ours[:1])
	if err != nil {
		return err
	}
	patch := []byte(`[{"op":"replace","path":"/spec/servers/0/hosts","value":["*.by-hand.example"]}]`)
	if _, err := of.Patch(ctx, name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: "kubectl-patch"}); err != nil {
		return err
	}
	if err := l.says(ctx, 3, name, "drift", "-f", l.file); err != nil {
		return err
	}
	return l.apply(ctx, "--force-conflicts", "--yes")
}

// scheduled has a schedule find what was deleted by hand, and make it anew.
func scheduled(ctx context.Context, l *life) error {
	if err := l.says(ctx, 0, "", "schedule", "-f", l.file, "--every", "12h", "--self-heal"); err != nil {
		return err
	}
	of, name, err := l.one(ctx, ours)
	if err != nil {
		return err
	}
	if err := of.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	c, err := l.temporal()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.ScheduleClient().GetHandle(ctx, fleet.WorkflowID(l.fleetName)+".drift").Trigger(ctx, client.ScheduleTriggerOptions{}); err != nil {
		return err
	}
	if err := until(ctx, caseLimit, func() error { return l.says(ctx, 0, "drift, repaired", "schedule", "show", l.fleetName) }); err != nil {
		return err
	}
	return l.says(ctx, 0, "", "schedule", "delete", l.fleetName)
}
