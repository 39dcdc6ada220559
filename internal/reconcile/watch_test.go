package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

func TestExplain_SaysWhatToDo(t *testing.T) {
	of := schema.GroupResource{Group: kind.Group, Resource: "fleets"}
	for want, err := range map[string]error{
		"landbridge schema crd | kubectl apply -f -": &meta.NoKindMatchError{GroupKind: kind.GroupKind()},
		"fleets.landbridge.dev":                      apierrors.NewNotFound(of, ""),
		"landbridge rbac --management ops --fleets":  apierrors.NewForbidden(of, "", errors.New("no")),
		"connection refused":                         errors.New("connection refused"),
	} {
		require.ErrorContains(t, explain(err, "ops"), want)
	}
}

// A management cluster that is down for an hour is tried again and again, and is one line of the log.
func TestWatch_TheManagementClusterDoesNotAnswer_IsTriedAgainAndLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		tries := 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		Watch(ctx, "ops", Reconciler{Log: slog.New(slog.NewTextHandler(&log, nil))}, func() (*rest.Config, error) {
			tries++
			return nil, errors.New("connection refused")
		})
		require.Greater(t, tries, 300)
		require.Equal(t, 1, strings.Count(log.String(), "connection refused"), log.String())
	})
}
