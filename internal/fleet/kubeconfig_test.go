package fleet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const another = "  - {name: south, network: s, kubeconfig: %}\n"

func TestKubeconfig_InASecret_HasTheKeyOfClusterAPI(t *testing.T) {
	for text, want := range map[string]KubeconfigSecret{
		"{secret: {namespace: clusters, name: south-kubeconfig}}":                      {Namespace: "clusters", Name: "south-kubeconfig", Format: FormatKubeconfig, Key: "value"},
		"{secret: {namespace: clusters, name: a.b, key: kubeconfig.yaml}, context: x}": {Namespace: "clusters", Name: "a.b", Format: FormatKubeconfig, Key: "kubeconfig.yaml"},
		"{secret: {namespace: argocd, name: cluster-south, format: argocd}}":           {Namespace: "argocd", Name: "cluster-south", Format: FormatArgoCD},
	} {
		f := parse(t, small+strings.Replace(another, "%", text, 1))
		c, _ := f.Cluster("south")
		require.Equal(t, want, c.Kubeconfig.Secret, text)
		reach, found := f.Reach().Spec.Clusters[3], f.Reach()
		require.Equal(t, c.Kubeconfig, reach.Kubeconfig, "the schedule of the fleet goes the same way")
		require.NoError(t, found.Validate())
	}
}

func TestKubeconfig_InASecret_EachMistake(t *testing.T) {
	for text, want := range map[string]string{
		"{secret: {name: x}}":                                           "kubeconfig.secret.namespace",
		"{clusterProfile: {name: x}}":                                   "kubeconfig.clusterProfile.namespace",
		"{clusterProfile: {namespace: c}}":                              "is not the name of a ClusterProfile",
		"{clusterProfile: {namespace: c, name: x}, path: x}":            "by a Secret or by a ClusterProfile; leave the others out",
		"{secret: {namespace: clusters}}":                               "is not the name of a Secret",
		"{secret: {namespace: clusters, name: X}}":                      `"X" is not the name of a Secret`,
		"{secret: {namespace: clusters, name: x, key: a/b}}":            `"a/b" is not a key of a Secret`,
		"{secret: {namespace: clusters, name: x, format: rancher}}":     "want kubeconfig, argocd or ocm",
		"{secret: {namespace: clusters, name: x}, path: x}":             "a file (path) or a Secret, not both",
		"{secret: {namespace: c, name: x, format: argocd, key: x}}":     "a Secret of format argocd has keys of its own",
		"{secret: {namespace: c, name: x, format: argocd}, context: x}": "a Secret of format argocd has no contexts",
		"{secret: {namespace: c, name: x}}}\n  - {name: w2, network: w2, kubeconfig: {secret: {namespace: c, name: x}}": "the same API server (kubeconfig and context) as",
	} {
		_, err := Parse("fleet.yaml", []byte(small+strings.Replace(another, "%", text, 1)))
		require.ErrorContains(t, err, want, text)
	}
}
