package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
)

// Accepts tells whether the API server knows who has this bearer token, whatever that one
// may do. The token goes to the server of the cluster's kubeconfig, and nowhere else.
func (c *Cluster) Accepts(ctx context.Context, token []byte) (bool, error) {
	cfg := rest.AnonymousClientConfig(c.Config)
	cfg.BearerToken = string(token)
	client, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return false, fmt.Errorf("a client for the token could not be made") // the cause may quote it
	}
	err = client.RESTClient().Get().AbsPath("/version").Do(ctx).Error()
	switch {
	case apierrors.IsUnauthorized(err):
		return false, nil
	case err == nil, apierrors.IsForbidden(err):
		return true, nil
	}
	return false, err
}
