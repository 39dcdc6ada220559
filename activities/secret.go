package activities

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// secret builds a Secret as Kubernetes' API takes it.
func secret(namespace, name string, typ corev1.SecretType, data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{TypeMeta: typeMeta(kinds.Secrets),
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: typ, Data: data}
}

// readSecret reads a Secret, or returns nil where there is none.
func readSecret(ctx context.Context, c *kube.Cluster, namespace, name string) (*corev1.Secret, error) {
	s, err := c.Client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err, "read Secret %s/%s", namespace, name)
	}
	return s, nil
}

// readSecretKey reads one key of a Secret, or returns nil where there is none.
func readSecretKey(ctx context.Context, c *kube.Cluster, namespace, name, key string) ([]byte, error) {
	s, err := readSecret(ctx, c, namespace, name)
	if s == nil || err != nil {
		return nil, err
	}
	return s.Data[key], nil
}
