package lab

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"strings"
	"text/template"

	"istio.io/istio/manifests"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// sailCRDs have the shape of Sail's that Landbridge relies on.
//
//go:embed crds/sail.yaml
var sailCRDs []byte

const istioCRDs = "charts/base/files/crd-all.gen.yaml"

// furnish gives a cluster its node, and the kinds that come with the Sail
// operator in real ones.
func (l *Lab) furnish(ctx context.Context, c Cluster) error {
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
	for _, file := range [][]byte{sailCRDs, istio} {
		if err := create(ctx, dyn, string(file)); err != nil {
			return fmt.Errorf("kinds of %s: %w", c.Name, err)
		}
	}
	return nil
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

const fleetFileName = "fleet.yaml"

var fleetFile = template.Must(template.New("fleet").Parse(`# A fleet of the lab's clusters. docs/operate.md says what else can stand here.
apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: lab}
spec:
  istio: {version: v1.31.0}
  ca: {organization: my-company.org}
  gateways: {loadBalancerTimeout: 2m}
  rollout: {stepTimeout: 3m{{if eq .Nodes "kwok"}}, skipProof: true{{end}}}
  clusters:
{{- range .Clusters}}
  - {name: {{.Name}}, network: {{.Name}}-network, kubeconfig: {path: {{.Name}}.kubeconfig}, apiServer: {tlsServerName: {{.ServerName}}}}
{{- end}}
  links: mesh
`))

func (l *Lab) writeFleetFile() error {
	var b strings.Builder
	if err := fleetFile.Execute(&b, l); err != nil {
		return err
	}
	return os.WriteFile(l.path(fleetFileName), []byte(b.String()), 0o644)
}
