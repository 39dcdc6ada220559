package activities

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/redact"
	"github.com/landbridge/landbridge/internal/rights"
)

// Limits of what is gathered of one cluster, in bytes, lines and pods: Temporal
// carries it.
const (
	maxGathered   = 300 << 10
	gatheredLines = 60
	gatheredPods  = 12
)

// GatherCluster reads the fleet's objects on a cluster, and the pods, events and
// last log lines of Istio's namespace, for `landbridge gather`. Where the worker may
// not read something, the error takes its place. It changes nothing.
func (a *Activities) GatherCluster(ctx context.Context, in api.GatherClusterInput) (api.GatherClusterResult, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.GatherClusterResult{}, err
	}
	version, err := c.Version(ctx)
	if err != nil {
		return api.GatherClusterResult{}, err
	}
	g := &gathered{out: api.GatherClusterResult{Files: map[string]string{}}, left: maxGathered}
	g.add("version.txt", "Kubernetes "+version+"\n")
	g.pods(ctx, c, in.Namespace)
	g.events(ctx, c, in.Namespace)
	g.objects(ctx, c, in.ClusterRef)
	g.logs(ctx, c, in.Namespace)
	return g.out, nil
}

// gathered collects text until there is as much as Temporal may carry.
type gathered struct {
	out  api.GatherClusterResult
	left int
	// logged are the pods whose logs are wanted.
	logged []corev1.Pod
}

// add appends to a file what may still be carried, without secrets.
func (g *gathered) add(file, text string) {
	text = redact.Secrets(text)
	if len(text) > g.left {
		text, g.out.Cut = fleet.Brief(text, g.left), true
	}
	g.left -= len(text)
	g.out.Files[file] += text
}

// pods adds a line for each pod.
func (g *gathered) pods(ctx context.Context, c *kube.Cluster, namespace string) {
	list, err := c.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		g.add("pods.txt", err.Error()+"\n")
		return
	}
	if len(list.Items) == 0 {
		g.add("pods.txt", "there are none in "+namespace+"\n")
	}
	for _, p := range list.Items {
		ready, restarts, why := 0, 0, ""
		for _, s := range p.Status.ContainerStatuses {
			restarts += int(s.RestartCount)
			if s.Ready {
				ready++
			}
			if w := s.State.Waiting; w != nil {
				why = " " + w.Reason
			}
		}
		g.add("pods.txt", fmt.Sprintf("%s %d/%d %s, %d restarts%s\n", p.Name, ready, len(p.Spec.Containers), p.Status.Phase, restarts, why))
		if app := p.Labels["app"]; app == "istiod" || p.Labels[fleet.LabelFleet] != "" {
			g.logged = append(g.logged, p)
		}
	}
}

// events adds the newest events, the last one first.
func (g *gathered) events(ctx context.Context, c *kube.Cluster, namespace string) {
	list, err := c.Client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		g.add("events.txt", err.Error()+"\n")
		return
	}
	if len(list.Items) == 0 {
		g.add("events.txt", "there are none in "+namespace+"\n")
	}
	slices.SortFunc(list.Items, func(a, b corev1.Event) int { return kube.EventTime(b).Compare(kube.EventTime(a)) })
	for _, e := range list.Items[:min(len(list.Items), gatheredLines)] {
		g.add("events.txt", fmt.Sprintf("%s %s %s/%s %s: %s\n", kube.EventTime(e).Format("15:04:05"), e.Type, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message))
	}
}

// objects adds the objects that carry the fleet's label.
func (g *gathered) objects(ctx context.Context, c *kube.Cluster, s api.ClusterRef) {
	own := metav1.ListOptions{LabelSelector: fleet.LabelFleet + "=" + s.Fleet}
	for _, r := range rights.For(rights.Needs{Namespace: s.Namespace}) {
		// What is the fleet's, a worker may create and list; pods are listed by themselves.
		if !slices.Contains(r.Verbs, "create") || !slices.Contains(r.Verbs, "list") || r.Kind == kinds.Pods.Kind {
			continue
		}
		list, err := c.In(r.Resource, r.In).List(ctx, own)
		if err != nil {
			g.add("objects.yaml", fmt.Sprintf("# %s: %v\n", r.GroupResource(), err))
			continue
		}
		for i := range list.Items {
			data, err := yaml.Marshal(withoutSecrets(&list.Items[i]).Object)
			if err == nil {
				g.add("objects.yaml", "---\n"+string(data))
			}
		}
	}
}

// withoutSecrets replaces a Secret's data by its length and fingerprint, and leaves
// out what nobody reads.
func withoutSecrets(o *unstructured.Unstructured) *unstructured.Unstructured {
	unstructured.RemoveNestedField(o.Object, "metadata", "managedFields")
	unstructured.RemoveNestedField(o.Object, "metadata", "annotations", corev1.LastAppliedConfigAnnotation)
	if o.GetKind() != kinds.Secrets.Kind {
		return o
	}
	data, _, _ := unstructured.NestedMap(o.Object, "data")
	for _, k := range slices.Collect(maps.Keys(data)) {
		text, _ := data[k].(string)
		raw, _ := base64.StdEncoding.DecodeString(text)
		sum := sha256.Sum256(raw)
		data[k] = fmt.Sprintf("%d bytes, sha256:%s", len(raw), hex.EncodeToString(sum[:8]))
	}
	o.Object["data"] = data
	delete(o.Object, "stringData")
	return o
}

// logs adds the last lines of istiod and of the fleet's gateways.
func (g *gathered) logs(ctx context.Context, c *kube.Cluster, namespace string) {
	for _, p := range g.logged[:min(len(g.logged), gatheredPods)] {
		lines := int64(gatheredLines)
		data, err := c.Client.CoreV1().Pods(namespace).GetLogs(p.Name, &corev1.PodLogOptions{TailLines: &lines}).DoRaw(ctx)
		text := string(data)
		if err != nil {
			text = err.Error() + "\n"
		}
		g.add("logs/"+p.Name+".log", strings.ToValidUTF8(text, "?"))
	}
}
