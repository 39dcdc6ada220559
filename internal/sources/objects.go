package sources

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// readArgoCD reads a cluster Secret of Argo CD. The cluster is called as Argo CD calls it.
func readArgoCD(_ fleet.ClusterSource, o unstructured.Unstructured) (out object) {
	text, _, _ := unstructured.NestedString(o.Object, "data", "name")
	if data, err := base64.StdEncoding.DecodeString(text); err == nil {
		out.name = string(data)
	}
	if out.name == "" {
		out.name = o.GetName()
	}
	out.reached.Secret = fleet.KubeconfigSecret{Namespace: o.GetNamespace(), Name: o.GetName(), Format: fleet.FormatArgoCD}
	return out
}

// readCAPI reads a Cluster of Cluster API, and no Secret: the one of its kubeconfig is called
// after it. Until its control plane is there, it is not one that could be rolled out.
func readCAPI(_ fleet.ClusterSource, o unstructured.Unstructured) (out object) {
	out.name = o.GetName()
	out.reached.Secret = fleet.KubeconfigSecret{Namespace: o.GetNamespace(), Name: o.GetName() + "-kubeconfig", Format: fleet.FormatKubeconfig, Key: "value"}
	before, _, _ := unstructured.NestedBool(o.Object, "status", "controlPlaneReady")
	now, _, _ := unstructured.NestedBool(o.Object, "status", "initialization", "controlPlaneInitialized")
	switch {
	case o.GetDeletionTimestamp() != nil:
		out.not = beingDeleted
	case !before && !now:
		out.not = "its control plane is not there yet"
	}
	return out
}

// readClusterProfile reads a ClusterProfile. One that no access provider leads to cannot be
// reached yet.
func readClusterProfile(_ fleet.ClusterSource, o unstructured.Unstructured) (out object) {
	out.name = o.GetName()
	out.reached.ClusterProfile = fleet.ClusterProfile{Namespace: o.GetNamespace(), Name: o.GetName()}
	now, _, _ := unstructured.NestedSlice(o.Object, "status", "accessProviders")
	before, _, _ := unstructured.NestedSlice(o.Object, "status", "credentialProviders")
	switch {
	case o.GetDeletionTimestamp() != nil:
		out.not = beingDeleted
	case len(now)+len(before) == 0:
		out.not = "it names no access provider yet"
	}
	return out
}

// readOCM reads a ManagedCluster, whose namespace is called like it. The hub must have accepted
// it, and it must have joined.
func readOCM(s fleet.ClusterSource, o unstructured.Unstructured) (out object) {
	out.name = o.GetName()
	out.reached.Secret = fleet.KubeconfigSecret{Namespace: o.GetName(), Name: s.Secret, Format: fleet.FormatOCM}
	accepted, _, _ := unstructured.NestedBool(o.Object, "spec", "hubAcceptsClient")
	switch {
	case o.GetDeletionTimestamp() != nil:
		out.not = beingDeleted
	case !accepted:
		out.not = "the hub has not accepted it"
	case !isTrue(o, "ManagedClusterJoined"):
		out.not = "it has not joined the hub yet"
	}
	return out
}

// beingDeleted tells why an object is no cluster any more.
const beingDeleted = "it is being deleted"

// isTrue says whether an object has a condition that is true.
func isTrue(o unstructured.Unstructured, typ string) bool {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	return slices.ContainsFunc(list, func(item any) bool {
		c, _ := item.(map[string]any)
		return c["type"] == typ && c["status"] == "True"
	})
}

// unknownKind tells that the API server does not serve a kind: then the error names no object.
func unknownKind(err error) bool {
	var s apierrors.APIStatus
	return apierrors.IsNotFound(err) && errors.As(err, &s) && (s.Status().Details == nil || s.Status().Details.Name == "")
}

// explain says what to do where a source could not be read.
func explain(err error, s fleet.ClusterSource, kind kinds.Resource) error {
	switch {
	case err == nil:
		return nil
	case unknownKind(err):
		return &ReadError{&InvalidError{[]string{fmt.Sprintf("the management cluster has no kind %s.%s, which the source %s lists", kind.Kind, kind.Group, s)}}, err, kind}
	case apierrors.IsForbidden(err):
		return &ReadError{&InvalidError{[]string{fmt.Sprintf("the management cluster denies the worker to list %s%s (403); `landbridge rbac --management %s --from %s` prints the role", kind.Resource, s.Where(), cmp.Or(s.Namespace, "NAMESPACE"), s.Source)}}, err, kind}
	}
	return fmt.Errorf("list %s of the source %s in the management cluster: %w", kind.Resource, s, err)
}
