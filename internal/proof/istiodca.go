package proof

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"github.com/landbridge/landbridge/internal/kube"
)

// xdsPort is where istiod serves proxies, with a certificate that its own CA issued.
const xdsPort = 15012

// WorksWith looks whether every istiod of a cluster works with a CA, by the certificate that
// istiod shows: it issues itself another one as soon as it has taken another CA. It returns how
// many istiods there are, and the first that does not yet.
func WorksWith(ctx context.Context, c *kube.Cluster, namespace string, caPEM []byte) (istiods int, waiting string, err error) {
	p := &prober{Cluster: c, namespace: namespace, dial: c.DialPod}
	return p.worksWith(ctx, caPEM)
}

func (p *prober) worksWith(ctx context.Context, caPEM []byte) (int, string, error) {
	block, _ := pem.Decode(caPEM)
	if block == nil {
		return 0, "", fmt.Errorf("the CA is not a certificate in PEM")
	}
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return 0, "", fmt.Errorf("the CA is not a certificate: %w", err)
	}
	pods, err := p.istiods(ctx)
	if err != nil {
		return 0, "", err
	}
	if len(pods) == 0 {
		return 0, "no istiod pod runs", nil
	}
	for _, pod := range pods {
		shown, err := p.shows(ctx, pod)
		switch {
		case err != nil:
			return len(pods), fmt.Sprintf("%s shows no certificate: %v", pod, err), nil
		case shown.CheckSignatureFrom(ca) != nil:
			return len(pods), fmt.Sprintf("%s still works with a CA of before: its certificate is by %s, of %s", pod, shown.Issuer, shown.NotBefore.UTC().Format("2006-01-02T15:04:05Z")), nil
		}
	}
	return len(pods), "", nil
}

// shows returns the certificate with which an istiod serves proxies. Nothing is believed of it:
// it is compared with the CA afterwards.
func (p *prober) shows(ctx context.Context, pod string) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, podTimeout)
	defer cancel()
	conn, err := p.dial(ctx, p.namespace, pod, xdsPort)
	if err != nil {
		return nil, err
	}
	session := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	defer session.Close()
	if err := session.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return session.ConnectionState().PeerCertificates[0], nil
}
