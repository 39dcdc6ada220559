package preflight

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	authv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/internal/rights"
)

// everything lets an account do all.
var everything = authv1.ResourceRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}

// rulesAre answers reviews of all rules: with those of the namespace asked for.
func (m *member) rulesAre(of func(namespace string) (authv1.SubjectRulesReviewStatus, error)) {
	m.React("create", "selfsubjectrulesreviews", func(a clienttesting.Action) (bool, runtime.Object, error) {
		review := a.(clienttesting.CreateAction).GetObject().(*authv1.SelfSubjectRulesReview).DeepCopy()
		var err error
		review.Status, err = of(review.Spec.Namespace)
		return true, review, err
	})
}

// asked returns the resources that single reviews have asked for so far.
func (m *member) asked() func() []string {
	var mu sync.Mutex
	var resources []string
	m.React("create", "selfsubjectaccessreviews", func(a clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		resources = append(resources, a.(clienttesting.CreateAction).GetObject().(*authv1.SelfSubjectAccessReview).Spec.ResourceAttributes.Resource)
		return false, nil, nil // and is answered by the cluster
	})
	return func() []string { return resources }
}

func TestRights_OneReviewOfAllRulesSaysYes_AndWhatItDoesNotSayIsAskedFor(t *testing.T) {
	var questions int
	for _, r := range rights.For(rights.Needs{Namespace: namespace, CNINamespace: "istio-cni"}) {
		questions += len(r.Verbs)
	}
	answer := func(rules ...authv1.ResourceRule) func(string) (authv1.SubjectRulesReviewStatus, error) {
		return func(string) (authv1.SubjectRulesReviewStatus, error) {
			return authv1.SubjectRulesReviewStatus{ResourceRules: rules}, nil
		}
	}
	one, incomplete := everything, func(string) (authv1.SubjectRulesReviewStatus, error) {
		return authv1.SubjectRulesReviewStatus{ResourceRules: []authv1.ResourceRule{everything}, Incomplete: true}, nil
	}
	one.ResourceNames = []string{"one"}
	for _, c := range []struct {
		name  string
		rules func(string) (authv1.SubjectRulesReviewStatus, error)
		want  int
	}{
		{"an administrator's rules", answer(everything), 0},
		{"rules for one name", answer(one), questions},
		{"no rules", answer(), questions},
		{"a webhook that lists none, as on GKE", incomplete, questions},
		{"the question is refused", func(string) (authv1.SubjectRulesReviewStatus, error) {
			return authv1.SubjectRulesReviewStatus{}, apierrors.NewForbidden(schema.GroupResource{Resource: "selfsubjectrulesreviews"}, "", errors.New("no"))
		}, questions},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMember(t)
			m.rulesAre(c.rules)
			asked := m.asked()
			out, err := m.check(t)
			require.NoError(t, err)
			require.Empty(t, out.Problems)
			require.Len(t, asked(), c.want)
		})
	}
}

func TestRights_TheWholeClusterHasThem_TakesOneReview(t *testing.T) {
	m, reviews := newMember(t), 0
	m.rulesAre(func(string) (status authv1.SubjectRulesReviewStatus, _ error) {
		reviews++
		status.ResourceRules = []authv1.ResourceRule{everything}
		return status, nil
	})
	asked := m.asked()
	_, err := m.check(t)
	require.NoError(t, err)
	require.Equal(t, 1, reviews)
	require.Empty(t, asked())
}

// A RoleBinding of a namespace gives nothing in the whole cluster.
func TestRights_OfANamespace_AreNotThoseOfTheCluster(t *testing.T) {
	m := newMember(t)
	there := []string{namespace, "istio-cni", "landbridge-system"}
	m.rulesAre(func(in string) (status authv1.SubjectRulesReviewStatus, _ error) {
		if slices.Contains(there, in) {
			status.ResourceRules = []authv1.ResourceRule{everything}
		}
		return status, nil
	})
	mayNot("create namespaces")(t, m)
	asked := m.asked()
	out, err := m.check(t)
	require.NoError(t, err)
	require.Contains(t, asked(), "namespaces")
	require.NotContains(t, asked(), "secrets")
	require.Len(t, out.Problems, 1)
	require.Contains(t, out.Problems[0], "the worker may not create namespaces in the whole cluster")
}
