package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/test/lab"
)

// real adds to a world clusters whose nodes run containers.
type real struct {
	*world
	fleet string
}

// needsRealNodes skips a test where the machine cannot have real nodes, and tells what is
// not tested and why.
func needsRealNodes(t testing.TB, what string) {
	t.Helper()
	if err := lab.CheckReal(); err != nil {
		t.Skipf("NOT TESTED HERE: %s. %v", what, err)
	}
}

// newReal starts clusters with real nodes, which go with the test, and writes a fleet file
// for links between them. Where the machine cannot, it skips the test and tells why.
func newReal(t testing.TB, n int, links string, flags ...string) *real {
	t.Helper()
	needsRealNodes(t, "traffic")
	began := time.Now()
	dir, err := os.MkdirTemp(labsDir, "real-")
	require.NoError(t, err)
	t.Cleanup(func() {
		if out, err := exec.Command(bin("lab"), "down", "--dir", dir).CombinedOutput(); err != nil {
			t.Errorf("lab down: %s", out)
		}
	})
	l, err := bringUp(dir, n, lab.NodesReal, flags...)
	require.NoError(t, err)
	t.Logf("lab up with real nodes: %.1f s", time.Since(began).Seconds())
	r := &real{world: worldOn(t, l)}
	r.start()
	var names []string
	for _, c := range l.Clusters {
		names = append(names, c.Name)
	}
	edit := []string{"links: mesh", "links: " + links}
	if n > 2 { // north has one node, and what is not drained needs no second pod
		edit = append(edit, "{path: north.kubeconfig}", "{path: north.kubeconfig}, gateways: {eastWest: {replicas: 1}, egress: {replicas: 1}}")
		edit = append(edit, "{path: east.kubeconfig}", "{path: front/east.kubeconfig}") // which ends TLS
	}
	r.fleet = r.file(names, edit...)
	return r
}

func (r *real) rollout(flags ...string) {
	r.t.Helper()
	began := time.Now()
	// Containers start as fast as the machine has time for them.
	out, code := r.try(append([]string{"rollout", "-f", r.fleet}, flags...)...)
	require.Zero(r.t, code, out)
	r.t.Logf("rollout with proof: %.1f s", time.Since(began).Seconds())
}

// verify returns the proof of each link, by link.
func (r *real) verify() map[string]api.CheckLinkResult {
	r.t.Helper()
	cmd := r.command(context.Background(), "verify", "-f", r.fleet, "-o", "json")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	data, _ := cmd.Output()
	var v api.VerifyResult
	require.NoError(r.t, json.Unmarshal(data, &v), "%s%s", data, &stderr)
	out := map[string]api.CheckLinkResult{}
	for _, l := range v.Links {
		out[l.Link] = l
	}
	return out
}

// allProven requires that each link is proven, at the latest when the clusters' own
// components (kube-proxy, the load balancer, NetworkPolicies) have followed what was done before.
func (r *real) allProven() {
	r.t.Helper()
	tries := 0
	took := r.eventually("each link is proven", func() error {
		tries++
		for _, l := range r.verify() {
			if !l.Proven {
				return errors.New(l.Sentence())
			}
		}
		return nil
	})
	if tries > 1 {
		r.t.Logf("each link is proven after %s, at try %d", took, tries)
	}
}

// eventually calls look until it succeeds, and returns how long that took.
func (r *real) eventually(what string, look func() error) time.Duration {
	r.t.Helper()
	began := time.Now()
	for {
		err := look()
		if err == nil {
			return time.Since(began)
		}
		require.Less(r.t, time.Since(began), patience, "%s: %v", what, err)
		time.Sleep(200 * time.Millisecond)
	}
}

// create posts YAML to a path of the API server.
func (r *real) create(cluster string, objs ...string) {
	r.t.Helper()
	c := r.connect(cluster)
	for _, o := range objs {
		path, body, _ := strings.Cut(o, "\n")
		_, err := c.RESTClient().Post().AbsPath(path).SetHeader("Content-Type", "application/yaml").Body([]byte(body)).DoRaw(context.Background())
		require.NoError(r.t, err, o)
	}
}

