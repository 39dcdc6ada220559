package lab

import (
	"context"
	"fmt"

	"istio.io/istio/manifests"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const istioCRDs = "charts/base/files/crd-all.gen.yaml"

// createPlatformObjects gives a cluster what its platform would have put there
// before Landbridge comes: a node, and the kinds of the Sail operator and of Istio.
func (l *Lab) createPlatformObjects(ctx context.Context, c Cluster) error {
	client, dyn, err := l.clients(c)
	if err != nil {
		return err
	}
	if !c.Real { // a real node registers itself
		if err := createNode(ctx, client, c); err != nil {
			return fmt.Errorf("node of %s: %w", c.Name, err)
		}
	}
	istio, err := manifests.FS.ReadFile(istioCRDs)
	if err != nil {
		return err
	}
	if err := create(ctx, dyn, string(istio)); err != nil {
		return fmt.Errorf("kinds of %s: %w", c.Name, err)
	}
	kinds, err := sailKinds()
	if err != nil {
		return err
	}
	for _, crd := range kinds {
		_, err := dyn.Resource(crdsResource).Create(ctx, crd, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("kinds of %s: %w", c.Name, err)
		}
	}
	if err := createLogin(ctx, client); err != nil {
		return fmt.Errorf("account of %s in %s: %w", PluginName, c.Name, err)
	}
	return createOperator(ctx, client, c)
}

func createNode(ctx context.Context, client kubernetes.Interface, c Cluster) error {
	room := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("256Gi"), corev1.ResourcePods: resource.MustParse("1000")}
	_, err := client.CoreV1().Nodes().Create(ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: c.node(), Labels: map[string]string{"kubernetes.io/os": "linux", "kubernetes.io/hostname": c.node()}},
		Status:     corev1.NodeStatus{Capacity: room, Allocatable: room},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
