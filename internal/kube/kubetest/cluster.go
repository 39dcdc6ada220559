// Package kubetest gives tests a cluster without an API server: client-go's fake
// clients, typed and dynamic, on one store, with server-side apply and its
// conflicts, watches, identities, and finalizers that hold deletions up. It admits what no
// API server would (nothing is validated, defaulted or versioned) and runs no
// controllers; tests of those use the lab.
package kubetest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientdiscovery "k8s.io/client-go/discovery"
	fakediscovery "k8s.io/client-go/discovery/fake"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	clientset "k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// ServiceVersions has the kind that OLM copies into every namespace.
var ServiceVersions = kinds.Resource{GroupVersionResource: schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: "clusterserviceversions"}, Kind: "ClusterServiceVersion"}

// untyped lists the kinds that client-go has no types for.
var untyped = append([]kinds.Resource{ServiceVersions, kinds.CRDs, kinds.Istios, kinds.IstioRevisions, kinds.IstioCNIs, kinds.IstioGateways, kinds.VirtualServices, kinds.DestinationRules,
	kinds.ServiceEntries, kinds.AuthorizationPolicies, kinds.Infrastructures, kinds.CertificateRequests, kinds.Issuers, kinds.ClusterIssuers, kinds.ManagedClusters},
	slices.Concat(kinds.CAPIClusters, kinds.ClusterProfiles)...)

// Cluster holds the clients of a fake cluster, which Cluster.Cluster uses.
type Cluster struct {
	*kube.Cluster
	typed   *clientset.Clientset
	dynamic *dynamicfake.FakeDynamicClient
	store   *store
}

// New makes a cluster of that name with the given objects in it. It panics where
// an object cannot be there, as client-go's own fakes do.
func New(name string, objects ...runtime.Object) *Cluster {
	scheme, listKinds := known()
	s := newStore(scheme)
	typed, dyn := &clientset.Clientset{}, dynamicfake.NewSimpleDynamicClientWithCustomListKinds(scheme, listKinds)
	typed.AddReactor("*", "*", clienttesting.ObjectReaction(s))
	dyn.PrependReactor("*", "*", clienttesting.ObjectReaction(s))
	dyn.PrependReactor("patch", "*", tried)
	dyn.PrependWatchReactor("*", s.watching)
	c := &Cluster{typed: typed, dynamic: dyn, store: s, Cluster: &kube.Cluster{
		Name: name, Config: &rest.Config{Host: "https://" + name + ".test"}, Client: typed, Dynamic: dyn,
		Discovery: &preferred{FakeDiscovery: &fakediscovery.FakeDiscovery{Fake: &typed.Fake}}}}
	for _, obj := range objects {
		c.Put(obj)
	}
	return c
}

// tried answers an apply that is a dry run: it changes nothing.
func tried(action clienttesting.Action) (bool, runtime.Object, error) {
	patch, ok := action.(clienttesting.PatchActionImpl)
	if !ok || len(patch.PatchOptions.DryRun) == 0 {
		return false, nil, nil
	}
	obj := &unstructured.Unstructured{}
	return true, obj, obj.UnmarshalJSON(patch.GetPatch())
}

// Put makes an object what it is given as, without a request. It panics where the
// object cannot be there.
func (c *Cluster) Put(obj runtime.Object) {
	if err := c.store.put(obj); err != nil {
		panic(err)
	}
}

// Admit makes a live object what a webhook made of the request that wrote it last: the API
// server notes who set which field before it asks webhooks, so that this stays as it is.
func (c *Cluster) Admit(obj runtime.Object) {
	if err := c.store.admit(obj); err != nil {
		panic(err)
	}
}

// React lets a test answer requests in place of the cluster: those with the verb
// for the resource, "*" for every one. What the reaction does not handle goes on.
// It may Put, but not ask the clients, which wait for it.
func (c *Cluster) React(verb, resource string, react clienttesting.ReactionFunc) {
	c.typed.PrependReactor(verb, resource, react)
	c.dynamic.PrependReactor(verb, resource, react)
}

