package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RemoteSecrets selects every Secret from which istiod learns of remote clusters.
// Their names do not matter to istiod: each key of the data names a cluster.
const RemoteSecrets = "istio/multiCluster=true"

// ListRemoteSecrets returns the remote secrets that the istiods of a namespace read,
// whoever made them. istiod looks into its own namespace only.
func (c *Cluster) ListRemoteSecrets(ctx context.Context, namespace string) ([]corev1.Secret, error) {
	list, err := c.Client.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: RemoteSecrets})
	if err != nil {
		return nil, fmt.Errorf("list the remote secrets of %s: %w", namespace, err)
	}
	return list.Items, nil
}

// RemoteClusters returns the IDs of the clusters that a remote secret names.
func RemoteClusters(s corev1.Secret) []string { return slices.Sorted(maps.Keys(s.Data)) }
