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

	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/rights"
)

// rightsAtOnce is how many questions are asked at the same time.
const rightsAtOnce = 10

// missingRights asks the API server for each right, and returns a sentence for
// each resource on which some are missing.
func missingRights(ctx context.Context, c *kube.Cluster, wanted []rights.Right) ([]string, error) {
	var mu sync.Mutex
	missing := map[string][]string{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(rightsAtOnce)
	for _, r := range wanted {
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
