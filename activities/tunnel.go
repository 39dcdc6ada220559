package activities

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// tunnel is the way to the target as the source's istiod would take it, by the
// remote secret's own words.
type tunnel struct {
	p          *prober
	pod        string
	serverName string
	roots      *x509.CertPool
	token      string
}

// strangerName is a server name that no egress gateway serves.
const strangerName = "landbridge-probe.invalid"

// tunnel reads the remote secret and finds a pod of the egress gateway.
func (p *prober) tunnel(ctx context.Context) (*tunnel, *breakage, error) {
	name := fleet.RemoteSecret(p.in.Link.To)
	s, err := p.Client.CoreV1().Secrets(p.in.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, &breakage{check: api.CheckRequest, hop: api.HopSecret, why: fmt.Sprintf("there is no Secret %s/%s in the source", p.in.Namespace, name)}, nil
	}
	if err != nil {
		return nil, nil, wrap(err, "read Secret %s", name)
	}
	t, why := parseRemoteSecret(s, p.in.Link.To)
	if why != "" {
		return nil, &breakage{check: api.CheckRequest, hop: api.HopSecret, why: fmt.Sprintf("Secret %s/%s %s", p.in.Namespace, name, why)}, nil
	}
	t.p = p
	pod, why, err := p.egressPod(ctx)
	if err != nil {
		return nil, nil, err
	}
	if why != "" {
		return nil, &breakage{check: api.CheckRequest, hop: api.HopEgress, why: why}, nil
	}
	t.pod, p.pod = pod, pod
	return t, nil, nil
}

// parseRemoteSecret reads what istiod would. What is wrong is said without
// quoting anything: there is a token in it.
func parseRemoteSecret(s *corev1.Secret, target string) (*tunnel, string) {
	cfg, err := clientcmd.Load(s.Data[target])
	if err != nil || cfg.Contexts[cfg.CurrentContext] == nil {
		return nil, "holds no kubeconfig for " + target
	}
	at := cfg.Contexts[cfg.CurrentContext]
	cluster, user := cfg.Clusters[at.Cluster], cfg.AuthInfos[at.AuthInfo]
	if cluster == nil || user == nil || user.Token == "" || cluster.TLSServerName == "" {
		return nil, "lacks a server name or a token"
	}
	t := &tunnel{serverName: cluster.TLSServerName, token: user.Token, roots: x509.NewCertPool()}
	if !t.roots.AppendCertsFromPEM(cluster.CertificateAuthorityData) {
		return nil, "holds no CA certificate"
	}
	return t, ""
}

// egressPod is a ready pod of the egress gateway, or why there is none.
func (p *prober) egressPod(ctx context.Context) (pod, why string, err error) {
	list, err := p.Client.CoreV1().Pods(p.in.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + p.egress()})
	if err != nil {
		return "", "", wrap(err, "list the pods of %s", p.egress())
	}
	why = fmt.Sprintf("%s has no pod", p.egress())
	for _, pod := range list.Items {
		if pod.DeletionTimestamp != nil {
			continue
		}
		why = fmt.Sprintf("pod %s is %s and not ready", pod.Name, pod.Status.Phase)
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return pod.Name, "", nil
			}
		}
	}
	return "", why, nil
}

// prove sends the live request, and then the two that must fail.
func (t *tunnel) prove(ctx context.Context, r *api.CheckLinkResult) (*breakage, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*podTimeout)
	defer cancel()
	for _, check := range []func(context.Context, *api.CheckLinkResult) *breakage{t.request, t.withoutToken, t.otherName} {
		if b := check(ctx, r); b != nil {
			return b, ctx.Err()
		}
	}
	return nil, nil
}

