package sources

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// management returns a management cluster with objects. It serves every kind of a source.
func management(objects ...*unstructured.Unstructured) *fake.FakeDynamicClient {
	lists := map[schema.GroupVersionResource]string{}
	for _, s := range known {
		for _, k := range s.kinds {
			lists[k.GroupVersionResource] = k.Kind + "List"
		}
	}
	var all []runtime.Object
	for _, o := range objects {
		all = append(all, o)
	}
	return fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, all...)
}

// an object from YAML.
func an(t *testing.T, text string, values ...any) *unstructured.Unstructured {
	t.Helper()
	var o unstructured.Unstructured
	require.NoError(t, yaml.Unmarshal(fmt.Appendf(nil, text, values...), &o.Object))
	return &o
}

func argo(t *testing.T, name, calls, more string) *unstructured.Unstructured {
	return an(t, "{apiVersion: v1, kind: Secret, metadata: {namespace: argocd, name: %s, labels: {argocd.argoproj.io/secret-type: cluster%s}}, data: {name: %s, config: c2VjcmV0}}",
		name, more, base64.StdEncoding.EncodeToString([]byte(calls)))
}

func capi(t *testing.T, name, status string) *unstructured.Unstructured {
	return an(t, "{apiVersion: cluster.x-k8s.io/v1beta2, kind: Cluster, metadata: {namespace: clusters, name: %s, labels: {env: prod}}, status: {%s}}", name, status)
}

const ready = "initialization: {controlPlaneInitialized: true}"

func list(t *testing.T, c *fake.FakeDynamicClient, from ...fleet.ClusterSource) (Found, error) {
	t.Helper()
	f := fleet.Fleet{Spec: fleet.Spec{ClustersFrom: from}}
	f.SetDefaults()
	return List(t.Context(), c, f.Spec.ClustersFrom)
}

var (
	ofArgo = fleet.ClusterSource{Source: fleet.SourceArgoCD, Namespace: "argocd"}
	ofCAPI = fleet.ClusterSource{Source: fleet.SourceCAPI, Namespace: "clusters"}
)

func TestList_EachSource_SaysWhereTheKubeconfigIs(t *testing.T) {
	c := management(argo(t, "cluster-2", "west", ", topology.istio.io/network: w"), argo(t, "cluster-1", "east", ""), capi(t, "north", ready), capi(t, "old", "controlPlaneReady: true"),
		an(t, "{apiVersion: v1, kind: Secret, metadata: {namespace: argocd, name: repo, labels: {argocd.argoproj.io/secret-type: repository}}}"))
	found, err := list(t, c, ofArgo, ofCAPI)
	require.NoError(t, err)
	require.Equal(t, []int{2, 2}, found.Counts)
	require.Empty(t, found.Passed)
	require.Len(t, found.Clusters, 4)
	for i, want := range []fleet.Cluster{
		{Name: "east", Network: "east-network", From: "Secret argocd/cluster-1", Kubeconfig: fleet.Kubeconfig{Secret: fleet.KubeconfigSecret{Namespace: "argocd", Name: "cluster-1", Format: "argocd"}}},
		{Name: "north", Network: "north-network", From: "Cluster clusters/north", Kubeconfig: fleet.Kubeconfig{Secret: fleet.KubeconfigSecret{Namespace: "clusters", Name: "north-kubeconfig", Format: "kubeconfig", Key: "value"}}},
		{Name: "old", Network: "old-network", From: "Cluster clusters/old", Kubeconfig: fleet.Kubeconfig{Secret: fleet.KubeconfigSecret{Namespace: "clusters", Name: "old-kubeconfig", Format: "kubeconfig", Key: "value"}}},
		{Name: "west", Network: "w", From: "Secret argocd/cluster-2", Kubeconfig: fleet.Kubeconfig{Secret: fleet.KubeconfigSecret{Namespace: "argocd", Name: "cluster-2", Format: "argocd"}}},
	} {
		want.TaskQueue = fleet.DefaultTaskQueue
		require.Equal(t, want, found.Clusters[i])
	}
}

func TestList_Selector_ChoosesByLabels(t *testing.T) {
	c := management(argo(t, "a", "east", ", env: prod"), argo(t, "b", "west", ", env: test"))
	s := ofArgo
	s.Selector, s.TaskQueue = "env in (prod, stage)", "inside"
	s.Istio.Platform = "openshift"
	found, err := list(t, c, s)
	require.NoError(t, err)
	require.Len(t, found.Clusters, 1)
	require.Equal(t, "east", found.Clusters[0].Name)
	require.Equal(t, "inside", found.Clusters[0].TaskQueue, "the source's settings are the cluster's")
	require.Equal(t, "openshift", found.Clusters[0].Istio.Platform)
}

