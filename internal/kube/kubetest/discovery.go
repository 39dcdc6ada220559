package kubetest

import (
	"net/http"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/landbridge/landbridge/internal/kinds"
)

// served lists the kinds that a Server tells of.
var served = slices.Concat(untyped, []kinds.Resource{kinds.Namespaces, kinds.ConfigMaps, kinds.Secrets, kinds.Services, kinds.ServiceAccounts,
	kinds.Deployments, kinds.DaemonSets, kinds.ClusterRoles, kinds.ClusterRoleBindings, kinds.HorizontalAutoscalers, kinds.DisruptionBudgets, kinds.NetworkPolicies, kinds.Events, kinds.Pods})

// wholeCluster lists those of them that are in no namespace.
var wholeCluster = []kinds.Resource{kinds.Namespaces, kinds.CRDs, kinds.Istios, kinds.IstioRevisions, kinds.IstioCNIs, kinds.Infrastructures, kinds.ClusterRoles, kinds.ClusterRoleBindings, kinds.ManagedClusters}

var verbs = metav1.Verbs{"create", "delete", "get", "list", "patch", "update", "watch"}

// discovery adds the handlers by which clients find out what a Server has.
func discovery(mux *http.ServeMux) {
	groups := metav1.APIGroupList{}
	for _, gv := range groupVersions() {
		path := "apis/" + gv.String()
		if gv.Group == "" {
			path = "api/" + gv.Version
		} else {
			version := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version}
			groups.Groups = append(groups.Groups, metav1.APIGroup{Name: gv.Group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version})
		}
		answerAlways(mux, "/"+path, resourcesOf(gv))
	}
	answerAlways(mux, "/api", metav1.APIVersions{Versions: []string{"v1"}})
	answerAlways(mux, "/apis", groups)
}

func answerAlways(mux *http.ServeMux, path string, out any) {
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { write(w, out) })
}

func groupVersions() (out []schema.GroupVersion) {
	for _, r := range served {
		if gv := r.GroupVersion(); !slices.Contains(out, gv) {
			out = append(out, gv)
		}
	}
	return out
}

func resourcesOf(gv schema.GroupVersion) metav1.APIResourceList {
	list := metav1.APIResourceList{GroupVersion: gv.String()}
	for _, r := range served {
		if r.GroupVersion() == gv {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: r.Resource, SingularName: strings.ToLower(r.Kind), Kind: r.Kind,
				Namespaced: !slices.Contains(wholeCluster, r), Verbs: verbs})
		}
	}
	return list
}