// patch merges JSON into an object, or deletes the object where merge is empty.
func (r *real) patch(cluster, path, merge string) {
	r.t.Helper()
	req := r.connect(cluster).RESTClient().Delete().AbsPath(path)
	if merge != "" {
		req = r.connect(cluster).RESTClient().Patch(types.MergePatchType).AbsPath(path).Body([]byte(merge))
	}
	_, err := req.DoRaw(context.Background())
	require.NoError(r.t, err, path)
}

// deleteNamespace deletes a namespace of some clusters, and waits until it is gone.
func (r *real) deleteNamespace(name string, clusters ...string) {
	r.t.Helper()
	for _, c := range clusters {
		r.patch(c, "/api/v1/namespaces/"+name, "")
	}
	for _, c := range clusters {
		r.eventually("namespace "+name+" goes", func() error {
			_, err := r.connect(c).CoreV1().Namespaces().Get(context.Background(), name, metav1.GetOptions{})
			if err == nil {
				return fmt.Errorf("it is still there")
			}
			return nil
		})
	}
}

// pod returns a ready pod with that label.
func (r *real) pod(cluster, namespace, selector string) (string, error) {
	pods, err := r.pods(cluster, namespace, selector)
	if err != nil {
		return "", err
	}
	return pods[0].Name, nil
}

// pods returns the ready pods with that label, at least one.
func (r *real) pods(cluster, namespace, selector string) (ready []corev1.Pod, err error) {
	list, err := r.connect(cluster).CoreV1().Pods(namespace).List(context.Background(), metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	for _, p := range list.Items {
		for _, c := range p.Status.Conditions {
			if p.DeletionTimestamp == nil && c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				ready = append(ready, p)
			}
		}
	}
	if len(ready) == 0 {
		err = fmt.Errorf("no pod of %s is ready in %s", selector, cluster)
	}
	return ready, err
}

// exec runs a command in a pod's container.
func (r *real) exec(cluster, namespace, pod, container string, command ...string) (string, error) {
	c := r.connect(cluster)
	req := c.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: container, Command: command, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	ex, err := remotecommand.NewSPDYExecutor(c.cfg, http.MethodPost, req.URL())
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err = ex.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &out})
	return strings.TrimSpace(out.String()), err
}

// istiod reads a path of a cluster's istiod on its debug port.
func (r *real) istiod(cluster, path string) (string, error) {
	pod, err := r.pod(cluster, "istio-system", "app=istiod")
	if err != nil {
		return "", err
	}
	c := r.connect(cluster)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := (&kube.Cluster{Name: cluster, Config: c.cfg, Client: c.Clientset}).DialPod(ctx, "istio-system", pod, 15014)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path); err != nil {
		return "", err
	}
	data, err := io.ReadAll(conn)
	return string(data), err
}

// sees creates a service in the other cluster, waits until the istiod of this one knows it,
// and returns how long that took.
func (r *real) sees(cluster, other, name string) time.Duration {
	r.t.Helper()
	r.create(other, "/api/v1/namespaces/default/services\napiVersion: v1\nkind: Service\nmetadata: {name: "+name+"}\nspec: {ports: [{name: http, port: 80}]}\n")
	took := r.eventually("istiod of "+cluster+" sees "+name+" of "+other, func() error {
		out, err := r.istiod(cluster, "/debug/registryz?brief=true")
		if err == nil && !strings.Contains(out, name+".default.svc") {
			err = fmt.Errorf("not in registryz")
		}
		return err
	})
	r.patch(other, "/api/v1/namespaces/default/services/"+name, "")
	return took
}

// inNode runs a command in the namespaces of a cluster's node.
func (r *real) inNode(cluster, command string, args ...string) (string, error) {
	out, err := r.lab.InNode(context.Background(), cluster, command, args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
