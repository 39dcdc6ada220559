package fleet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const listed = `apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: prod}
spec:
  taskQueue: ours
  management: {taskQueue: hub}
  clustersFrom:
  - {source: argocd, namespace: argocd, selector: "env=prod,region in (eu,us)", istio: {platform: openshift}}
`

func TestClustersFrom_Offline_NamesOfClustersAreNotKnownYet(t *testing.T) {
	f := parse(t, listed+"  - {source: capi, namespace: clusters, taskQueue: inside, networkLabel: example.com/net}\n"+
		"  links: {hub: {cluster: east}}\n  ca: {root: {cluster: east}}\n  rollout: {approval: waves, waves: [{clusters: [east]}]}\n")
	require.Empty(t, f.Spec.Clusters)
	require.Equal(t, LabelNetwork, f.Spec.ClustersFrom[0].NetworkLabel)
	require.Equal(t, "ours", f.Spec.ClustersFrom[0].TaskQueue)
	require.Empty(t, f.Spec.CA.Root.TaskQueue, "that of a cluster which nobody knows yet")

	whole := f.WithFound([]Cluster{f.Spec.ClustersFrom[1].Cluster("east", "", "Cluster clusters/east", Kubeconfig{Path: "x"})})
	require.NoError(t, whole.Validate())
	require.Equal(t, "east-network", whole.Spec.Clusters[0].Network)
	require.Equal(t, "inside", whole.Spec.CA.Root.TaskQueue)
	require.Empty(t, whole.Spec.ClustersFrom)
	require.NotEmpty(t, f.Spec.ClustersFrom, "the fleet itself stays as it is")
	reach := f.Reach()
	require.NoError(t, reach.Validate())
	require.Len(t, reach.Spec.ClustersFrom, 2, "a fleet that no run has resolved is found by its sources")
	require.Equal(t, "hub", reach.Spec.Management.TaskQueue)
}

// What nobody could know before the sources were read is said with the object, since a cluster
// that was found has no line in a file.
func TestClustersFrom_Found_AreCheckedAsAWhole(t *testing.T) {
	f := parse(t, listed+"  clusters:\n  - {name: east, network: n, kubeconfig: {path: e}}\n  links: [{from: east, to: south}]\n")
	s := f.Spec.ClustersFrom[0]
	whole := f.WithFound([]Cluster{
		s.Cluster("east", "x", "Secret argocd/a", Kubeconfig{Path: "a"}),
		s.Cluster("west", "n", "Secret argocd/b", Kubeconfig{Path: "b"}),
	})
	var invalid *InvalidError
	require.ErrorAs(t, whole.Validate(), &invalid)
	text := strings.Join(invalid.Sentences(whole), "\n")
	require.Contains(t, text, "cluster east (Secret argocd/a).name: the same name as spec.clusters[0]; each needs its own")
	require.Contains(t, text, "cluster west (Secret argocd/b).network: the same network as spec.clusters[0]")
	require.Contains(t, text, `spec.links[0].to: no cluster of this fleet is called "south"`)
}

func TestClustersFrom_EachMistake(t *testing.T) {
	for text, want := range map[string]string{
		"{source: rancher, namespace: x}":                   "want argocd, capi, clusterprofile or ocm",
		"{source: ocm, secret: x, namespace: x}":            "ManagedClusters are in no namespace; leave it out",
		"{source: ocm}":                                     "want the one with the token of a ManagedServiceAccount",
		"{source: clusterprofile}":                          "spec.clustersFrom[1].namespace: is required",
		"{source: capi, namespace: x, secret: x}":           "is for the source ocm only",
		"{source: capi}":                                    "spec.clustersFrom[1].namespace: is required",
		"{source: capi, namespace: x, selector: 'a b'}":     `"a b" selects nothing: want labels as kubectl -l takes them`,
		"{source: capi, namespace: x, networkLabel: a/b/c}": `"a/b/c" is not the name of a label`,
		`{source: argocd, namespace: argocd, selector: "env=prod,region in (eu,us)"}`:                              "the same objects as",
		"{source: capi, namespace: x, istio: {platform: ocp}}":                                                     "spec.clustersFrom[1].istio.platform",
		"{source: capi, namespace: x, istio: {meshID: m}}":                                                         "is the same in the whole mesh",
		"{source: capi, namespace: x, gateways: {eastWest: {address: {hostname: a.example.com}}}}":                 "an address is that of one cluster",
		"{source: capi, namespace: x}\n  gateways: {eastWest: {address: {hostname: a.example.com}}}":               "spec.clustersFrom may list many",
		"{source: capi, namespace: x}\n  clusters: [{name: a, network: a, kubeconfig: {path: a}, from: Secret x}]": "Landbridge sets it at the clusters that spec.clustersFrom lists",
		"{source: capi, namespace: x}\n  clusters: [{name: a, network: a}]":                                        "set path, context, secret or clusterProfile",
	} {
		_, err := Parse("fleet.yaml", []byte(listed+"  - "+text+"\n"))
		require.ErrorContains(t, err, want, text)
	}
}
