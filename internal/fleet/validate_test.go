package fleet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each rule, with what it lets pass and what it does not.
func TestValidate_EachRule_OfOneField(t *testing.T) {
	long := strings.Repeat("x", 64)
	for field, c := range map[string]struct {
		good, bad []string
		message   string
	}{
		"istio: {version: %}":                                               {[]string{"v1.31.3", "v1.31-latest", "~", `""`}, []string{`"1.31"`, "v 1", "v1/2"}, "want a version as Sail names it"},
		"istio: {name: %}":                                                  {[]string{"default", "a-1"}, []string{"A", "-a", long}, "spec.istio.name"},
		"istio: {version: v1.31.3, updateStrategy: %}":                      {[]string{"InPlace", "RevisionBased", `""`}, []string{"inplace", "Canary"}, "want InPlace or RevisionBased"},
		"istio: {updateStrategy: RevisionBased, version: %}":                {[]string{"v1.31.3"}, []string{"v1.31-latest", "~"}, "since the revision of Istio is named after it"},
		"istio: {updateStrategy: RevisionBased, version: v1.31.3, name: %}": {[]string{"mesh"}, []string{strings.Repeat("x", 60)}, "is too long for a label (68 bytes, at most 63)"},
		"istio: {manage: false, updateStrategy: %}":                         {[]string{`""`}, []string{"InPlace", "RevisionBased"}, "is for an Istio that Landbridge installs"},
		"istio: {namespace: %}":                                             {[]string{"mesh"}, []string{"landbridge-system", "a.b"}, "spec.istio.namespace"},
		"istio: {cniNamespace: %}":                                          {[]string{"kube-system"}, []string{"a_b"}, "spec.istio.cniNamespace"},
		"istio: {trustDomain: %}":                                           {[]string{"cluster.local", "a.example.com"}, []string{"A", "a..b"}, "is not a trust domain: a lowercase RFC 1123 subdomain must consist"},
		"istio: {platform: %}":                                              {[]string{"openshift", `""`}, []string{"ocp"}, "want gke, k3d, k3s, microk8s, minikube or openshift"},
		"ca: {rootLifetime: %}":                                             {[]string{"87600h"}, []string{"23h"}, "a CA certificate must live for at least 24h"},
		"ca: {root: {cluster: %}}":                                          {[]string{"east"}, []string{"south"}, `no cluster of this fleet is called "south"`},
		"gateways: {apiPort: %}":                                            {[]string{"1", "65535"}, []string{"-1", "65536", "15021"}, "want a port from 1 to 65535 other than 15021"},
		"gateways: {chart: {oci: %}}":                                       {[]string{"oci://a/b@sha256:c"}, []string{"oci://a/b:1", "https://a@sha256:b"}, "pinned by digest"},
		"gateways: {chart: {directory: %}}":                                 {[]string{"gateway", "a/b"}, []string{"../a", "/a", ".", "a/../.."}, "must name a directory below"},
		"gateways: {loadBalancerTimeout: %}":                                {[]string{"1s"}, []string{"1ms"}, "want at least 1s, got 1ms"},
		"rollout: {maxParallel: %}":                                         {[]string{"1", "500"}, []string{"-1", "501"}, "want 1 to 500"},
		"rollout: {onFailure: %}":                                           {[]string{"undo", "keep"}, []string{"ignore"}, "want undo or keep"},
		"rollout: {stepTimeout: %}":                                         {[]string{"1s"}, []string{"999ms"}, "want at least 1s"},
		"rollout: {undoTimeout: %}":                                         {[]string{"1h"}, []string{"-1s"}, "want at least 1s"},
		"rollout: {proofTimeout: %}":                                        {[]string{"2m"}, []string{"10ms"}, "want at least 1s"},
		"links: {hub: {cluster: %}}":                                        {[]string{"east"}, []string{"south"}, "no cluster of this fleet is called"},
		"links: {hub: {cluster: east, direction: %}}":                       {[]string{"in", "out", "both"}, []string{"up"}, "want both, out or in"},
	} {
		for _, v := range c.good {
			parse(t, small+"  "+strings.Replace(field, "%", v, 1)+"\n")
		}
		for _, v := range c.bad {
			_, err := Parse("fleet.yaml", []byte(small+"  "+strings.Replace(field, "%", v, 1)+"\n"))
			require.ErrorContains(t, err, c.message, "%s with %s", field, v)
		}
	}
}
