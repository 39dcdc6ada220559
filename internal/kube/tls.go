package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
)

// ServerNameError reports that the API server's certificate is for none of the names
// that it was asked for.
type ServerNameError struct {
	Asked []string
	// Certificate lists the names that it is for.
	Certificate []string
}

func (e *ServerNameError) Error() string {
	return fmt.Sprintf("the API server's certificate is not for %s; %s", strings.Join(e.Asked, " or "), useful(e.Certificate))
}

// OtherCAError reports a certificate that the CA which goes into the remote secret did not
// issue: a name of the API server's that has a certificate of another CA, or a front that
// ends TLS before the API server.
type OtherCAError struct{ Asked string }

func (e *OtherCAError) Error() string {
	return fmt.Sprintf("the API server's certificate for %s was not issued by the CA that goes into the remote secret", e.Asked)
}

// CheckTLS verifies the API server's certificate for the server name against the CA
// bundle. It goes the way that the kubeconfig says, proxy-url included, and shows no
// credentials. Another name in the certificate is a *ServerNameError, another CA an
// *OtherCAError, whatever the names.
func (c *Cluster) CheckTLS(ctx context.Context, serverName string, ca []byte) error {
	cfg := rest.AnonymousClientConfig(c.Config)
	cfg.TLSClientConfig = rest.TLSClientConfig{CAData: ca, ServerName: serverName}
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		return fmt.Errorf("prepare the check of %s: %w", serverName, err)
	}
	client := &http.Client{Transport: transport, Timeout: requestTimeout}
	u, err := url.JoinPath(c.Config.Host, "/version")
	if err != nil {
		return fmt.Errorf("the server in the kubeconfig of %s is not a URL", c.Name)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err == nil {
		res.Body.Close() // 401 and 403 prove the certificate just as well
		return nil
	}
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &authority), errors.As(err, &name) && !issuedBy(name.Certificate, ca):
		return &OtherCAError{serverName}
	case errors.As(err, &name):
		return &ServerNameError{Asked: []string{serverName}, Certificate: name.Certificate.DNSNames}
	}
	return fmt.Errorf("connect to the API server as %s: %w", serverName, err)
}

// issuedBy returns whether a certificate verifies against a bundle under any name: Go looks
// at names first.
func issuedBy(certificate *x509.Certificate, ca []byte) bool {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	_, err := certificate.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}

// useful tells what to do with the names that a certificate has.
func useful(names []string) string {
	const set = "set spec.clusters[].apiServer.tlsServerName to "
	switch len(names) {
	case 0:
		return "it has no name at all: give the API server a certificate with one"
	case 1:
		return "it is for " + names[0] + ": " + set + "that"
	}
	return "it is for " + listed(names) + ": " + set + "one of them"
}
