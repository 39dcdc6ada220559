package activities

import (
	"strconv"

	securityapi "istio.io/api/security/v1beta1"
	typeapi "istio.io/api/type/v1beta1"
	security "istio.io/client-go/pkg/apis/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kinds"
)

// workloadPolicy allows what the rule allows on the pods with those labels. Without a
// rule it allows nothing, which denies all that no other policy allows.
func workloadPolicy(name, namespace string, pods map[string]string, rule *securityapi.Rule) *security.AuthorizationPolicy {
	p := &security.AuthorizationPolicy{
		TypeMeta:   typeMeta(kinds.AuthorizationPolicies),
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: securityapi.AuthorizationPolicy{
			Selector: &typeapi.WorkloadSelector{MatchLabels: pods},
			Action:   securityapi.AuthorizationPolicy_ALLOW,
		},
	}
	if rule != nil {
		p.Spec.Rules = []*securityapi.Rule{rule}
	}
	return p
}

// usesPort allows identities to use one port. fleet.Principal names each.
func usesPort(port int, principals ...string) *securityapi.Rule {
	return &securityapi.Rule{
		From: []*securityapi.Rule_From{{Source: &securityapi.Source{Principals: principals}}},
		To:   []*securityapi.Rule_To{{Operation: &securityapi.Operation{Ports: []string{strconv.Itoa(port)}}}},
	}
}
