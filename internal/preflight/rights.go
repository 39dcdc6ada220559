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

// checkRights asks the API server for each right that a rollout needs. What is missing is one
// problem per resource, unless an administrator made what the worker may not.
func (c *cluster) checkRights(ctx context.Context) error {
	needs := rights.Needs{Namespace: c.in.Namespace, CNINamespace: c.in.CNINamespace, IstioName: c.in.IstioName, ExistingIstio: c.existingIstio(),
		Adopt: c.in.Adopt, SkipProof: c.in.SkipProof, RequestsIn: c.in.RequestsIn, OwnReaders: c.in.OwnReaders}
	missing, err := c.missingRights(ctx, rights.For(needs))
	if err != nil {
		return err
	}
	var ends map[string]string
	if len(missing) > 0 {
		if ends, err = c.administrators(ctx, &needs); err != nil {
			return err
		}
		missing = stillNeeded(missing, rights.For(needs))
	}
	for _, on := range slices.Sorted(maps.Keys(missing)) {
		slices.Sort(missing[on])
		c.problem("the worker may not %s %s; grant it: `landbridge rbac` prints the whole role%s", strings.Join(missing[on], ", "), on, ends[on])
	}
	c.rightsMissing = len(missing) > 0
	return nil
}

// stillNeeded returns those of the missing verbs that are in the list.
func stillNeeded(missing map[string][]string, wanted []rights.Right) map[string][]string {
	out := map[string][]string{}
	for _, r := range wanted {
		for _, verb := range r.Verbs {
			if on := object(r); slices.Contains(missing[on], verb) {
				out[on] = append(out[on], verb)
			}
		}
	}
	return out
}

// object names what a right is on, and where.
func object(r rights.Right) string {
	name, in := "", " in the whole cluster"
	if r.Name != "" {
		name = " " + r.Name
	}
	if r.In != "" {
		in = " in namespace " + r.In
	}
	return r.GroupResource().String() + name + in
}

// missingRights returns the verbs that are missing, by where and on what. One review of all
// rules for the whole cluster says yes to most of them, and one in each namespace to what that does not say yes
// to. The rest is asked for by itself, since an authorizer beside RBAC may allow what no rule has.
func (c *cluster) missingRights(ctx context.Context, wanted []rights.Right) (map[string][]string, error) {
	var mu sync.Mutex
	missing := map[string][]string{}
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(rightsAtOnce)
	everywhere := c.rules(ctx, "")
	for in, wanted := range byNamespace(uncovered(everywhere, wanted)) {
		if in != "" { // what holds everywhere holds there, too
			wanted = uncovered(c.rules(ctx, in), wanted)
		}
		for _, r := range wanted {
			for _, verb := range r.Verbs {
				group.Go(func() error {
					allowed, err := c.may(asking, verb, r)
					if err != nil || allowed {
						return err
					}
					mu.Lock()
					defer mu.Unlock()
					missing[object(r)] = append(missing[object(r)], verb)
					return nil
				})
			}
		}
	}
	return missing, group.Wait()
}

// uncovered returns the rights, each with the verbs that no rule gives.
func uncovered(rules []rbacv1.PolicyRule, wanted []rights.Right) (out []rights.Right) {
	for _, r := range wanted {
		r.Verbs = slices.DeleteFunc(slices.Clone(r.Verbs), func(verb string) bool {
			covered, _ := validation.Covers(rules, []rbacv1.PolicyRule{rule(verb, r)})
			return covered
		})
		if len(r.Verbs) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// rule is the one that gives a verb of a right.
func rule(verb string, r rights.Right) rbacv1.PolicyRule {
	out := rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{r.Group}, Resources: []string{r.Resource.Resource}}
	if r.Name != "" {
		out.ResourceNames = []string{r.Name}
	}
	return out
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
			Namespace: r.In, Name: r.Name, Verb: verb, Group: r.Group, Version: r.Version, Resource: resource, Subresource: sub}},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("ask for the right to %s %s: %w", verb, r.Resource.Resource, err)
	}
	return review.Status.Allowed, nil
}
