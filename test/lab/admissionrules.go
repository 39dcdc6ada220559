package lab

import (
	"context"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// rules says which writes each habit of admission sees.
func rules(habit string) []admissionregistrationv1.RuleWithOperations {
	const create, update = admissionregistrationv1.Create, admissionregistrationv1.Update
	on := func(group string, ops []admissionregistrationv1.OperationType, resources ...string) admissionregistrationv1.RuleWithOperations {
		return admissionregistrationv1.RuleWithOperations{Operations: ops,
			Rule: admissionregistrationv1.Rule{APIGroups: []string{group}, APIVersions: []string{"*"}, Resources: resources}}
	}
	both, once := []admissionregistrationv1.OperationType{create, update}, []admissionregistrationv1.OperationType{create}
	pods, workloads := on("", once, "pods"), on("apps", both, "deployments", "daemonsets")
	switch habit {
	case AdmissionSidecars:
		return []admissionregistrationv1.RuleWithOperations{pods}
	case AdmissionLabels:
		out := []admissionregistrationv1.RuleWithOperations{pods, workloads, on("", both, "namespaces", "services", "serviceaccounts", "secrets", "configmaps")}
		for _, group := range []string{"rbac.authorization.k8s.io", "policy", "networking.istio.io", "security.istio.io", "sailoperator.io"} {
			out = append(out, on(group, both, "*"))
		}
		return out
	case AdmissionRefuse, AdmissionPolicy, AdmissionDown:
		return []admissionregistrationv1.RuleWithOperations{on("", both, "services")}
	}
	return []admissionregistrationv1.RuleWithOperations{pods, workloads}
}

// elsewhere selects all namespaces but Kubernetes' own.
var elsewhere = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "kubernetes.io/metadata.name",
	Operator: metav1.LabelSelectorOpNotIn, Values: []string{"kube-system", "kube-public", "kube-node-lease"}}}}

// set makes what a habit needs anew, or removes it: a webhook that an earlier process of
// the lab made has the address of that process.
func (a *admission) set(ctx context.Context, habit string, on bool) error {
	api, meta := a.client.AdmissionregistrationV1(), metav1.ObjectMeta{Name: habit + ".admission.lab.example"}
	switch habit {
	case AdmissionPolicy:
		return a.setPolicy(ctx, meta, on)
	case AdmissionRefuse, AdmissionDown:
		err := api.ValidatingWebhookConfigurations().Delete(ctx, meta.Name, metav1.DeleteOptions{})
		if ignoreNotFound(err) != nil || !on {
			return ignoreNotFound(err)
		}
		hook := admissionregistrationv1.ValidatingWebhook{Name: meta.Name, ClientConfig: a.reach(habit), Rules: rules(habit), NamespaceSelector: elsewhere,
			SideEffects: new(admissionregistrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"}}
		_, err = api.ValidatingWebhookConfigurations().Create(ctx, &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: meta,
			Webhooks: []admissionregistrationv1.ValidatingWebhook{hook}}, metav1.CreateOptions{})
		return err
	}
	err := api.MutatingWebhookConfigurations().Delete(ctx, meta.Name, metav1.DeleteOptions{})
	if ignoreNotFound(err) != nil || !on {
		return ignoreNotFound(err)
	}
	hook := admissionregistrationv1.MutatingWebhook{Name: meta.Name, ClientConfig: a.reach(habit), Rules: rules(habit), NamespaceSelector: elsewhere,
		SideEffects: new(admissionregistrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"}}
	_, err = api.MutatingWebhookConfigurations().Create(ctx, &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: meta,
		Webhooks: []admissionregistrationv1.MutatingWebhook{hook}}, metav1.CreateOptions{})
	return err
}

// reach tells the API server where a habit's webhook is.
func (a *admission) reach(habit string) admissionregistrationv1.WebhookClientConfig {
	url := a.url + "/" + habit
	if habit == AdmissionDown {
		url = nobody
	}
	return admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: a.ca}
}

// setPolicy makes or removes the policy of Kubernetes' own, and its binding.
func (a *admission) setPolicy(ctx context.Context, meta metav1.ObjectMeta, on bool) error {
	api := a.client.AdmissionregistrationV1()
	if err := api.ValidatingAdmissionPolicyBindings().Delete(ctx, meta.Name, metav1.DeleteOptions{}); ignoreNotFound(err) != nil {
		return err
	}
	if err := api.ValidatingAdmissionPolicies().Delete(ctx, meta.Name, metav1.DeleteOptions{}); ignoreNotFound(err) != nil || !on {
		return ignoreNotFound(err)
	}
	match := &admissionregistrationv1.MatchResources{NamespaceSelector: elsewhere}
	for _, r := range rules(AdmissionPolicy) {
		match.ResourceRules = append(match.ResourceRules, admissionregistrationv1.NamedRuleWithOperations{RuleWithOperations: r})
	}
	_, err := api.ValidatingAdmissionPolicies().Create(ctx, &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: meta,
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{MatchConstraints: match, Validations: []admissionregistrationv1.Validation{
			{Expression: `object.spec.type != "LoadBalancer"`, Message: RefusedByPolicy}}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, err = api.ValidatingAdmissionPolicyBindings().Create(ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: meta,
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: meta.Name,
			ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny}}}, metav1.CreateOptions{})
	return err
}
