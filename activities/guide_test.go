package activities

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/differences"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// Each folder of testdata is a step: guide.yaml has the objects as the guide's
// commands make them, ours.yaml those that the step makes (-update writes it), and
// differences.yaml explains each field that differs.

var update = flag.Bool("update", false, "write testdata/*/ours.yaml")

// guideSteps lists the folders of testdata with what makes the objects of each.
func guideSteps() map[string]func(*testing.T) []map[string]any {
	steps := map[string]func(*testing.T) []map[string]any{
		"EastWestGateway": func(*testing.T) []map[string]any {
			return []map[string]any{helmValues(eastWestRelease(api.EnsureEastWestGatewayInput{GatewaySettings: guideGateways(), Network: "west-network"}))}
		},
		"EgressGateway": func(t *testing.T) []map[string]any {
			in := api.EnsureEgressGatewayInput{LinkRef: api.LinkRef{ClusterRef: api.ClusterRef{Namespace: "istio-system"}, Link: fromEast[0]}, GatewaySettings: guideGateways()}
			policy, err := egressPolicy(egressRelease(in).name, in.Namespace, in.Gateways.Egress, portRange(fleet.EgressPort, fleet.EgressPort))
			require.NoError(t, err)
			obj, err := runtime.DefaultUnstructuredConverter.ToUnstructured(policy)
			require.NoError(t, err)
			return append([]map[string]any{helmValues(egressRelease(in))}, plain([]*unstructured.Unstructured{{Object: obj}})...)
		},
		"SharedEgress": func(t *testing.T) []map[string]any {
			release := sharedRelease(api.EnsureSharedEgressInput{ClusterRef: api.ClusterRef{Cluster: "east", Namespace: "istio-system"}, GatewaySettings: sharedGateways()})
			policy, err := egressPolicy(release.name, "istio-system", release.settings.Gateways.Egress, portRange(fleet.FirstSharedPort, fleet.LastSharedPort))
			require.NoError(t, err)
			obj, err := runtime.DefaultUnstructuredConverter.ToUnstructured(policy)
			require.NoError(t, err)
			return append([]map[string]any{helmValues(release)}, plain([]*unstructured.Unstructured{{Object: obj}})...)
		},
	}
	for _, p := range pairs {
		if steps[p.name] == nil {
			steps[p.name] = func(t *testing.T) []map[string]any { return plain(p.made(t)) }
		}
	}
	return steps
}

func TestGuide_EveryDifferenceIsExplained(t *testing.T) {
	for step, make := range guideSteps() {
		t.Run(step, func(t *testing.T) {
			dir := filepath.Join("testdata", strings.ToLower(step))
			ours := golden(t, filepath.Join(dir, "ours.yaml"), make(t))
			var explained map[string]string
			require.NoError(t, yaml.UnmarshalStrict(readFile(t, filepath.Join(dir, "differences.yaml")), &explained))
			found := differences.Between(byKind(documents(t, filepath.Join(dir, "guide.yaml"))), byKind(ours))
			for at, what := range found {
				if len(explained[at]) < 10 {
					t.Errorf("%s/differences.yaml does not explain\n%q: %s", dir, at, what)
				}
			}
			for at := range explained {
				if found[at] == "" {
					t.Errorf("%s/differences.yaml explains %q, which does not differ", dir, at)
				}
			}
		})
	}
}

func TestGuide_EveryFolderIsAStep(t *testing.T) {
	entries, err := os.ReadDir("testdata")
	require.NoError(t, err)
	names := map[string]bool{"fuzz": true, "egresstarget": true}
	for step := range guideSteps() {
		names[strings.ToLower(step)] = true
	}
	for _, e := range entries {
		require.True(t, names[e.Name()], "testdata/%s belongs to no step", e.Name())
	}
}