// request asks for /readyz and for a list of one kind, over one connection.
func (t *tunnel) request(ctx context.Context, r *api.CheckLinkResult) *breakage {
	began := time.Now()
	session, b := t.dial(ctx, t.serverName)
	if b != nil {
		return b
	}
	defer session.Close()
	r.Connect = time.Since(began)
	client := &http.Client{Transport: over(session)}
	for _, path := range []string{"/readyz", "/api/v1/namespaces?limit=1"} {
		began = time.Now()
		code, err := t.get(ctx, client, path, t.token)
		r.RoundTrip = time.Since(began)
		switch {
		case err != nil:
			return &breakage{api.CheckRequest, api.HopAuthorization, fmt.Sprintf("the connection broke at GET %s: %v", path, err), true}
		case code == http.StatusUnauthorized:
			return &breakage{api.CheckRequest, api.HopToken, "the target's API server does not accept the token (401)", false}
		case code == http.StatusForbidden:
			return &breakage{api.CheckRequest, api.HopToken, fmt.Sprintf("the token may not read %s (403)", path), false}
		case code != http.StatusOK:
			return &breakage{api.CheckRequest, api.HopAPITLS, fmt.Sprintf("the target's API server answers GET %s with %d", path, code), false}
		}
	}
	passed(r, api.CheckRequest, "connected in %s, a request takes %s", ms(r.Connect), ms(r.RoundTrip))
	return nil
}

// withoutToken must be refused. A server that lets the anonymous in says 403,
// another one 401.
func (t *tunnel) withoutToken(ctx context.Context, r *api.CheckLinkResult) *breakage {
	session, b := t.dial(ctx, t.serverName)
	if b != nil {
		return b
	}
	defer session.Close()
	code, err := t.get(ctx, &http.Client{Transport: over(session)}, "/api/v1/namespaces?limit=1", "")
	if err != nil {
		return &breakage{api.CheckNoToken, api.HopAuthorization, err.Error(), true}
	}
	if code != http.StatusUnauthorized && code != http.StatusForbidden {
		return &breakage{api.CheckNoToken, api.HopToken, fmt.Sprintf("a request without a token is answered with %d: everybody may read", code), false}
	}
	passed(r, api.CheckNoToken, "%d", code)
	return nil
}

// otherName must get no connection: the egress gateway serves one name.
func (t *tunnel) otherName(ctx context.Context, r *api.CheckLinkResult) *breakage {
	session, b := t.dial(ctx, strangerName)
	switch {
	case b == nil:
		session.Close()
		return &breakage{api.CheckOtherName, api.HopRoute, "a request for another server name gets through", false}
	case b.hop == api.HopAPITLS:
		return &breakage{api.CheckOtherName, api.HopRoute, "a request for another server name reaches a server", false}
	case b.hop == api.HopEgress:
		return b
	}
	passed(r, api.CheckOtherName, "no connection")
	return nil
}

// dial makes the inner TLS session, through port-forward to the egress gateway.
func (t *tunnel) dial(ctx context.Context, serverName string) (*tls.Conn, *breakage) {
	conn, err := t.p.DialPod(ctx, t.p.in.Namespace, t.pod, fleet.EgressPort)
	if err != nil {
		return nil, &breakage{api.CheckRequest, api.HopEgress, err.Error(), false}
	}
	session := tls.Client(conn, &tls.Config{ServerName: serverName, RootCAs: t.roots, MinVersion: tls.VersionTLS12})
	handshake, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	err = session.HandshakeContext(handshake)
	if err == nil {
		return session, nil
	}
	conn.Close()
	var wrong *tls.CertificateVerificationError
	if errors.As(err, &wrong) {
		return nil, &breakage{api.CheckRequest, api.HopAPITLS, fmt.Sprintf("the certificate behind the tunnel is not good for %s: %v", serverName, wrong.Err), false}
	}
	// What else it was, the gateway knows.
	return nil, &breakage{api.CheckRequest, api.HopRoute, fmt.Sprintf("no TLS session for %s through %s: %v", serverName, t.pod, err), true}
}

// over makes requests over a session that stands.
func over(session *tls.Conn) *http.Transport {
	return &http.Transport{MaxConnsPerHost: 1, DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return session, nil }}
}

func (t *tunnel) get(ctx context.Context, client *http.Client, path, token string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+t.serverName+path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("User-Agent", "landbridge")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, err
}

func ms(d time.Duration) string { return d.Round(100 * time.Microsecond).String() }
