package lab

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"helm.sh/helm/v3/pkg/postrender"
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

func (s *sail) postRenderer() postrender.PostRenderer {
	if s.cluster.Real {
		return nil
	}
	return withoutWebhooks{}
}

// withoutWebhooks drops what would call an istiod that does not run: the API
// server would wait for it with every pod and every Istio object.
type withoutWebhooks struct{}

func (withoutWebhooks) Run(in *bytes.Buffer) (*bytes.Buffer, error) {
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
		if len(doc) == 0 || strings.HasSuffix(kind, "WebhookConfiguration") || strings.HasPrefix(kind, "ValidatingAdmissionPolicy") {
			continue
		}
		data, err := sigsyaml.Marshal(doc)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "---\n%s", data)
	}
}
