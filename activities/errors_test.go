package activities

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
)

func TestClassify_EachKindOfErrorHasItsTypeAndRetries(t *testing.T) {
	secrets := schema.GroupResource{Resource: "secrets"}
	for _, c := range []struct {
		err   error
		typ   string
		final bool
	}{
		{apierrors.NewForbidden(secrets, "cacerts", errors.New("no")), TypeForbidden, true},
		{apierrors.NewUnauthorized("who?"), TypeForbidden, true},
		{apierrors.NewInvalid(schema.GroupKind{Kind: "Gateway"}, "x", nil), TypeInvalid, true},
		{apierrors.NewBadRequest("what?"), TypeInvalid, true},
		{apierrors.NewGenericServerResponse(404, "get", schema.GroupResource{Resource: "istios"}, "", "", 0, true), TypeUnknownKind, true},
		{&kube.NotOursError{Kind: "Secret", Name: "x"}, TypeNotOurs, true},
		{&kube.KubeconfigError{Reason: "x"}, TypeKubeconfig, true},
		{&inventory.OtherFleetError{Cluster: "west", Fleet: "b"}, TypeOtherFleet, true},
		{&inventory.LockedError{Cluster: "west"}, TypeLocked, true},
		{&inventory.GoneError{Cluster: "west"}, TypeInventoryGone, true},
		{&chart.SourceError{Reason: "x"}, TypeChart, true},
		{&DeadEndError{"x"}, TypeDeadEnd, true},
		{&LoadBalancerError{"x"}, TypeLoadBalancer, true},
		{&RootError{"x"}, TypeRoot, true},
		{errors.Join(nil, &DeadEndError{"x"}), TypeDeadEnd, true},
		{&kube.NotReadyError{Waiting: "x"}, TypeNotReady, false},
		{apierrors.NewTooManyRequests("slow down", 7), TypeThrottled, false},
		{apierrors.NewConflict(secrets, "x", errors.New("y")), TypeOther, false},
		{apierrors.NewInternalError(errors.New("x")), TypeOther, false},
		{apierrors.NewNotFound(secrets, "x"), TypeOther, false},
		{&url.Error{Op: "Get", URL: "https://x", Err: errors.New("connection refused")}, TypeUnreachable, false},
		{errors.New("anything"), TypeOther, false},
	} {
		t.Run(c.typ+"/"+c.err.Error(), func(t *testing.T) {
			var app *temporal.ApplicationError
			require.ErrorAs(t, classify("west", fmt.Errorf("apply: %w", c.err)), &app)
			require.Equal(t, c.typ, app.Type())
			require.Equal(t, c.final, app.NonRetryable())
			require.Contains(t, app.Message(), "cluster west")
		})
	}
	var app *temporal.ApplicationError
	require.ErrorAs(t, classify("", apierrors.NewTooManyRequests("slow down", 7)), &app)
	require.Equal(t, 7*time.Second, app.NextRetryDelay())
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
	require.Contains(t, redact("an unfinished "+pem[:40]), "(redacted)")
}
