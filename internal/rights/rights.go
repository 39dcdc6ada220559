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
	// Name limits it to one object. Empty: to none.
	Name string
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
	// IstioName of the Istio resource. Empty: rights on Sail's resources of any name.
	IstioName string
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
	// OwnReaders says that a source may read the cluster with roles of its own, and
	// IstioReaders with Istio's own.
	OwnReaders, IstioReaders bool
	// Made says what an administrator makes, so that the worker need not be allowed to.
	Made Made
}

// Made says what of the whole cluster an administrator makes: the namespaces, with the labels
// that they need, and the roles and bindings of readers.
type Made struct{ Namespaces, Readers bool }

// For lists every right that the activities use on such a cluster. The preflight asks
// for each of them before anything is changed.
func For(n Needs) []Right {
	rights := append(inCluster(n), inNamespaces(n)...)
	// Who gives an account the right to read something must have that right.
	if n.OwnReaders && !n.Made.Readers {
		for _, r := range readByIstiod {
			rights = add(rights, Right{Resource: r, Verbs: read})
		}
	}
	return rights
}

// inCluster lists the rights that no namespace limits.
func inCluster(n Needs) []Right {
	namespaces, readers, cni := write, write, ""
	if n.Made.Namespaces {
		namespaces = []string{"get"}
	}
	if n.Made.Readers {
		readers = []string{"get", "list"}
	}
	if n.IstioName != "" {
		cni = fleet.IstioCNIName
	}
	rights := []Right{
		{Resource: kinds.Namespaces, Verbs: namespaces},
		{Resource: kinds.CRDs, Verbs: []string{"get"}},
		// An istiod may run in any namespace.
		{Resource: kinds.Deployments, Verbs: []string{"list"}},
		{Resource: kinds.ClusterRoles, Verbs: readers},
		{Resource: kinds.ClusterRoleBindings, Verbs: readers},
	}
	if !n.ExistingIstio {
		rights = append(rights, ofSail(kinds.Istios, n.IstioName)...)
		rights = append(rights, ofSail(kinds.IstioCNIs, cni)...)
		rights = append(rights, Right{Resource: kinds.IstioRevisions, Verbs: []string{"get", "list"}},
			// A control plane does not go while pods of any namespace are in its mesh.
			Right{Resource: kinds.Pods, Verbs: []string{"list"}})
	}
	if n.RequestsIn != "" {
		rights = append(rights, Right{Resource: kinds.ClusterIssuers, Verbs: []string{"get"}})
	}
	if n.OpenShift {
		rights = append(rights, Right{Resource: kinds.Infrastructures, Verbs: []string{"get"}})
	}
	return rights
}

// ofSail lists what is done to Sail's resources of a kind: to one of them, where its name
// is known.
func ofSail(r kinds.Resource, name string) []Right {
	if name == "" {
		return []Right{{Resource: r, Verbs: write}}
	}
	return []Right{{Resource: r, Verbs: []string{"list"}}, {Resource: r, Verbs: []string{"get", "create", "patch", "delete"}, Name: name}}
}

// inNamespaces lists the rights that are limited to Landbridge's namespace and Istio's.
func inNamespaces(n Needs) []Right {
	sys, istio, secrets := fleet.SystemNamespace, n.Namespace, helm
	roles := write
	if n.Adopt {
		secrets, roles = append(slices.Clone(helm), "watch"), helm
	}
	pods := []string{"list"}
	if !n.SkipProof {
		// Whether a network enforces NetworkPolicies, only a pod can try.
		pods = []string{"get", "list", "create", "delete"}
	}
	rights := []Right{
		{Resource: kinds.ConfigMaps, Verbs: []string{"get", "list", "create", "update", "delete"}, In: sys},
		{Resource: kinds.Secrets, Verbs: write, In: sys},
	}
	for _, r := range []Right{
		{Resource: kinds.ConfigMaps, Verbs: []string{"get", "list", "watch"}},
		{Resource: kinds.Secrets, Verbs: secrets},
		{Resource: kinds.Services, Verbs: helm},
		{Resource: kinds.ServiceAccounts, Verbs: helm},
		{Resource: kinds.Tokens, Verbs: []string{"create"}},
		{Resource: kinds.Deployments, Verbs: helm},
		{Resource: kinds.HorizontalAutoscalers, Verbs: helm},
		{Resource: kinds.DisruptionBudgets, Verbs: helm},
		{Resource: kinds.NetworkPolicies, Verbs: write},
		{Resource: kinds.Roles, Verbs: roles},
		{Resource: kinds.RoleBindings, Verbs: roles},
		{Resource: kinds.Events, Verbs: []string{"list"}},
		{Resource: kinds.Pods, Verbs: pods},
		{Resource: kinds.IstioGateways, Verbs: write},
		{Resource: kinds.VirtualServices, Verbs: write},
		{Resource: kinds.DestinationRules, Verbs: write},
		{Resource: kinds.ServiceEntries, Verbs: write},
		{Resource: kinds.AuthorizationPolicies, Verbs: write},
	} {
		r.In = istio
		rights = append(rights, r)
	}
	if !n.SkipProof {
		rights = append(rights,
			Right{Resource: kinds.PodLogs, Verbs: []string{"get"}, In: istio},
			// A WebSocket needs get, SPDY needs create; the API server says which it takes.
			Right{Resource: kinds.PodPorts, Verbs: []string{"get", "create"}, In: istio})
	}
	if !n.ExistingIstio {
		rights = append(rights, Right{Resource: kinds.DaemonSets, Verbs: []string{"get"}, In: cmp.Or(n.CNINamespace, fleet.DefaultCNINamespace)})
	}
	if n.RequestsIn != "" {
		rights = append(rights, Right{Resource: kinds.CertificateRequests, Verbs: []string{"get", "watch", "create", "delete"}, In: n.RequestsIn},
			Right{Resource: kinds.Issuers, Verbs: []string{"get"}, In: n.RequestsIn})
	}
	return rights
}

// Watches lists the rights with which waits end as soon as something happens, beside those
// of For that do so, too. Without one of them a wait looks once a second, so that the
// preflight does not insist on them.
func Watches(n Needs) []Right {
	watch := []string{"watch"}
	list := []Right{{Resource: kinds.Secrets, Verbs: watch, In: n.Namespace}, {Resource: kinds.Deployments, Verbs: watch, In: n.Namespace}}
	if !n.ExistingIstio {
		list = append(list, Right{Resource: kinds.Istios, Verbs: watch}, Right{Resource: kinds.IstioCNIs, Verbs: watch}, Right{Resource: kinds.IstioRevisions, Verbs: watch},
			Right{Resource: kinds.DaemonSets, Verbs: watch, In: cmp.Or(n.CNINamespace, fleet.DefaultCNINamespace)})
	}
	return list
}

// add adds a right to a list, or its verbs to the entry for the same objects.
func add(list []Right, r Right) []Right {
	for i, have := range list {
		if have.Resource == r.Resource && have.In == r.In && have.Name == r.Name {
			verbs := append(slices.Clone(have.Verbs), r.Verbs...)
			slices.Sort(verbs)
			list[i].Verbs = slices.Compact(verbs)
			return list
		}
	}
	return append(list, r)
}
