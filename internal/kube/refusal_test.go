package kube_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/landbridge/landbridge/internal/kube"
)

func forbidden(why string) *apierrors.StatusError {
	return apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "gw", errors.New(why))
}

// denied returns what an admission webhook's refusal becomes.
func denied(code int32, reason metav1.StatusReason) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason,
		Message: `admission webhook "policy.acme.test" denied the request: User "worker" cannot create resource "services" here`}}
}

func TestDeniedByAdmission_EveryPluginButNoMissingRight(t *testing.T) {
	policy := forbidden("ValidatingAdmissionPolicy 'names' with binding 'all' denied request: no such name")
	policy.ErrStatus.Reason, policy.ErrStatus.Code = metav1.StatusReasonForbidden, http.StatusForbidden
	front := apierrors.NewGenericServerResponse(http.StatusForbidden, "POST", schema.GroupResource{Resource: "services"}, "gw", "<html>no</html>", 0, true)
	for what, c := range map[string]struct {
		err  error
		want bool
	}{
		"a quota":                     {forbidden("exceeded quota: lb, requested: services.loadbalancers=1, used: services.loadbalancers=0, limited: services.loadbalancers=0"), true},
		"pod security":                {forbidden(`violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "x" must set securityContext.allowPrivilegeEscalation=false)`), true},
		"OpenShift's constraints":     {forbidden("unable to validate against any security context constraint: []"), true},
		"a plugin":                    {forbidden("Use of external IPs is denied by admission control"), true},
		"a policy":                    {policy, true},
		"a webhook":                   {denied(http.StatusForbidden, metav1.StatusReasonForbidden), true},
		"a webhook without reason":    {denied(http.StatusBadRequest, ""), true},
		"a webhook with its own code": {denied(http.StatusConflict, metav1.StatusReasonConflict), true},
		"a busy webhook":              {denied(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests), false},
		"a right":                     {forbidden(`User "worker" cannot create resource "services" in API group "" in the namespace "istio-system"`), false},
		"a right and its rule":        {forbidden(`User "a@b.test" cannot patch resource "services" in API group "" in the namespace "x": requires one of ["container.services.update"] permission(s).`), false},
		"a right of a quoted name":    {forbidden(`User "a\"b" cannot get path "/version"`), false},
		"a right to grant":            {forbidden("user \"worker\" (groups=[\"x\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"]}"), false},
		"a right to own":              {forbidden("cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>"), false},
		"a front":                     {front, false},
		"no refusal":                  {apierrors.NewConflict(schema.GroupResource{}, "x", errors.New("y")), false},
		"no answer":                   {errors.New("connection refused"), false},
	} {
		require.Equal(t, c.want, kube.DeniedByAdmission(fmt.Errorf("apply: %w", c.err)), what)
	}
}
