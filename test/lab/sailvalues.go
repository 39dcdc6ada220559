package lab

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/postrender"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// platformValues fit Istio's charts to the lab, where a fleet file does not say
// otherwise.
func platformValues(c Cluster, nodeDir string) map[string]any {
	if !c.Real {
		return map[string]any{}
	}
	return map[string]any{
		// Envoy as the wheel has it lacks Istio's own filters.
		"pilot": map[string]any{"env": map[string]any{
			"PILOT_ENABLE_METADATA_EXCHANGE": "false", "PILOT_ENABLE_ALPN_FILTER": "false"}},
		"telemetry": map[string]any{"enabled": false},
		"global": map[string]any{
			"hub": "lab.example/istio", "tag": imageTag,
			// The images have nft, and no iptables.
			"nativeNftables": true,
			// 15 s would make a gateway of the lab wait that long.
			"proxy": map[string]any{"readinessPeriodSeconds": 1},
		},
		"cniBinDir":  filepath.Join(nodeDir, "cni", "bin"),
		"cniConfDir": filepath.Join(nodeDir, "cni", "net.d"),
	}
}

// valuesFor returns the values that Sail adds for a version: the images are those of
// that version. Real nodes have images of one version only.
func (s *sail) valuesFor(version string) map[string]any {
	out := chartutil.CoalesceTables(map[string]any{}, s.platform)
	if !s.cluster.Real {
		out["global"] = map[string]any{"tag": version}
	}
	// The kinds are there already.
	out["base"] = map[string]any{"enableCRDTemplates": false}
	return out
}

func (s *sail) postRenderer(owner *unstructured.Unstructured) postrender.PostRenderer {
	return ofSail{ownerReference(owner), s.cluster.Real}
}

// ofSail gives what a chart renders its owner and Sail's label. Without an istiod that
// answers it drops the webhooks: the API server would wait for istiod with every pod
// and every Istio object.
type ofSail struct {
	owner    map[string]any
	webhooks bool
}

func (r ofSail) Run(in *bytes.Buffer) (*bytes.Buffer, error) {
	out := &bytes.Buffer{}
	docs := yaml.NewYAMLOrJSONDecoder(in, 4096)
	for {
		var doc map[string]any
		if err := docs.Decode(&doc); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		kind, _ := doc["kind"].(string)
		webhook := strings.HasSuffix(kind, "WebhookConfiguration") || strings.HasPrefix(kind, "ValidatingAdmissionPolicy")
		if len(doc) == 0 || webhook && !r.webhooks {
			continue
		}
		if err := unstructured.SetNestedField(doc, "sail-operator", "metadata", "labels", "managed-by"); err != nil {
			return nil, err
		}
		if err := unstructured.SetNestedSlice(doc, []any{r.owner}, "metadata", "ownerReferences"); err != nil {
			return nil, err
		}
		data, err := sigsyaml.Marshal(doc)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "---\n%s", data)
	}
}