// A cluster that is being made, or deleted, is told and not taken: its API server may not be there.
func TestList_NoClusterYet_IsPassedOver(t *testing.T) {
	going := capi(t, "going", ready)
	require.NoError(t, unstructured.SetNestedField(going.Object, "2026-01-02T03:04:05Z", "metadata", "deletionTimestamp"))
	found, err := list(t, management(capi(t, "new", ""), capi(t, "north", ready), going), ofCAPI)
	require.NoError(t, err)
	require.Len(t, found.Clusters, 1)
	require.ElementsMatch(t, []string{"Cluster clusters/going: it is being deleted", "Cluster clusters/new: its control plane is not there yet"}, found.Passed)
}

func TestList_NamesThatCannotBe_AreAllToldAtOnce(t *testing.T) {
	named := argo(t, "c", "north", "")
	named.SetAnnotations(map[string]string{fleet.AnnotationName: "south"})
	found, err := list(t, management(named), ofArgo)
	require.NoError(t, err)
	require.Equal(t, "south", found.Clusters[0].Name, "an annotation gives another name")

	_, err = list(t, management(argo(t, "a", "My Cluster", ""), argo(t, "b", "a-to-b", ""), argo(t, "d", "west", ""), argo(t, "e", "west", "")), ofArgo)
	var invalid *InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Problems, 3)
	require.Contains(t, invalid.Problems[0], `Secret argocd/a: "My Cluster" cannot be the name of a cluster`)
	require.Contains(t, invalid.Problems[2], "Secret argocd/d and Secret argocd/e are both called west; give one of them the annotation landbridge.dev/name")
}

// All is read or there is an error: else what could not be read would look as if it had gone.
func TestList_OneSourceCannotBeRead_IsAnError(t *testing.T) {
	for want, cause := range map[string]error{
		"denies the worker to list secrets in namespace argocd (403); `landbridge rbac --management argocd --from argocd`": apierrors.NewForbidden(kinds.Secrets.GroupResource(), "", fmt.Errorf("no")),
		"list secrets of the source argocd in namespace argocd in the management cluster: connection refused":              fmt.Errorf("connection refused"),
		"has no kind Secret., which the source argocd":                                                                     apierrors.NewGenericServerResponse(404, "list", kinds.Secrets.GroupResource(), "", "", 0, true),
	} {
		c := management(capi(t, "north", ready))
		c.PrependReactor("list", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, cause })
		_, err := list(t, c, ofCAPI, ofArgo)
		require.ErrorContains(t, err, want)
		var unread *ReadError
		if !errors.As(err, &unread) {
			require.ErrorIs(t, err, cause)
			continue
		}
		var invalid *InvalidError
		require.ErrorAs(t, err, &invalid, "a worker has no other word for it")
		require.Equal(t, cause, unread.Cause)
		require.Equal(t, kinds.Secrets, unread.Kind)
	}
}

// An older Cluster API serves an older version of its kind.
func TestList_AnOlderClusterAPI_IsReadByItsVersion(t *testing.T) {
	old := capi(t, "north", "controlPlaneReady: true")
	old.SetAPIVersion("cluster.x-k8s.io/v1beta1")
	c := management(old)
	c.PrependReactor("list", "clusters", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetResource().Version == "v1beta1" {
			return false, nil, nil
		}
		return true, nil, apierrors.NewGenericServerResponse(404, "list", a.GetResource().GroupResource(), "", "", 0, true)
	})
	found, err := list(t, c, ofCAPI)
	require.NoError(t, err)
	require.Len(t, found.Clusters, 1)
}

// The CRDs in testdata were written from the documentation of their projects, not copied from
// them: they have what a source reads, and let the rest be.
func TestCRDs_ServeEachKindOfASource(t *testing.T) {
	served := map[string]bool{"Secret/v1": true}
	files, err := filepath.Glob("testdata/crds/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		o := an(t, "%s", data)
		kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
		versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions")
		for _, v := range versions {
			served[kind+"/"+v.(map[string]any)["name"].(string)] = true
		}
	}
	for name, s := range known {
		for _, k := range s.kinds {
			require.True(t, served[k.Kind+"/"+k.Version], "%s: %s/%s", name, k.Kind, k.Version)
		}
	}
}
