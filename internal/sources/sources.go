// Package sources lists the clusters that are kept in objects of a management cluster: it reads
// the objects, and returns where each cluster's kubeconfig is, and nothing of a credential.
package sources

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// InvalidError reports objects that cannot be clusters of the fleet as they are.
type InvalidError struct{ Problems []string }

func (e *InvalidError) Error() string {
	return "what spec.clustersFrom lists cannot be rolled out: " + strings.Join(e.Problems, "; ")
}

// ReadError reports a source that the management cluster does not let somebody read. Its sentence
// is for a worker; Cause and Kind are for whoever reads with rights of their own.
type ReadError struct {
	*InvalidError
	// Cause has the answer of the management cluster.
	Cause error
	// Kind that was to be listed.
	Kind kinds.Resource
}

// Unwrap implements errors.As: a source that cannot be read is invalid.
func (e *ReadError) Unwrap() error { return e.InvalidError }

// Found holds what the sources list.
type Found struct {
	// Clusters in the order of their names.
	Clusters []fleet.Cluster
	// Counts has, by the index of each source, how many clusters it lists.
	Counts []int
	// Passed tells of the objects that are no clusters yet, or not any more, and why.
	Passed []string
}

// object holds what a source needs of one object.
type object struct {
	name    string
	reached fleet.Kubeconfig
	// not tells why the object is no cluster now, where it is not.
	not string
}

// source says how the objects of one sort are found and read.
type source struct {
	// kinds lists the versions of the kind, the newest first.
	kinds []kinds.Resource
	// labels limits the objects beside the selector of the fleet file.
	labels string
	read   func(fleet.ClusterSource, unstructured.Unstructured) object
}

var known = map[string]source{
	fleet.SourceArgoCD: {[]kinds.Resource{kinds.Secrets}, "argocd.argoproj.io/secret-type=cluster", readArgoCD},
	fleet.SourceCAPI:   {kinds.CAPIClusters, "", readCAPI},

	fleet.SourceClusterProfile: {kinds.ClusterProfiles, "", readClusterProfile},
	fleet.SourceOCM:            {[]kinds.Resource{kinds.ManagedClusters}, "", readOCM},
}

// List reads the objects of every source. Either all are read, or there is an error: a list that
// lacks some would look as if these had gone.
func List(ctx context.Context, c dynamic.Interface, from []fleet.ClusterSource) (Found, error) {
	out := Found{Counts: make([]int, len(from))}
	var problems []string
	byName := map[string]string{}
	for i, s := range from {
		objects, err := read(ctx, c, s)
		if err != nil {
			return out, err
		}
		for _, o := range objects {
			what, found := describe(o), known[s.Source].read(s, o)
			found.name = cmp.Or(name(o), found.name)
			switch {
			case found.not != "":
				out.Passed = append(out.Passed, what+": "+found.not)
				continue
			case !fleet.ClusterName(found.name):
				problems = append(problems, fmt.Sprintf("%s: %q cannot be the name of a cluster, which is a DNS label of at most 23 characters without -to-; give the object the annotation %s with one",
					what, fleet.Brief(fleet.OneLine(found.name), 60), fleet.AnnotationName))
				continue
			case byName[found.name] != "":
				problems = append(problems, fmt.Sprintf("%s and %s are both called %s; give one of them the annotation %s with another name", byName[found.name], what, found.name, fleet.AnnotationName))
				continue
			}
			byName[found.name] = what
			out.Counts[i]++
			out.Clusters = append(out.Clusters, s.Cluster(found.name, o.GetLabels()[s.NetworkLabel], what, found.reached))
		}
	}
	if len(out.Clusters) > fleet.MaxMembers {
		problems = append(problems, fmt.Sprintf("they list %d clusters, and at most %d can be in a fleet; narrow the selectors", len(out.Clusters), fleet.MaxMembers))
	}
	if len(problems) > 0 {
		return out, &InvalidError{problems}
	}
	slices.SortFunc(out.Clusters, func(a, b fleet.Cluster) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// name returns the name that somebody gave the cluster of an object, or nothing.
func name(o unstructured.Unstructured) string {
	return cmp.Or(o.GetAnnotations()[fleet.AnnotationName], o.GetLabels()[fleet.AnnotationName])
}

// describe names an object for people.
func describe(o unstructured.Unstructured) string {
	return o.GetKind() + " " + strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/")
}

// pageSize limits how many objects are read at once.
const pageSize = 250

// read lists the objects of one source.
func read(ctx context.Context, c dynamic.Interface, s fleet.ClusterSource) ([]unstructured.Unstructured, error) {
	sort, ok := known[s.Source]
	if !ok {
		return nil, &InvalidError{[]string{fmt.Sprintf("%q is no source that this worker knows", s.Source)}}
	}
	selector := strings.Trim(sort.labels+","+s.Selector, ",")
	var err error
	for _, kind := range sort.kinds {
		var out []unstructured.Unstructured
		if out, err = pages(ctx, c.Resource(kind.GroupVersionResource).Namespace(s.Namespace), kind, selector); err == nil || !unknownKind(err) {
			return out, explain(err, s, kind)
		}
	}
	return nil, explain(err, s, sort.kinds[0])
}

func pages(ctx context.Context, c dynamic.ResourceInterface, kind kinds.Resource, selector string) (out []unstructured.Unstructured, err error) {
	for o := (metav1.ListOptions{LabelSelector: selector, Limit: pageSize}); ; {
		list, err := c.List(ctx, o)
		if err != nil {
			return nil, err
		}
		for _, item := range list.Items {
			item.SetKind(kind.Kind)
			out = append(out, item)
		}
		if o.Continue = list.GetContinue(); o.Continue == "" {
			return out, nil
		}
	}
}
