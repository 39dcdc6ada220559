package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxAnswer in bytes limits how much of an answer to a deletion is read; the rest goes on as it is.
const maxAnswer = 64 << 10

type goneKey struct{}

// hearingGone returns a context for one deletion, and where its answer tells whether the
// object is gone already. client-go drops that answer.
func hearingGone(ctx context.Context) (context.Context, *bool) {
	gone := new(bool)
	return context.WithValue(ctx, goneKey{}, gone), gone
}

// hearGone reads the answer to a deletion, where somebody wants to hear it: the API server
// answers with a status where it has removed the object, and with the object where a
// finalizer, a grace period or its dependents keep it.
func hearGone(req *http.Request, res *http.Response) {
	gone, wanted := req.Context().Value(goneKey{}).(*bool)
	if !wanted || req.Method != http.MethodDelete || res.StatusCode != http.StatusOK {
		return
	}
	read, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(read), res.Body), res.Body}
	var status metav1.Status
	if err == nil && json.Unmarshal(read, &status) == nil {
		*gone = status.Kind == "Status" && status.Status == metav1.StatusSuccess
	}
}
