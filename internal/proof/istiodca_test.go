package proof

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

func TestWorksWith_EachIstiodThatRuns_ByTheCertificateThatItShows(t *testing.T) {
	ca, now := issue(t, "istiod.istio-system.svc")
	_, before := issue(t, "istiod.istio-system.svc")
	for name, c := range map[string]struct {
		shows   map[string]tls.Certificate
		waiting string
	}{
		"both have taken it":     {map[string]tls.Certificate{"istiod-1": now, "istiod-2": now}, ""},
		"one has not":            {map[string]tls.Certificate{"istiod-1": now, "istiod-2": before}, "istiod-2 still works with a CA of before: its certificate is by CN=kubernetes, of "},
		"one cannot be asked":    {map[string]tls.Certificate{"istiod-2": now}, "istiod-1 shows no certificate: port-forward: no"},
		"neither can be trusted": {map[string]tls.Certificate{"istiod-1": before, "istiod-2": before}, "istiod-1 still works"},
	} {
		p := &prober{Cluster: kubetest.New("east", pod("istiod-1", map[string]string{"app": "istiod"}, ready), pod("istiod-2", map[string]string{"app": "istiod"}, ready)).Cluster,
			namespace: namespace, dial: func(_ context.Context, in, pod string, port int) (net.Conn, error) {
				certificate, runs := c.shows[pod]
				if in != namespace || port != 15012 || !runs {
					return nil, errors.New("port-forward: no")
				}
				near, far := net.Pipe()
				go func() { _ = tls.Server(far, &tls.Config{Certificates: []tls.Certificate{certificate}}).Handshake() }()
				return near, nil
			}}
		istiods, waiting, err := p.worksWith(t.Context(), ca)
		require.NoError(t, err, name)
		require.Equal(t, 2, istiods, name)
		if c.waiting == "" {
			require.Empty(t, waiting, name)
			continue
		}
		require.Contains(t, waiting, c.waiting, name)
	}
}

func TestWorksWith_NoIstiod_OrNoCertificate(t *testing.T) {
	p := &prober{Cluster: kubetest.New("east").Cluster, namespace: namespace}
	ca, _ := issue(t, "istiod")
	_, waiting, err := p.worksWith(t.Context(), ca)
	require.NoError(t, err)
	require.Equal(t, "no istiod pod runs", waiting)
	_, _, err = p.worksWith(t.Context(), []byte("x"))
	require.ErrorContains(t, err, "the CA is not a certificate in PEM")
}