// plain returns objects as a person writes them, without Landbridge's marks, which
// are the same on all of them.
func plain(objs []*unstructured.Unstructured) (out []map[string]any) {
	for _, obj := range objs {
		labels, annotations := obj.GetLabels(), obj.GetAnnotations()
		for _, l := range []string{fleet.LabelFleet, fleet.LabelLink, fleet.LabelComponent, fleet.LabelManagedBy} {
			delete(labels, l)
		}
		maps.DeleteFunc(annotations, func(k, _ string) bool { return strings.HasPrefix(k, fleet.Domain+"/") })
		obj.SetLabels(labels)
		obj.SetAnnotations(annotations)
		for _, empty := range [][]string{{"metadata", "labels"}, {"metadata", "annotations"}, {"status"}, {"spec"}} {
			if m, ok, _ := unstructured.NestedMap(obj.Object, empty...); ok && len(m) == 0 {
				unstructured.RemoveNestedField(obj.Object, empty...)
			}
		}
		if obj.GetKind() == kinds.Secrets.Kind {
			showSecret(obj)
		}
		out = append(out, obj.Object)
	}
	slices.SortFunc(out, func(a, b map[string]any) int { return strings.Compare(objectName(a), objectName(b)) })
	return out
}

// showSecret replaces what a Secret holds by what it is.
func showSecret(obj *unstructured.Unstructured) {
	var s corev1.Secret
	data, _ := json.Marshal(obj.Object)
	if json.Unmarshal(data, &s) != nil || len(s.Data) == 0 || s.Type == corev1.SecretTypeServiceAccountToken {
		delete(obj.Object, "data") // Kubernetes fills it
		return
	}
	shown := map[string]any{}
	for k, v := range s.Data {
		shown[k] = show(v)
	}
	delete(obj.Object, "data")
	obj.Object["stringData"] = shown
}

func show(value []byte) any {
	var blocks []string
	for rest := value; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks = append(blocks, strings.TrimPrefix(block.Type, "EC ")) // the guide's are RSA's
	}
	if len(blocks) > 0 {
		return "(" + strings.Join(blocks, ", ") + ")"
	}
	if bytes.HasPrefix(value, []byte("AGE-SECRET-KEY")) {
		return "(age identity)"
	}
	var kubeconfig map[string]any
	if yaml.Unmarshal(value, &kubeconfig) == nil && kubeconfig["kind"] == "Config" {
		hide(kubeconfig)
		return kubeconfig
	}
	return string(value)
}

// hide replaces what is different in each cluster.
func hide(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			if k == "token" || k == "certificate-authority-data" {
				v[k] = "(" + k + ")"
			}
			hide(v[k])
		}
	case []any:
		for i := range v {
			hide(v[i])
		}
	}
}

// helmValues returns a release's values, without Landbridge's marks.
func helmValues(g gatewayRelease) map[string]any {
	values := gatewayValues(g, map[string]any{})
	if labels := values["labels"].(map[string]any); len(labels) == 0 {
		delete(values, "labels")
	}
	return values
}

func objectName(obj map[string]any) string {
	if obj["kind"] == nil {
		return "values"
	}
	return fmt.Sprint(obj["kind"], "/", obj["metadata"].(map[string]any)["name"])
}

// byKind names objects by their kind, and by their name where there are several.
func byKind(objs []map[string]any) map[string]any {
	count, out := map[any]int{}, map[string]any{}
	for _, obj := range objs {
		count[obj["kind"]]++
	}
	for _, obj := range objs {
		name := objectName(obj)
		if count[obj["kind"]] == 1 {
			name, _, _ = strings.Cut(name, "/")
		}
		out[name] = obj
	}
	return out
}

// golden compares documents with those of a file, and returns them as read from it.
func golden(t *testing.T, path string, docs []map[string]any) []map[string]any {
	t.Helper()
	var b bytes.Buffer
	for i, d := range docs {
		if i > 0 {
			b.WriteString("---\n")
		}
		data, err := yaml.Marshal(d)
		require.NoError(t, err)
		b.Write(data)
	}
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	}
	require.Equal(t, string(readFile(t, path)), b.String(), "run: go test ./activities -update")
	return documents(t, path)
}

func documents(t *testing.T, path string) (docs []map[string]any) {
	t.Helper()
	for _, part := range strings.Split("\n"+string(readFile(t, path)), "\n---\n") {
		var doc map[string]any
		require.NoError(t, yaml.UnmarshalStrict([]byte(part), &doc), path)
		if doc != nil {
			docs = append(docs, doc)
		}
	}
	return docs
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}
