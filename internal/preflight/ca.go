package preflight

import (
	"bytes"
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// selfSignedCA is istiod's name for the Secret with the CA that it made for itself.
const selfSignedCA = "istio-ca-secret"

// checkCA finds a CA in Istio's namespace that Landbridge did not plug in, be it one
// that an istiod made for itself. An istiod that runs takes another root at its next
// start, and changes it under all of its workloads. Which root the fleet has, only the
// rollout knows, so it judges what is found here.
func (c *cluster) checkCA(ctx context.Context) error {
	if c.in.Existing != nil && !c.in.Existing.CA.Managed() {
		return nil
	}
	plugged, err := c.secret(ctx, fleet.CACerts)
	if err != nil {
		return err
	}
	if plugged != nil && plugged.Labels[fleet.LabelFleet] == c.in.Fleet {
		// It says more than the inventory where that was lost: no second root may be made.
		if roots := certs.Fingerprints(certs.CACertsFrom(plugged.Data).RootCert); len(roots) > 0 {
			c.out.Root = roots[0]
		}
		return nil
	}
	found, err := c.caOfIstiod(ctx)
	if err != nil {
		return err
	}
	if plugged != nil {
		set := certs.CACertsFrom(plugged.Data)
		found.CACerts = true
		found.SelfSigned = len(set.RootCert) > 0 && bytes.Equal(bytes.TrimSpace(set.CACert), bytes.TrimSpace(set.RootCert))
		if len(found.Roots) == 0 {
			found.Roots = certs.Fingerprints(set.RootCert)
		}
	}
	if found.CACerts || len(found.Roots) > 0 {
		c.out.CA = found
	}
	return nil
}

// caOfIstiod returns the root with which an istiod runs in Istio's namespace. It is
// empty where none does, whatever one that is gone left behind.
func (c *cluster) caOfIstiod(ctx context.Context) (*api.ForeignCA, error) {
	found := &api.ForeignCA{}
	list, err := c.Client.AppsV1().Deployments(c.in.Namespace).List(ctx, metav1.ListOptions{LabelSelector: fleet.IstiodPods})
	if err != nil {
		return nil, fmt.Errorf("look for istiod: %w", err)
	}
	if len(list.Items) == 0 {
		return found, nil
	}
	found.Istiod = list.Items[0].Name
	own, err := c.secret(ctx, selfSignedCA)
	if err != nil {
		return nil, err
	}
	if own != nil {
		found.SelfSigned, found.Roots = true, certs.Fingerprints(own.Data["ca-cert.pem"])
	}
	cm, err := c.Client.CoreV1().ConfigMaps(c.in.Namespace).Get(ctx, rootConfigMap, metav1.GetOptions{})
	switch {
	case err == nil:
		found.Roots = certs.Fingerprints([]byte(cm.Data["root-cert.pem"]))
	case !apierrors.IsNotFound(err):
		return nil, fmt.Errorf("read the mesh's root (ConfigMap %s/%s): %w", c.in.Namespace, rootConfigMap, err)
	}
	return found, nil
}

// secret reads a Secret of Istio's namespace, or returns nil where there is none.
func (c *cluster) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	s, err := c.Client.CoreV1().Secrets(c.in.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s/%s: %w", c.in.Namespace, name, err)
	}
	return s, nil
}