// Serve adds kinds to those that the cluster says it has.
func (c *Cluster) Serve(lists ...*metav1.APIResourceList) {
	c.typed.Resources = append(c.typed.Resources, lists...)
}

// Writes returns every request so far that changes something, as "verb resource name".
func (c *Cluster) Writes() []string {
	var out []string
	for _, a := range slices.Concat(c.typed.Actions(), c.dynamic.Actions()) {
		switch a := a.(type) {
		case clienttesting.CreateActionImpl:
			obj, _ := meta.Accessor(a.GetObject())
			if obj != nil && obj.GetName() != "" { // a review is a question
				out = append(out, a.GetVerb()+" "+a.GetResource().Resource+" "+obj.GetName())
			}
		case clienttesting.UpdateActionImpl:
			obj, _ := meta.Accessor(a.GetObject())
			out = append(out, a.GetVerb()+" "+a.GetResource().Resource+" "+obj.GetName())
		case clienttesting.PatchActionImpl:
			if len(a.PatchOptions.DryRun) > 0 {
				continue
			}
			out = append(out, a.GetVerb()+" "+a.GetResource().Resource+" "+a.GetName())
		case clienttesting.DeleteActionImpl:
			out = append(out, a.GetVerb()+" "+a.GetResource().Resource+" "+a.GetName())
		}
	}
	return out
}

// groups adds client-go's types of the groups that Landbridge uses. Its fakes go through all
// that a scheme has at each request, and a scheme with all groups makes tests five times as slow.
var groups = runtime.NewSchemeBuilder(corev1.AddToScheme, appsv1.AddToScheme, rbacv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
	autoscalingv2.AddToScheme, authorizationv1.AddToScheme, authenticationv1.AddToScheme)

// known returns those types and the untyped ones, with the kind of each list.
func known() (*runtime.Scheme, map[schema.GroupVersionResource]string) {
	scheme, listKinds := runtime.NewScheme(), map[schema.GroupVersionResource]string{}
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	if err := groups.AddToScheme(scheme); err != nil {
		panic(err)
	}
	for _, r := range untyped {
		gvk := r.GroupVersion().WithKind(r.Kind)
		scheme.AddKnownTypeWithName(gvk, &unstructured.Unstructured{})
		scheme.AddKnownTypeWithName(r.GroupVersion().WithKind(r.Kind+"List"), &unstructured.UnstructuredList{})
		listKinds[r.GroupVersionResource] = r.Kind + "List"
	}
	return scheme, listKinds
}

// Stale makes the cluster say that nobody answers for these groups of its API.
func (c *Cluster) Stale(groups ...schema.GroupVersion) {
	c.Discovery.(*preferred).stale = groups
}

// preferred prefers what is served: client-go's fake prefers nothing.
type preferred struct {
	*fakediscovery.FakeDiscovery
	stale []schema.GroupVersion
}

func (p *preferred) ServerPreferredNamespacedResources() ([]*metav1.APIResourceList, error) {
	_, lists, err := p.ServerGroupsAndResources()
	if err != nil || len(p.stale) == 0 {
		return lists, err
	}
	failed := &clientdiscovery.ErrGroupDiscoveryFailed{Groups: map[schema.GroupVersion]error{}}
	for _, gv := range p.stale {
		failed.Groups[gv] = fmt.Errorf("stale GroupVersion discovery: %s", gv)
	}
	return lists, failed
}

// Objects returns everything in the cluster, in the order of kinds and names.
func (c *Cluster) Objects() []unstructured.Unstructured {
	var out []unstructured.Unstructured
	for _, r := range served {
		list, err := c.Dynamic.Resource(r.GroupVersionResource).List(context.Background(), metav1.ListOptions{})
		if err != nil {
			panic(err)
		}
		slices.SortFunc(list.Items, func(a, b unstructured.Unstructured) int {
			return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
		})
		out = append(out, list.Items...)
	}
	return out
}
