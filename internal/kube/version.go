package kube

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		return "", c.notReached(ctx, err)
	}
	c.known().tell(v)
	return v.GitVersion, nil
}

// notReached returns why the API server did not tell its version. Discovery drops the
// words of a 401, which say whose credential it is; another request has them.
func (c *Cluster) notReached(ctx context.Context, err error) error {
	var plugin *PluginError
	if errors.As(err, &plugin) {
		return plugin
	}
	if apierrors.IsUnauthorized(err) {
		if _, again := c.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{}); CredentialFails(again) {
			return again
		}
	}
	return fmt.Errorf("the API server at %s cannot be reached: %w", c.host(), err)
}

// host returns the host and port of the API server.
func (c *Cluster) host() string {
	u, err := url.Parse(c.Config.Host)
	if err != nil {
		return "(no URL)"
	}
	return u.Host
}
