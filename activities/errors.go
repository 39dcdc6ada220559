package activities

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/inventory"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/notify"
	"github.com/landbridge/landbridge/internal/redact"
	"github.com/landbridge/landbridge/internal/sources"
)

const (
	// maxMessage in bytes keeps an error below what a person reads and the UI shows.
	maxMessage = 1800
	// throttledDelay passes until the next try where a busy API server names no time.
	throttledDelay = 5 * time.Second
)

// errorClass gives an api type to every error that matches.
type errorClass struct {
	matches func(error) bool
	typ     string
}

// errorClasses lists all classes: the first that matches an error counts, and an
// error that none matches gets api.TypeOther. api.ErrorTypes says what is retried.
var errorClasses = []errorClass{
	{is[*kube.NotOursError], api.TypeNotOurs},
	{is[*kube.DriftError], api.TypeDrift},
	{is[*kube.KubeconfigError], api.TypeKubeconfig},
	{brokenPlugin, api.TypeKubeconfig},
	{is[*inventory.OtherFleetError], api.TypeOtherFleet},
	{is[*inventory.OtherMemberError], api.TypeOtherMember},
	{is[*inventory.UntrustedError], api.TypeUntrusted},
	{is[*inventory.LockedError], api.TypeLocked},
	{is[*inventory.GoneError], api.TypeInventoryGone},
	{is[*chart.SourceError], api.TypeChart},
	{is[*chart.ValuesError], api.TypeChart},
	{is[*UnprovenError], api.TypeUnproven},
	{is[*kube.DeadEndError], api.TypeDeadEnd},
	{is[*inventory.DamagedError], api.TypeDeadEnd},
	{is[*LoadBalancerError], api.TypeLoadBalancer},
	{is[*RootError], api.TypeRoot},
	{is[*UnknownChannelError], api.TypeInvalid},
	{is[*sources.InvalidError], api.TypeInvalid},
	{is[*notify.RefusedError], api.TypeInvalid},
	{is[*notify.FailedError], api.TypeUnreachable},
	{busyIssuer, api.TypeNotReady},
	{is[*certs.IssuerError], api.TypeIssuer},
	{is[*kube.NotReadyError], api.TypeNotReady},
	{kube.NamespaceEnds, api.TypeDeadEnd},
	{kube.QuotaNotCounted, api.TypeNotReady},
	{kube.DeniedByAdmission, api.TypeInvalid},
	{apierrors.IsForbidden, api.TypeForbidden},
	{apierrors.IsUnauthorized, api.TypeUnauthorized},
	{apierrors.IsInvalid, api.TypeInvalid},
	{kube.UnknownField, api.TypeInvalid},
	{apierrors.IsBadRequest, api.TypeInvalid},
	{meta.IsNoMatchError, api.TypeUnknownKind},
	{isUnknownResource, api.TypeUnknownKind},
	{apierrors.IsTooManyRequests, api.TypeThrottled},
	{is[*api.Outdated], api.TypeOutdated},
	{is[*url.Error], api.TypeUnreachable},
	{is[net.Error], api.TypeUnreachable},
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// brokenPlugin tells an exec plugin that is missing or wrong from one that may do better
// at the next try, which counts as unreachable.
func brokenPlugin(err error) bool {
	var p *kube.PluginError
	return errors.As(err, &p) && p.Final
}

// busyIssuer tells an issuer that may answer at the next try from one that refuses.
func busyIssuer(err error) bool {
	var i *certs.IssuerError
	return errors.As(err, &i) && i.Later
}

// isUnknownResource tells a kind that the server lacks from an object that is
// missing: only the latter has a name.
func isUnknownResource(err error) bool {
	var s apierrors.APIStatus
	return apierrors.IsNotFound(err) && errors.As(err, &s) && (s.Status().Details == nil || s.Status().Details.Name == "")
}

// typeOf returns the api type of an error.
func typeOf(err error) string {
	for _, c := range errorClasses {
		if c.matches(err) {
			return c.typ
		}
	}
	return api.TypeOther
}

// classify turns an error into one with a type, a message of less than 2 KB without
// a secret, and its retries. The cause stays behind: it may hold what must not be in
// the history.
func classify(cluster string, err error) error {
	var done *temporal.ApplicationError
	if errors.As(err, &done) {
		return err
	}
	typ, msg := typeOf(err), redact.Secrets(err.Error())
	if typ == api.TypeForbidden {
		msg += "; `landbridge plan` lists every right that is missing"
	}
	if cluster != "" && !strings.Contains(msg, "cluster "+cluster) {
		msg = "cluster " + cluster + ": " + msg
	}
	return temporal.NewApplicationErrorWithOptions(fleet.Brief(msg, maxMessage), typ, retries(typ, err))
}

// retries says whether and when the activity is tried again. What only takes longer
// is no failure in Temporal's metrics.
func retries(typ string, err error) temporal.ApplicationErrorOptions {
	o := temporal.ApplicationErrorOptions{NonRetryable: api.RetryOf(typ) == api.RetriedNever}
	switch {
	case api.RetryOf(typ) == api.RetriedAMinute:
		o.NextRetryDelay = deniedDelay
	case typ == api.TypeNotReady:
		o.Category = temporal.ApplicationErrorCategoryBenign
		var turn *kube.TurnError
		if errors.As(err, &turn) {
			o.NextRetryDelay = turn.Pause
		}
	case typ == api.TypeThrottled:
		o.NextRetryDelay = throttledDelay
		if s, ok := apierrors.SuggestsClientDelay(err); ok && s > 0 {
			o.NextRetryDelay = time.Duration(s) * time.Second
		}
	}
	return o
}

// wrap says what an error is about.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}
