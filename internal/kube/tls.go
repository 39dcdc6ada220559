package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"k8s.io/client-go/rest"
)

// CheckTLS says whether the certificate of the API server verifies for the
// server name against the CA bundle. It goes the way that the kubeconfig says,
// proxy-url included, and shows no credentials.
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
	if errors.As(err, &name) {
		return fmt.Errorf("the API server's certificate is not for %s; it is for %v: set spec.clusters[].apiServer.tlsServerName to one of them", serverName, name.Certificate.DNSNames)
	}
	var authority x509.UnknownAuthorityError
	if errors.As(err, &authority) {
		return fmt.Errorf("the API server's certificate for %s was not issued by the CA that goes into the remote secret; choose a server name whose certificate was (on OpenShift kubernetes.default.svc)", serverName)
	}
	return fmt.Errorf("connect to the API server as %s: %w", serverName, err)
}
