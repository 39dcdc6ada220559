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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/rights"
)

// rightsAtOnce limits how many questions are asked at the same time.
const rightsAtOnce = 10

// checkRights asks the API server for each right that a rollout needs. What is
// missing is one problem per resource.
func (c *cluster) checkRights(ctx context.Context) error {
	missing, err := c.missingRights(ctx, rights.For(rights.Needs{Namespace: c.in.Namespace, CNINamespace: c.in.CNINamespace, ExistingIstio: c.existingIstio(), Adopt: c.in.Adopt, SkipProof: c.in.SkipProof}))
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

// missingRights returns the verbs that are missing, by where and on what.
func (c *cluster) missingRights(ctx context.Context, wanted []rights.Right) (map[string][]string, error) {
	var mu sync.Mutex
	missing := map[string][]string{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rightsAtOnce)
	for _, r := range wanted {
		for _, verb := range r.Verbs {
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
	return missing, group.Wait()
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
