package kube

import (
	"errors"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An API server answers 403 for two reasons that it tells apart in its words only: the
// caller lacks a right, or admission refuses what the caller may do. Quotas, policies and
// built-in plugins choose their words freely; these are all that speak of a right: those
// of the API server's own authorization, of RBAC where somebody would grant what he
// lacks, and of the plugin that guards owners.
var lacksRight = regexp.MustCompile(`User "(?:[^"\\]|\\.)*" cannot \S+ (?:resource|path) |attempting to grant RBAC permissions not currently held|cannot set blockOwnerDeletion`)

const (
	// ofWebhook begins the refusal of every admission webhook, whatever its code.
	ofWebhook = `admission webhook "`
	// quotaUnknown begins the refusal of the quota plugin until its controller has counted once.
	quotaUnknown = "status unknown for quota:"
)

// DeniedByAdmission returns whether a webhook, a policy, a quota or another admission plugin
// refused a request that its caller has the right to. What is no refusal of the API
// server's own, such as that of a proxy before it, is none of admission.
func DeniedByAdmission(err error) bool {
	status, ok := statusOf(err)
	if !ok {
		return false
	}
	if strings.HasPrefix(status.Message, ofWebhook) {
		return !apierrors.IsTooManyRequests(err)
	}
	if !apierrors.IsForbidden(err) || lacksRight.MatchString(status.Message) {
		return false
	}
	return status.Details != nil && status.Details.Kind != "" && !apierrors.IsUnexpectedServerError(err)
}

// NamespaceEnds returns whether a namespace takes nothing new, since it is being deleted.
func NamespaceEnds(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

// QuotaNotCounted returns whether a request was refused only because Kubernetes has not
// counted for a new quota yet, which takes it a moment.
func QuotaNotCounted(err error) bool {
	status, ok := statusOf(err)
	return ok && apierrors.IsForbidden(err) && strings.Contains(status.Message, quotaUnknown)
}

// UnknownField returns whether a kind's schema does not know a field, or wants another type
// there. Server-side apply answers that with a 500, which never passes.
func UnknownField(err error) bool {
	status, ok := statusOf(err)
	return ok && strings.Contains(status.Message, "failed to create typed patch object")
}

func statusOf(err error) (metav1.Status, bool) {
	var s apierrors.APIStatus
	if !errors.As(err, &s) {
		return metav1.Status{}, false
	}
	return s.Status(), true
}
