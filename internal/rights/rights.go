// Package rights lists what a worker must be allowed to do on a cluster. The preflight
// asks for these rights, `landbridge rbac` prints them, and the documents show them.
package rights

import (
	"cmp"
	"slices"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// Right names verbs on one kind of object, in one namespace or in the whole cluster.
type Right struct {
	kinds.Resource
	Verbs []string
	// In is the namespace, or empty for the whole cluster.
	In string
}

var (
	write = []string{"get", "list", "create", "patch", "delete"}
	// Helm updates its release Secrets, and patches what it upgrades.
	helm = []string{"get", "list", "create", "patch", "update", "delete"}
)

// Needs describes a cluster as far as its rights depend on it.
type Needs struct {
	// Namespace is Istio's.
	Namespace string
	// CNINamespace has Istio's CNI plugin. Empty: istio-cni.
	CNINamespace string
	// Revision of the cluster's Istio. Empty: default.
	Revision string
	// ExistingIstio is read only, and Sail is not asked for it.
	ExistingIstio bool
	// Adopt lets Helm give back what the gateway chart installs by default: a role that
	// reads and watches every Secret of Istio's namespace.
	Adopt bool
	// SkipProof leaves out what only the proof of links needs.
	SkipProof bool
	// RequestsIn is the namespace in which CertificateRequests are made, where the cluster's
	// cert-manager signs for the fleet (spec.ca.issuer.certManager).
	RequestsIn string
	// OpenShift lets the worker read the API server's names. The preflight does not
	// insist on it.
	OpenShift bool
}

// For lists every right that the activities use on such a cluster. The preflight asks
// for each of them before anything is changed.
func For(n Needs) []Right {
	sys, istio, secrets := fleet.SystemNamespace, n.Namespace, helm
	if n.Adopt {
		secrets = append(slices.Clone(helm), "watch")
	}
	pods := []string{"list"}
	if !n.SkipProof {
		// Whether a network enforces NetworkPolicies, only a pod can try.
		pods = []string{"get", "list", "create", "delete"}
	}
	rights := []Right{
		{kinds.Namespaces, write, ""},
		{kinds.CRDs, []string{"get"}, ""},
		// An istiod may run in any namespace.
		{kinds.Deployments, []string{"list"}, ""},
		{kinds.ConfigMaps, []string{"get", "list", "create", "update", "delete"}, sys},
		{kinds.Secrets, write, sys},
		{kinds.ClusterRoles, write, ""},
		{kinds.ClusterRoleBindings, write, ""},
		{kinds.ConfigMaps, []string{"get", "list", "watch"}, istio},
		{kinds.Secrets, secrets, istio},
		{kinds.Services, helm, istio},
		{kinds.ServiceAccounts, helm, istio},
		{kinds.Tokens, []string{"create"}, istio},
		{kinds.Deployments, helm, istio},
		{kinds.HorizontalAutoscalers, helm, istio},
		{kinds.DisruptionBudgets, helm, istio},
		{kinds.NetworkPolicies, write, istio},
		{kinds.Roles, write, istio},
		{kinds.RoleBindings, write, istio},
		{kinds.Events, []string{"list"}, istio},
		{kinds.Pods, pods, istio},
		{kinds.IstioGateways, write, istio},
		{kinds.VirtualServices, write, istio},
		{kinds.DestinationRules, write, istio},
		{kinds.ServiceEntries, write, istio},
		{kinds.AuthorizationPolicies, write, istio},
	}
	if !n.SkipProof {
		rights = append(rights,
			Right{kinds.PodLogs, []string{"get"}, istio},
			// A WebSocket needs get, SPDY needs create; the API server says which it takes.
			Right{kinds.PodPorts, []string{"get", "create"}, istio})
	}
	if !n.ExistingIstio {
		rights = append(rights, Right{kinds.Istios, write, ""}, Right{kinds.IstioCNIs, write, ""},
			Right{kinds.IstioRevisions, []string{"get", "list"}, ""}, Right{kinds.DaemonSets, []string{"get"}, cmp.Or(n.CNINamespace, fleet.DefaultCNINamespace)})
	}
	if n.Adopt {
		rights = add(add(rights, Right{kinds.Roles, helm, istio}), Right{kinds.RoleBindings, helm, istio})
	}
	// Who gives an account the right to read something must have that right.
	for _, r := range readByIstiod {
		rights = add(rights, Right{r, read, ""})
	}
	if n.RequestsIn != "" {
		rights = append(rights, Right{kinds.CertificateRequests, []string{"get", "create", "delete"}, n.RequestsIn},
			Right{kinds.Issuers, []string{"get"}, n.RequestsIn}, Right{kinds.ClusterIssuers, []string{"get"}, ""})
	}
	if n.OpenShift {
		rights = append(rights, Right{kinds.Infrastructures, []string{"get"}, ""})
	}
	return rights
}

// Watches lists the rights with which waits end as soon as something happens, beside those
// of For that do so, too. Without one of them a wait looks once a second, so that the
// preflight does not insist on them.
func Watches(n Needs) []Right {
	watch := []string{"watch"}
	list := []Right{{kinds.Secrets, watch, n.Namespace}, {kinds.Deployments, watch, n.Namespace}}
	if !n.ExistingIstio {
		list = append(list, Right{kinds.Istios, watch, ""}, Right{kinds.IstioCNIs, watch, ""}, Right{kinds.IstioRevisions, watch, ""},
			Right{kinds.DaemonSets, watch, cmp.Or(n.CNINamespace, fleet.DefaultCNINamespace)})
	}
	return list
}

// add adds a right to a list, or its verbs to the entry for the same objects.
func add(list []Right, r Right) []Right {
	for i, have := range list {
		if have.Resource == r.Resource && have.In == r.In {
			verbs := append(slices.Clone(have.Verbs), r.Verbs...)
			slices.Sort(verbs)
			list[i].Verbs = slices.Compact(verbs)
			return list
		}
	}
	return append(list, r)
}
