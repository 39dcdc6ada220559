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

	"github.com/landbridge/landbridge/internal/api"
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
		{apierrors.NewForbidden(secrets, "cacerts", errors.New("no")), api.TypeForbidden, true},
		{apierrors.NewUnauthorized("who?"), api.TypeForbidden, true},
		{apierrors.NewInvalid(schema.GroupKind{Kind: "Gateway"}, "x", nil), api.TypeInvalid, true},
		{apierrors.NewBadRequest("what?"), api.TypeInvalid, true},
		{apierrors.NewGenericServerResponse(404, "get", schema.GroupResource{Resource: "istios"}, "", "", 0, true), api.TypeUnknownKind, true},
		{&kube.NotOursError{Kind: "Secret", Name: "x"}, api.TypeNotOurs, true},
		{&kube.KubeconfigError{Reason: "x"}, api.TypeKubeconfig, true},
		{&inventory.OtherFleetError{Cluster: "west", Fleet: "b"}, api.TypeOtherFleet, true},
		{&inventory.LockedError{Cluster: "west"}, api.TypeLocked, true},
		{&inventory.GoneError{Cluster: "west"}, api.TypeInventoryGone, true},
		{&inventory.DamagedError{Cluster: "west", Cause: errors.New("x")}, api.TypeDeadEnd, true},
		{&chart.SourceError{Reason: "x"}, api.TypeChart, true},
		{&kube.DeadEndError{Reason: "x"}, api.TypeDeadEnd, true},
		{&LoadBalancerError{"x"}, api.TypeLoadBalancer, true},
		{&RootError{"x"}, api.TypeRoot, true},
		{errors.Join(nil, &kube.DeadEndError{Reason: "x"}), api.TypeDeadEnd, true},
		{&kube.NotReadyError{Waiting: "x"}, api.TypeNotReady, false},
		{apierrors.NewTooManyRequests("slow down", 7), api.TypeThrottled, false},
		{apierrors.NewConflict(secrets, "x", errors.New("y")), api.TypeOther, false},
		{apierrors.NewInternalError(errors.New("x")), api.TypeOther, false},
		{apierrors.NewNotFound(secrets, "x"), api.TypeOther, false},
		{&url.Error{Op: "Get", URL: "https://x", Err: errors.New("connection refused")}, api.TypeUnreachable, false},
		{errors.New("anything"), api.TypeOther, false},
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
}
