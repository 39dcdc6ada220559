package activities

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/notify"
	"github.com/landbridge/landbridge/internal/sources"
)

// examples has an error for each class, in the order of errorClasses, and then some
// of no class.
var examples = []error{
	&kube.NotOursError{Kind: "Secret", Name: "x"},
	&kube.DriftError{Kind: "Secret", Name: "x"},
	&kube.KubeconfigError{Reason: "x"},
	&url.Error{Op: "Get", URL: "https://x", Err: &kube.PluginError{Command: "aws", Reason: "x", Final: true}},
	&inventory.OtherFleetError{Cluster: "west", Fleet: "b"},
	&inventory.OtherMemberError{Cluster: "west-1", Is: "west"},
	&inventory.UntrustedError{Reason: "x"},
	&inventory.LockedError{Cluster: "west"},
	&inventory.GoneError{Cluster: "west"},
	&chart.SourceError{Reason: "x"},
	&chart.ValuesError{Reason: "x"},
	&UnprovenError{"x"},
	&kube.DeadEndError{Reason: "x"},
	&inventory.DamagedError{Cluster: "west", Cause: errors.New("x")},
	&LoadBalancerError{"x"},
	&RootError{"x"},
	&UnknownChannelError{"landbridge", "oncall"},
	&sources.InvalidError{Problems: []string{"Secret argocd/a: no"}},
	&notify.RefusedError{},
	&notify.FailedError{},
	&certs.IssuerError{Reason: "x", Later: true},
	&certs.IssuerError{Reason: "x"},
	&kube.NotReadyError{Waiting: "x"},
	terminating(),
	apierrors.NewForbidden(someServices, "x", errors.New("status unknown for quota: lb, resources: services.loadbalancers")),
	apierrors.NewForbidden(someServices, "x", errors.New("exceeded quota: lb, requested: services.loadbalancers=1, used: services.loadbalancers=0, limited: services.loadbalancers=0")),
	apierrors.NewForbidden(someSecrets, "cacerts", rbacSays(`User "worker" cannot get resource "secrets" in API group "" in the namespace "istio-system"`)),
	apierrors.NewUnauthorized("who?"),
	apierrors.NewInvalid(schema.GroupKind{Kind: "Gateway"}, "x", nil),
	apierrors.NewInternalError(errors.New("failed to create typed patch object (/default; sailoperator.io/v1, Kind=Istio): .spec.values.pilot.x: field not declared in schema")),
	apierrors.NewBadRequest("what?"),
	&meta.NoKindMatchError{GroupKind: schema.GroupKind{Kind: "Istio"}},
	apierrors.NewGenericServerResponse(404, "get", schema.GroupResource{Resource: "istios"}, "", "", 0, true),
	apierrors.NewTooManyRequests("slow down", 7),
	&api.Outdated{Wanted: api.Contract + 1},
	&url.Error{Op: "Get", URL: "https://x", Err: errors.New("connection refused")},
	&net.OpError{Op: "dial", Err: errors.New("connection refused")},

	apierrors.NewConflict(someSecrets, "x", errors.New("y")),
	apierrors.NewInternalError(errors.New("x")),
	apierrors.NewNotFound(someSecrets, "x"),
	errors.New("anything"),
}

var (
	someSecrets  = schema.GroupResource{Resource: "secrets"}
	someServices = schema.GroupResource{Resource: "services"}
)

// terminating returns what the API server answers to who makes something in a namespace
// that is being deleted.
func terminating() error {
	err := apierrors.NewForbidden(someSecrets, "x", errors.New("unable to create new content in namespace istio-system because it is being terminated"))
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	return err
}

func TestClassify_EachClassHasItsTypeAndRetries(t *testing.T) {
	meanings := map[string]api.ErrorType{}
	for _, e := range api.ErrorTypes() {
		meanings[e.Name] = e
	}
	seen := map[string]bool{}
	for i, err := range examples {
		want := api.TypeOther
		if i < len(errorClasses) {
			require.True(t, errorClasses[i].matches(err), "examples[%d] is not of errorClasses[%d]", i, i)
			want = errorClasses[i].typ
		}
		seen[want] = true
		require.NotEmpty(t, meanings[want].Meaning, want)
		for _, wrapped := range []error{err, fmt.Errorf("apply: %w", err), errors.Join(nil, err)} {
			var app *temporal.ApplicationError
			require.ErrorAs(t, classify("west", wrapped), &app)
			require.Equal(t, want, app.Type(), "%T", err)
			require.Equal(t, meanings[want].Retried == api.RetriedNever, app.NonRetryable(), "%T", err)
			require.Contains(t, app.Message(), "cluster west")
		}
	}
	for name := range meanings {
		require.True(t, seen[name], "no error becomes %s", name)
	}
}

func TestClassify_ABusyAPIServer_IsAskedAgainWhenItSays(t *testing.T) {
	for err, want := range map[error]time.Duration{
		apierrors.NewTooManyRequests("slow down", 7): 7 * time.Second,
		apierrors.NewTooManyRequests("slow down", 0): throttledDelay,
	} {
		var app *temporal.ApplicationError
		require.ErrorAs(t, classify("", err), &app)
		require.Equal(t, want, app.NextRetryDelay())
	}
}

// What admission refuses needs another object or another policy; only what lacks a right
// is sent to look at rights.
func TestClassify_ARefusal_TalksOfRightsOnlyWhereOneIsMissing(t *testing.T) {
	for err, want := range map[error]string{
		terminating(): api.TypeDeadEnd,
		apierrors.NewForbidden(someServices, "gw", errors.New("exceeded quota: lb")):                                                       api.TypeInvalid,
		apierrors.NewForbidden(someServices, "gw", errors.New(`User "worker" cannot create resource "services" in API group "" in the x`)): api.TypeForbidden,
	} {
		var app *temporal.ApplicationError
		require.ErrorAs(t, classify("west", fmt.Errorf("apply Service gw: %w", err)), &app)
		require.Equal(t, want, app.Type())
		require.Contains(t, app.Message(), err.Error())
		require.Equal(t, want == api.TypeForbidden, strings.Contains(app.Message(), "every right"), app.Message())
	}
}

func TestClassify_WhatHasATypeKeepsIt(t *testing.T) {
	typed := temporal.NewNonRetryableApplicationError("x", "Another", nil)
	require.Equal(t, typed, classify("west", typed))
}

func TestClassify_MessagesAreShortAndHoldNoSecret(t *testing.T) {
	pem := "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIabc\n-----END EC PRIVATE KEY-----"
	jwt := "eyJhbGciOiJSUzI1NiIsImtpZCI6In.eyJpc3MiOiJrdWJlcm5ldGVzL3Nl.abc_DEF-1"
	id := "AGE-SECRET-KEY-1QQQQQQQQQQ"
	long := strings.Repeat("QUJD", 40)
	err := classify("west", fmt.Errorf("%s and %s and %s and %s in %s", pem, jwt, id, long, strings.Repeat("words ", 1000)))
	for _, s := range []string{"MHcCAQ", "eyJhbGci", "1QQQQ", "QUJDQUJD"} {
		require.NotContains(t, err.Error(), s)
	}
	require.Less(t, len(err.Error()), 2048)
}

// rbacSays makes an error of the API server's own words, which begin with a capital letter.
func rbacSays(words string) error { return errors.New(words) }
