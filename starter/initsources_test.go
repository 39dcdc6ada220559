package main

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/landbridge/landbridge/internal/fleet"
)

// kept says how a source has a cluster: the object that stands for it, where it is, and what the
// fleet file is to say.
type kept struct {
	namespace string
	object    func(name string, labels map[string]string) runtime.Object
	// resource and described name the object to the API server and to people.
	resource, described string
	// secret or profile says how the cluster is reached.
	secret  func(name string) fleet.KubeconfigSecret
	profile func(name string) fleet.ClusterProfile
	// unready makes an object that is no cluster yet, where the source has such; notYet says why.
	unready func(name string) runtime.Object
	notYet  string
	// args has what the source needs beside its namespace.
	args []string
}

const hush = "very-secret"

// keeping has each source. One that is missing fails every story below.
var keeping = map[string]kept{
	fleet.SourceArgoCD: {
		namespace: "argocd", resource: "secrets", described: "Secret argocd/",
		object: func(name string, labels map[string]string) runtime.Object {
			labels["argocd.argoproj.io/secret-type"] = "cluster"
			return &corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}, ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: name, Labels: labels},
				Data: map[string][]byte{"name": []byte(name), "server": []byte("https://192.0.2.1"), "config": []byte(`{"bearerToken":"` + hush + `"}`)}}
		},
		secret: func(name string) fleet.KubeconfigSecret {
			return fleet.KubeconfigSecret{Namespace: "argocd", Name: name, Format: fleet.FormatArgoCD}
		},
	},
	fleet.SourceCAPI: {
		namespace: "clusters", resource: "clusters", described: "Cluster clusters/",
		object: func(name string, labels map[string]string) runtime.Object {
			return capiCluster(name, labels, map[string]any{"initialization": map[string]any{"controlPlaneInitialized": true}})
		},
		secret: func(name string) fleet.KubeconfigSecret {
			return fleet.KubeconfigSecret{Namespace: "clusters", Name: name + "-kubeconfig", Format: fleet.FormatKubeconfig, Key: "value"}
		},
		unready: func(name string) runtime.Object { return capiCluster(name, nil, map[string]any{}) }, notYet: "its control plane is not there yet",
	},
	fleet.SourceClusterProfile: {
		namespace: "inventory", resource: "clusterprofiles", described: "ClusterProfile inventory/",
		object: func(name string, labels map[string]string) runtime.Object {
			return ofManager("multicluster.x-k8s.io/v1alpha2", "ClusterProfile", "inventory/"+name, labels, map[string]any{"status": map[string]any{"accessProviders": []any{map[string]any{"name": "x", "cluster": map[string]any{}}}}})
		},
		profile: func(name string) fleet.ClusterProfile {
			return fleet.ClusterProfile{Namespace: "inventory", Name: name}
		},
		unready: func(name string) runtime.Object {
			return ofManager("multicluster.x-k8s.io/v1alpha2", "ClusterProfile", "inventory/"+name, nil, map[string]any{})
		}, notYet: "it names no access provider yet",
	},
	fleet.SourceOCM: {
		resource: "managedclusters", described: "ManagedCluster ", args: []string{"--source-secret", "landbridge"},
		object: func(name string, labels map[string]string) runtime.Object {
			return ofManager("cluster.open-cluster-management.io/v1", "ManagedCluster", "/"+name, labels, map[string]any{"spec": map[string]any{"hubAcceptsClient": true},
				"status": map[string]any{"conditions": []any{map[string]any{"type": "ManagedClusterJoined", "status": "True"}}}})
		},
		secret: func(name string) fleet.KubeconfigSecret {
			return fleet.KubeconfigSecret{Namespace: name, Name: "landbridge", Format: fleet.FormatOCM}
		},
		unready: func(name string) runtime.Object {
			return ofManager("cluster.open-cluster-management.io/v1", "ManagedCluster", "/"+name, nil, map[string]any{})
		}, notYet: "the hub has not accepted it",
	},
}

// ofManager returns an object of a cluster manager, at namespace/name.
func ofManager(version, kind, at string, labels map[string]string, more map[string]any) runtime.Object {
	o := &unstructured.Unstructured{Object: more}
	namespace, name, _ := strings.Cut(at, "/")
	o.SetAPIVersion(version)
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	o.SetLabels(labels)
	return o
}

// reached says how a cluster of the source is reached.
func (k kept) reached(name string) fleet.Kubeconfig {
	if k.profile != nil {
		return fleet.Kubeconfig{ClusterProfile: k.profile(name)}
	}
	return fleet.Kubeconfig{Secret: k.secret(name)}
}

// where has the flags that say where the objects of the source are.
func (k kept) where() []string {
	if k.namespace == "" {
		return k.args
	}
	return append(k.args, "--source-namespace", k.namespace)
}

func capiCluster(name string, labels map[string]string, status map[string]any) runtime.Object {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "status": status}}
	o.SetNamespace("clusters")
	o.SetName(name)
	o.SetLabels(labels)
	return o
}
