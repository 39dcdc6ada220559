package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kube"
)

// maxAnswer in bytes limits how much of a refusal is read; the rest goes to Helm as it is.
const maxAnswer = 1 << 20

// answers remembers the API server's last refusal of a write: Helm's upgrade hands on
// the words alone, and by words nobody can tell a missing right from a quota.
type answers struct {
	refusal atomic.Pointer[apierrors.StatusError]
}

// wrap implements transport.WrapperFunc.
func (a *answers) wrap(rt http.RoundTripper) http.RoundTripper {
	return kube.RoundTripper(func(req *http.Request) (*http.Response, error) {
		res, err := rt.RoundTrip(req)
		if err != nil || res.StatusCode < http.StatusBadRequest || req.Method == http.MethodGet {
			return res, err
		}
		body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		if err != nil {
			return nil, err
		}
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), res.Body), res.Body}
		var status metav1.Status
		if json.Unmarshal(body, &status) == nil && status.Message != "" {
			a.refusal.Store(&apierrors.StatusError{ErrStatus: status})
		}
		return res, nil
	})
}

// explain gives an error of Helm's its cause, where that is the last refusal and Helm has
// dropped all but its words.
func (a *answers) explain(err error) error {
	var status apierrors.APIStatus
	last := a.refusal.Load()
	if err == nil || last == nil || errors.As(err, &status) || !strings.Contains(err.Error(), last.ErrStatus.Message) {
		return err
	}
	return &refusedError{err, last}
}

// refusedError reports what Helm says, and keeps what the API server answered.
type refusedError struct {
	said   error
	answer *apierrors.StatusError
}

func (e *refusedError) Error() string   { return e.said.Error() }
func (e *refusedError) Unwrap() []error { return []error{e.said, e.answer} }
