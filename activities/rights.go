package activities

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	authv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// Right is what an activity needs to be allowed to do.
type Right struct {
	kube.Resource
	Verbs []string
	// In is the namespace, or empty for the whole cluster.
	In string
}

var (
	write = []string{"get", "list", "create", "patch", "delete"}
	// Helm updates its release Secrets, and patches what it upgrades.
	helm = []string{"get", "list", "create", "patch", "update", "delete"}
)

// Needs say what rights a cluster calls for.
type Needs struct {
	// Namespace is Istio's.
	Namespace string
	// Revision of the cluster's Istio. Empty: default.
	Revision string
	// ExistingIstio is one that is there already: it is read, and Sail is not asked.
	ExistingIstio bool
	// OpenShift lets the worker read by what name the API server is known. The
	// preflight does not insist on it.
	OpenShift bool
}

// Rights are all that the activities need on a cluster. Preflight asks for
// each of them before anything is changed.
func Rights(n Needs) []Right {
	sys, istio := fleet.SystemNamespace, n.Namespace
	rights := []Right{
		{kube.Namespaces, write, ""},
		{kube.CRDs, []string{"get"}, ""},
		{kube.ConfigMaps, []string{"get", "list", "create", "update", "delete"}, sys},
		{kube.Secrets, write, sys},
		{kube.ClusterRoleBindings, write, ""},
		{kube.Secrets, helm, istio},
		{kube.Services, helm, istio},
		{kube.ServiceAccounts, helm, istio},
		{kube.Deployments, helm, istio},
		{kube.HorizontalAutoscalers, helm, istio},
		{kube.Events, []string{"list"}, istio},
		{kube.Pods, []string{"list"}, istio},
		{kube.PodLogs, []string{"get"}, istio},
		// By WebSocket this is a get, by SPDY a create; which it is, is the API server's.
		{kube.PodPorts, []string{"get", "create"}, istio},
		{kube.IstioGateways, write, istio},
		{kube.VirtualServices, write, istio},
		{kube.DestinationRules, write, istio},
		{kube.ServiceEntries, write, istio},
		{kube.AuthorizationPolicies, write, istio},
	}
	if n.ExistingIstio {
		rights = append(rights, Right{kube.ConfigMaps, []string{"get"}, istio})
	} else {
		rights = append(rights, Right{kube.Istios, write, ""}, Right{kube.IstioCNIs, write, ""})
	}
	if n.OpenShift {
		rights = append(rights, Right{kube.Infrastructures, []string{"get"}, ""})
	}
	return rights
}

// rightsAtOnce is how many questions are asked at the same time.
const rightsAtOnce = 10

// missingRights asks the API server for each right, and returns a sentence for
// each resource on which some are missing.
func missingRights(ctx context.Context, c *kube.Cluster, rights []Right) ([]string, error) {
	var mu sync.Mutex
	missing := map[string][]string{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rightsAtOnce)
	for _, r := range rights {
		name, sub, _ := strings.Cut(r.Resource.Resource, "/")
		for _, verb := range r.Verbs {
			group.Go(func() error {
				review, err := c.Client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authv1.SelfSubjectAccessReview{
					Spec: authv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authv1.ResourceAttributes{
						Namespace: r.In, Verb: verb, Group: r.Group, Version: r.Version, Resource: name, Subresource: sub}},
				}, metav1.CreateOptions{})
				if err != nil {
					return wrap(err, "ask for the right to %s %s", verb, r.Resource.Resource)
				}
				if !review.Status.Allowed {
					mu.Lock()
					defer mu.Unlock()
					on := r.GroupResource().String() + inNamespace(r.In)
					missing[on] = append(missing[on], verb)
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var out []string
	for on, verbs := range missing {
		sort.Strings(verbs)
		out = append(out, fmt.Sprintf("the worker may not %s %s; grant it (docs/security.md lists all rights)", strings.Join(verbs, ", "), on))
	}
	sort.Strings(out)
	return out, nil
}

func inNamespace(ns string) string {
	if ns == "" {
		return " in the whole cluster"
	}
	return " in namespace " + ns
}
