package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

// dns runs CoreDNS as a pod. It also knows the cloud's host names, whose first
// part is the end of their address.
var dns = template.Must(template.New("").Parse(`apiVersion: v1
kind: ServiceAccount
metadata: {name: coredns, namespace: kube-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "lab:coredns"}
rules:
- {apiGroups: [""], resources: [services, pods, namespaces], verbs: [list, watch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "lab:coredns"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "lab:coredns"}
subjects: [{kind: ServiceAccount, name: coredns, namespace: kube-system}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: coredns, namespace: kube-system}
data:
  Corefile: |
    .:53 {
      errors
      health
      ready
      cache 2
{{- range .Hosts}}
      template IN {{.Type}} lab.example {
        match "^lb-(?P<n>[0-9]+)\.[a-z0-9]+\.lab\.example\.$"
        {{if .Net}}answer "{{"{{ .Name }}"}} 5 IN {{.Type}} {{.Net}}{{"{{ .Group.n }}"}}"{{else}}rcode NOERROR{{end}}
      }
{{- end}}
      kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
      }
    }
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec:
      serviceAccountName: coredns
      dnsPolicy: Default
      containers:
      - name: coredns
        image: lab.example/coredns:{{.Tag}}
        args: [-conf, /etc/coredns/Corefile]
        readinessProbe: {httpGet: {path: /ready, port: 8181}, periodSeconds: 1}
        volumeMounts: [{name: config, mountPath: /etc/coredns}]
      volumes: [{name: config, configMap: {name: coredns}}]
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  clusterIP: "{{.DNS}}"
  selector: {k8s-app: kube-dns}
  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
`))

// hostAnswer tells how a query for one of the cloud's host names is answered.
type hostAnswer struct {
	// Type of the query: A or AAAA.
	Type string
	// Net has all of the address but its end. Empty: the name has no address of that type.
	Net string
}

// hostAnswers returns an answer for each family, as any DNS has: who asks for the family that
// a lab does not have learns that the name is there, without such an address.
func (c Cluster) hostAnswers() []hostAnswer {
	a, aaaa := hostAnswer{Type: "A"}, hostAnswer{Type: "AAAA"}
	if c.has(corev1.IPv4Protocol) {
		a.Net = "203.0.113."
	}
	if c.has(corev1.IPv6Protocol) {
		aaaa.Net = "2001:db8::203.0.113."
	}
	return []hostAnswer{a, aaaa}
}

// dnsTimeout covers the pull of the first images.
const dnsTimeout = 2 * time.Minute

// dnsOf writes the objects of a cluster's DNS.
func dnsOf(c Cluster) (string, error) {
	var text strings.Builder
	err := dns.Execute(&text, map[string]any{"Tag": imageTag, "DNS": c.dnsIP().String(), "Hosts": c.hostAnswers()})
	return text.String(), err
}

func (l *Lab) installDNS(ctx context.Context, c Cluster) error {
	text, err := dnsOf(c)
	if err != nil {
		return err
	}
	client, dyn, err := l.clients(c)
	if err != nil {
		return err
	}
	if err := create(ctx, dyn, text); err != nil {
		return fmt.Errorf("DNS of %s: %w", c.Name, err)
	}
	err = until(ctx, dnsTimeout, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		d, err := client.AppsV1().Deployments("kube-system").Get(ctx, "coredns", metav1.GetOptions{})
		if err == nil && d.Status.ReadyReplicas == 0 {
			err = errors.New("no pod of it is ready")
		}
		return err == nil, err
	})
	if err != nil {
		return fmt.Errorf("DNS of %s is not ready after %s (%w); kubelet says:\n%s", c.Name, dnsTimeout, err, l.logTail(c.process("kubelet")))
	}
	return nil
}

// plurals names the resources of the kinds that the lab creates from text.
var plurals = map[string]string{"ServiceAccount": "serviceaccounts", "ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings",
	"ConfigMap": "configmaps", "Deployment": "deployments", "Service": "services", "CustomResourceDefinition": "customresourcedefinitions"}

// create creates what a file of objects has; what is there stays.
func create(ctx context.Context, dyn dynamic.Interface, file string) error {
	docs := yaml.NewYAMLOrJSONDecoder(strings.NewReader(file), 4096)
	for {
		obj := &unstructured.Unstructured{}
		if err := docs.Decode(&obj.Object); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if len(obj.Object) == 0 {
			continue
		}
		gvk := obj.GroupVersionKind()
		res := schema.GroupVersionResource{Group: gvk.Group, Version: gvk.Version, Resource: plurals[gvk.Kind]}
		var err error
		if ns := obj.GetNamespace(); ns != "" {
			_, err = dyn.Resource(res).Namespace(ns).Create(ctx, obj, metav1.CreateOptions{})
		} else {
			_, err = dyn.Resource(res).Create(ctx, obj, metav1.CreateOptions{})
		}
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("%s %s: %w", gvk.Kind, obj.GetName(), err)
		}
	}
}
