package preflight

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	authv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/component-helpers/auth/rbac/validation"

	"github.com/landbridge/landbridge/internal/rights"
)

// rightsAtOnce limits how many questions are asked at the same time.
const rightsAtOnce = 10

// checkRights asks the API server for each right that a rollout needs. What is
// missing is one problem per resource.
func (c *cluster) checkRights(ctx context.Context) error {
	missing, err := c.missingRights(ctx, rights.For(rights.Needs{Namespace: c.in.Namespace, CNINamespace: c.in.CNINamespace, ExistingIstio: c.existingIstio(), Adopt: c.in.Adopt, SkipProof: c.in.SkipProof, RequestsIn: c.in.RequestsIn}))
	if err != nil {
		return err
	}
	for _, on := range slices.Sorted(maps.Keys(missing)) {
		slices.Sort(missing[on])
		c.problem("the worker may not %s %s; grant it: `landbridge rbac` prints the whole role", strings.Join(missing[on], ", "), on)
	}
	c.rightsMissing = len(missing) > 0
	return nil
}

// missingRights returns the verbs that are missing, by where and on what. One review of all
// rules in each namespace says yes to most of them; what it does not say yes to is asked for
// by itself, since an authorizer beside RBAC may allow what no rule has.
func (c *cluster) missingRights(ctx context.Context, wanted []rights.Right) (map[string][]string, error) {
	var mu sync.Mutex
	missing := map[string][]string{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rightsAtOnce)
	for in, wanted := range byNamespace(wanted) {
		rules := c.rules(ctx, in)
		for _, r := range wanted {
			for _, verb := range r.Verbs {
				if covered, _ := validation.Covers(rules, []rbacv1.PolicyRule{{Verbs: []string{verb}, APIGroups: []string{r.Group}, Resources: []string{r.Resource.Resource}}}); covered {
					continue
				}
				group.Go(func() error {
					allowed, err := c.may(ctx, verb, r)
					if err != nil || allowed {
						return err
					}
					mu.Lock()
					defer mu.Unlock()
					on := r.GroupResource().String() + inNamespace(r.In)
					missing[on] = append(missing[on], verb)
					return nil
				})
			}
		}
	}
	return missing, group.Wait()
}

func byNamespace(wanted []rights.Right) map[string][]rights.Right {
	by := map[string][]rights.Right{}
	for _, r := range wanted {
		by[r.In] = append(by[r.In], r)
	}
	return by
}

// rules returns what RBAC surely allows the worker in a namespace, or in the whole cluster if
// that is empty: nothing where an authorizer has a say that cannot list its rules (a webhook, as
// on GKE), or where the question is refused.
func (c *cluster) rules(ctx context.Context, namespace string) (rules []rbacv1.PolicyRule) {
	if namespace == "" {
		// Kubernetes answers for a namespace only. In one that is not there, no RoleBinding
		// adds to what ClusterRoleBindings give.
		namespace = string(uuid.NewUUID())
	}
	review, err := c.Client.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, &authv1.SelfSubjectRulesReview{
		Spec: authv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}, metav1.CreateOptions{})
	if err != nil || review.Status.Incomplete {
		return nil
	}
	for _, r := range review.Status.ResourceRules {
		rules = append(rules, rbacv1.PolicyRule{Verbs: r.Verbs, APIGroups: r.APIGroups, Resources: r.Resources, ResourceNames: r.ResourceNames})
	}
	return rules
}

// may asks whether the worker may do this to that.
func (c *cluster) may(ctx context.Context, verb string, r rights.Right) (bool, error) {
	resource, sub, _ := strings.Cut(r.Resource.Resource, "/")
	review, err := c.Client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authv1.SelfSubjectAccessReview{
		Spec: authv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authv1.ResourceAttributes{
			Namespace: r.In, Verb: verb, Group: r.Group, Version: r.Version, Resource: resource, Subresource: sub}},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("ask for the right to %s %s: %w", verb, r.Resource.Resource, err)
	}
	return review.Status.Allowed, nil
}

func inNamespace(ns string) string {
	if ns == "" {
		return " in the whole cluster"
	}
	return " in namespace " + ns
}
