package kinds

import "k8s.io/apimachinery/pkg/runtime/schema"

// Resource is a kind that Landbridge reads or writes.
type Resource struct {
	schema.GroupVersionResource
	Kind string
}

func resource(group, version, plural, kind string) Resource {
	return Resource{schema.GroupVersionResource{Group: group, Version: version, Resource: plural}, kind}
}

// Every kind that Landbridge reads or writes, and what it does to pods to prove
// a link. Helm knows its own.
var (
	Namespaces            = resource("", "v1", "namespaces", "Namespace")
	ConfigMaps            = resource("", "v1", "configmaps", "ConfigMap")
	Secrets               = resource("", "v1", "secrets", "Secret")
	Services              = resource("", "v1", "services", "Service")
	ServiceAccounts       = resource("", "v1", "serviceaccounts", "ServiceAccount")
	Deployments           = resource("apps", "v1", "deployments", "Deployment")
	DaemonSets            = resource("apps", "v1", "daemonsets", "DaemonSet")
	ClusterRoles          = resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole")
	ClusterRoleBindings   = resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding")
	Roles                 = resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
	RoleBindings          = resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
	CRDs                  = resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition")
	Istios                = resource("sailoperator.io", "v1", "istios", "Istio")
	IstioRevisions        = resource("sailoperator.io", "v1", "istiorevisions", "IstioRevision")
	IstioCNIs             = resource("sailoperator.io", "v1", "istiocnis", "IstioCNI")
	IstioGateways         = resource("networking.istio.io", "v1", "gateways", "Gateway")
	VirtualServices       = resource("networking.istio.io", "v1", "virtualservices", "VirtualService")
	DestinationRules      = resource("networking.istio.io", "v1", "destinationrules", "DestinationRule")
	ServiceEntries        = resource("networking.istio.io", "v1", "serviceentries", "ServiceEntry")
	AuthorizationPolicies = resource("security.istio.io", "v1", "authorizationpolicies", "AuthorizationPolicy")
	HorizontalAutoscalers = resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
	DisruptionBudgets     = resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
	NetworkPolicies       = resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
	Events                = resource("", "v1", "events", "Event")
	Infrastructures       = resource("config.openshift.io", "v1", "infrastructures", "Infrastructure")
	Pods                  = resource("", "v1", "pods", "Pod")
	PodLogs               = resource("", "v1", "pods/log", "Pod")
	Tokens                = resource("", "v1", "serviceaccounts/token", "TokenRequest")
	WorkloadEntries       = resource("networking.istio.io", "v1", "workloadentries", "WorkloadEntry")
	Nodes                 = resource("", "v1", "nodes", "Node")
	EndpointSlices        = resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
	KubernetesGateways    = resource("gateway.networking.k8s.io", "v1", "gateways", "Gateway")
	ServiceExports        = resource("multicluster.x-k8s.io", "v1alpha1", "serviceexports", "ServiceExport")
	ServiceImports        = resource("multicluster.x-k8s.io", "v1alpha1", "serviceimports", "ServiceImport")
	CertificateRequests   = resource("cert-manager.io", "v1", "certificaterequests", "CertificateRequest")
	Issuers               = resource("cert-manager.io", "v1", "issuers", "Issuer")
	ClusterIssuers        = resource("cert-manager.io", "v1", "clusterissuers", "ClusterIssuer")
	PodPorts              = resource("", "v1", "pods/portforward", "Pod")
	// Fleets are Landbridge's own, in the management cluster.
	Fleets = resource("landbridge.dev", "v1alpha1", "fleets", "Fleet")
	// CAPIClusters has the versions of Cluster API's own kind, the newest first.
	CAPIClusters = []Resource{resource("cluster.x-k8s.io", "v1beta2", "clusters", "Cluster"), resource("cluster.x-k8s.io", "v1beta1", "clusters", "Cluster")}
	// ClusterProfiles has the versions of the cluster inventory API's own kind, the newest first.
	ClusterProfiles = []Resource{resource("multicluster.x-k8s.io", "v1alpha2", "clusterprofiles", "ClusterProfile"), resource("multicluster.x-k8s.io", "v1alpha1", "clusterprofiles", "ClusterProfile")}
	ManagedClusters = resource("cluster.open-cluster-management.io", "v1", "managedclusters", "ManagedCluster")
	all             = []Resource{Namespaces, ConfigMaps, Secrets, Services, ServiceAccounts, Deployments, ClusterRoles, ClusterRoleBindings, Roles, RoleBindings, CRDs, Istios, IstioCNIs, IstioGateways, VirtualServices, DestinationRules, ServiceEntries, AuthorizationPolicies, HorizontalAutoscalers, DisruptionBudgets, NetworkPolicies, Events, CertificateRequests}
)

// ResourceOf finds the resource of an object's group and kind.
func ResourceOf(gvk schema.GroupVersionKind) (Resource, bool) {
	for _, r := range all {
		if r.Group == gvk.Group && r.Kind == gvk.Kind {
			return r, true
		}
	}
	return Resource{}, false
}
