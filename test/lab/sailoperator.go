package lab

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// operatorNamespace and operatorName say where the Sail operator runs, as its own chart
// has it.
const (
	operatorNamespace = "sail-operator"
	operatorName      = "sail-operator"
)

// createOperator makes the Deployment of the Sail operator. Its pod does nothing: the
// lab's own process stands in for it.
func createOperator(ctx context.Context, client kubernetes.Interface, c Cluster) error {
	_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: operatorNamespace}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	labels := map[string]string{"app.kubernetes.io/created-by": "sailoperator", "app.kubernetes.io/part-of": "sailoperator", "control-plane": operatorName}
	container := corev1.Container{Name: "sail-operator", Image: "lab.example/pod:" + imageTag, ImagePullPolicy: corev1.PullIfNotPresent}
	_, err = client.AppsV1().Deployments(operatorNamespace).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: operatorName, Labels: labels},
		Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{container}}}},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// runOperator makes the operator's Deployment tell whether the operator is at work.
func (s *sail) runOperator(ctx context.Context, b SailBehaviour) error {
	want := int32(1)
	if b.Away != "" {
		want = 0
	}
	d, err := s.known.deployments.Deployments(operatorNamespace).Get(operatorName)
	if apierrors.IsNotFound(err) || err == nil && *d.Spec.Replicas == want {
		return nil
	}
	if err != nil {
		return err
	}
	scale, err := s.client.AppsV1().Deployments(operatorNamespace).GetScale(ctx, operatorName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	scale.Spec.Replicas = want
	_, err = s.client.AppsV1().Deployments(operatorNamespace).UpdateScale(ctx, operatorName, scale, metav1.UpdateOptions{})
	return err
}
