package chart

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/kube"
)

// Helm's requests know of no context. With their step they end, whether they are under
// way or come later; an answer that came before can be read.
func TestUntil_TheStepEnds_NoRequestGoesOn(t *testing.T) {
	ended := errors.New("the step was canceled")
	ctx, end := context.WithCancelCause(t.Context())
	underWay, sent := make(chan struct{}), 0
	rt := until(ctx)(kube.RoundTripper(func(req *http.Request) (*http.Response, error) {
		if sent++; sent == 1 {
			return &http.Response{Body: io.NopCloser(strings.NewReader("an answer"))}, nil
		}
		close(underWay)
		<-req.Context().Done()
		return nil, context.Cause(req.Context())
	}))
	request := func() (*http.Response, error) {
		req, err := http.NewRequest(http.MethodPost, "https://east/api", http.NoBody)
		require.NoError(t, err)
		return rt.RoundTrip(req)
	}
	res, err := request()
	require.NoError(t, err)
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "an answer", string(answer))

	result := make(chan error)
	go func() {
		_, err := request()
		result <- err
	}()
	<-underWay
	end(ended)
	require.ErrorIs(t, <-result, ended)

	_, err = request()
	require.ErrorIs(t, err, ended)
	require.Equal(t, 2, sent, "the last one was not sent")
}
