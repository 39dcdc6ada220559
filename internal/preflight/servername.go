package preflight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// caConfigMap holds the bundle that Kubernetes puts into every token Secret.
const caConfigMap = "kube-root-ca.crt"

// checkServerName finds a name for which the API server's certificate verifies
// against the CA that goes into the remote secret.
func (c *cluster) checkServerName(ctx context.Context) error {
	ca, err := c.apiServerCA(ctx)
	if err != nil {
		return err
	}
	var refused []string
	var unnamed kube.ServerNameError
	names, otherCA := c.serverNames(ctx), 0
	for _, name := range names {
		err := c.CheckTLS(ctx, name, ca)
		if err == nil {
			c.out.TLSServerName = name
			return nil
		}
		var wrong *kube.ServerNameError
		var other *kube.OtherCAError
		switch {
		case errors.As(err, &wrong):
			unnamed.Asked, unnamed.Certificate = append(unnamed.Asked, wrong.Asked...), wrong.Certificate
			continue
		case errors.As(err, &other):
			otherCA++
		}
		refused = append(refused, err.Error())
	}
	if otherCA == len(names) && c.behindFront(ctx, ca) {
		// What the kubeconfig leads to is not the API server, so that its certificate says
		// nothing. Pods ask the API server itself, and so does an east-west gateway.
		c.out.TLSServerName, c.out.ServerNameUnchecked = cmp.Or(c.in.TLSServerName, inCluster), true
		return nil
	}
	if otherCA > 0 && c.in.TLSServerName != "" {
		refused = append(refused, "leave spec.clusters[].apiServer.tlsServerName out, or set it to "+inCluster)
	}
	if len(unnamed.Asked) > 0 { // the same certificate, whatever the name
		refused = append(refused, unnamed.Error())
	}
	c.problem("%s", strings.Join(refused, "; and "))
	return nil
}

// inCluster names every API server inside its cluster.
const inCluster = "kubernetes.default.svc"

// behindFront returns whether the kubeconfig leads through a front that ends TLS, such as
// Rancher, Teleport or a cloud's gateway: not even the name that every API server has gets a
// certificate of the cluster's own CA.
func (c *cluster) behindFront(ctx context.Context, ca []byte) bool {
	var other *kube.OtherCAError
	return errors.As(c.CheckTLS(ctx, inCluster, ca), &other)
}

// serverNames returns the names to try: the fleet file's alone, or else those of the
// kubeconfig and of OpenShift, and the one that every API server has.
func (c *cluster) serverNames(ctx context.Context) []string {
	if c.in.TLSServerName != "" {
		return []string{c.in.TLSServerName}
	}
	names := append(hostNames(c.Config.Host), c.openShiftNames(ctx)...)
	return append(names, inCluster)
}

// openShiftNames returns the names that OpenShift gives its API server, the inner one
// first, since its certificate is always the cluster's own. It returns none where
// they cannot be read.
func (c *cluster) openShiftNames(ctx context.Context) (names []string) {
	infra, err := c.Get(ctx, kinds.Infrastructures, "", "cluster")
	if err != nil {
		return nil
	}
	for _, field := range []string{"apiServerInternalURI", "apiServerURL"} {
		at, _, _ := unstructured.NestedString(infra.Object, "status", field)
		names = append(names, hostNames(at)...)
	}
	return names
}

// hostNames returns the host of a URL where that is a name and not an address, in lower
// case: EKS writes its hosts with capitals, and a server name is compared as it stands.
func hostNames(at string) []string {
	u, err := url.Parse(at)
	if err != nil || u.Hostname() == "" || u.Hostname() == "localhost" {
		return nil
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil
	}
	return []string{strings.ToLower(u.Hostname())}
}

// apiServerCA returns the bundle that goes into the remote secret.
func (c *cluster) apiServerCA(ctx context.Context) ([]byte, error) {
	cm, err := c.Client.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, caConfigMap, metav1.GetOptions{})
	switch {
	case err == nil:
		return []byte(cm.Data[corev1.ServiceAccountRootCAKey]), nil
	case (apierrors.IsNotFound(err) || apierrors.IsForbidden(err)) && len(c.Config.CAData) > 0:
		return c.Config.CAData, nil
	}
	return nil, fmt.Errorf("read the cluster's CA bundle (ConfigMap %s/%s): %w", metav1.NamespaceSystem, caConfigMap, err)
}
