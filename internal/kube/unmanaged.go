package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/landbridge/landbridge/internal/kinds"
)

// passingKinds lists kinds of objects that come and go with others, or that report.
var passingKinds = map[string]bool{"Event": true, "Lease": true, "Endpoints": true, "EndpointSlice": true}

// maxUnmanaged limits how many objects, or kinds, go into a message.
const maxUnmanaged = 5

// Unmanaged tells why a namespace cannot be deleted with what is in it.
type Unmanaged struct {
	// Objects lists what a person made, or may have made, as Kind/name with its writer.
	Objects []string
	// Refused lists the kinds that the worker may not list.
	Refused []string
	// Broken lists the kinds that the API server fails to list, with its words.
	Broken []string
}

// Error tells why the namespace stays and what a person can do, or returns "" where
// nothing is in the way.
func (u Unmanaged) Error(namespace string) string {
	var why, do []string
	if len(u.Objects) > 0 {
		why = append(why, "it holds what Landbridge did not make: "+firstFew(u.Objects))
		do = append(do, "move that away")
	}
	if len(u.Refused) > 0 {
		why = append(why, "the worker may not list what else may be in it: "+firstFew(u.Refused))
		do = append(do, "let the worker list these kinds (`landbridge rbac` prints the role)")
	}
	if len(u.Broken) > 0 {
		why = append(why, "the API server fails to list what else may be in it: "+firstFew(u.Broken))
		do = append(do, "repair or remove these kinds")
	}
	if len(why) == 0 {
		return ""
	}
	return fmt.Sprintf("namespace %s stays, since %s; %s and clean up again, or delete the namespace yourself", namespace, strings.Join(why, "; and since "), strings.Join(do, ", "))
}

func firstFew(list []string) string {
	if more := len(list) - maxUnmanaged; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:maxUnmanaged], ", "), more)
	}
	return strings.Join(list, ", ")
}

// listAgain has the pauses after which a kind that could not be listed is listed again: an
// API server fails, or denies, for a moment while etcd chooses a leader or roles are read.
var listAgain = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}

// Unmanaged looks into a namespace for what neither this fleet nor the platform put
// there. It passes over a group of the API that does not answer at all: Kubernetes
// itself keeps the namespace, and names the group in its conditions, until it answers.
func (w *Writer) Unmanaged(ctx context.Context, namespace string) (Unmanaged, error) {
	resources, err := w.kindsToLookAt()
	if err != nil {
		return Unmanaged{}, err
	}
	out, unlisted, err := w.lookInto(ctx, namespace, resources)
	for _, wait := range listAgain {
		if len(unlisted) == 0 || err != nil {
			break
		}
		select {
		case <-ctx.Done():
			return out, ctx.Err()
		case <-time.After(wait):
		}
		var again Unmanaged
		again, unlisted, err = w.lookInto(ctx, namespace, unlisted)
		out = Unmanaged{append(out.Objects, again.Objects...), again.Refused, again.Broken}
	}
	return out, err
}

// lookInto looks for objects of some kinds, and returns which kinds could not be listed.
func (w *Writer) lookInto(ctx context.Context, namespace string, resources []kinds.Resource) (out Unmanaged, unlisted []kinds.Resource, err error) {
	compare := &comparison{cluster: w.Cluster, fleet: w.Owner.Fleet, namespace: namespace}
	for _, r := range resources {
		objs, err := w.objectsIn(ctx, r, namespace)
		switch {
		case apierrors.IsNotFound(err): // the kind went meanwhile, and its objects with it
		case apierrors.IsForbidden(err):
			out.Refused, unlisted = append(out.Refused, r.GroupResource().String()), append(unlisted, r)
		case err != nil && passesSoon(err):
			return out, nil, fmt.Errorf("list %s in %s: %w", r.Resource, namespace, err)
		case err != nil:
			out.Broken, unlisted = append(out.Broken, fmt.Sprintf("%s (%v)", r.GroupResource(), err)), append(unlisted, r)
		default:
			found, err := w.unmanagedOf(ctx, compare, r, objs)
			if err != nil {
				return out, nil, err
			}
			out.Objects = append(out.Objects, found...)
		}
	}
	return out, unlisted, nil
}

// deletable lists the namespaced kinds whose objects go with their namespace: those
// that can be listed and deleted. A kind that only can be listed, such as OLM's
// PackageManifest, is computed, and nobody loses it.
func (w *Writer) deletable() ([]kinds.Resource, error) {
	lists, err := w.Discovery.ServerPreferredNamespacedResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, fmt.Errorf("list the kinds of the cluster: %w", err)
	}
	var out []kinds.Resource
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			if slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "delete") && !passingKinds[r.Kind] {
				out = append(out, kinds.Resource{GroupVersionResource: gv.WithResource(r.Name), Kind: r.Kind})
			}
		}
	}
	return out, nil
}

// passesSoon returns whether it is worth to try again at once: the network failed, or
// the API server is busy. What an API server cannot do stays so, such as converting
// objects whose operator is gone.
func passesSoon(err error) bool {
	var status apierrors.APIStatus
	return !errors.As(err, &status) || apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsUnauthorized(err)
}
