package kube

import (
	"context"
	"fmt"
	"net/url"

	"k8s.io/client-go/discovery"
)

// Version asks the API server which Kubernetes it is. The error names the server,
// and nothing else of its URL.
func (c *Cluster) Version(ctx context.Context) (string, error) {
	v, err := discovery.ToServerVersionInterfaceWithContext(c.Discovery).ServerVersionWithContext(ctx)
	if err == nil && v.GitVersion == "" {
		err = fmt.Errorf("it does not answer as a kube-apiserver does")
	}
	if err != nil {
		return "", fmt.Errorf("the API server at %s cannot be reached: %w", c.host(), err)
	}
	return v.GitVersion, nil
}

// host returns the host and port of the API server.
func (c *Cluster) host() string {
	u, err := url.Parse(c.Config.Host)
	if err != nil {
		return "(no URL)"
	}
	return u.Host
}
