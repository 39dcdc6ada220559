package proof

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// podTimeout bounds a question to a pod.
	podTimeout = 15 * time.Second
	// maxAnswer in bytes bounds what a pod may answer: an istiod tells of all endpoints of
	// its mesh.
	maxAnswer = 64 << 20
)

// getFromPod asks a pod by port-forward.
func (p *prober) getFromPod(ctx context.Context, pod string, port int, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return p.dial(ctx, p.namespace, pod, port)
	}, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return data, err
}
