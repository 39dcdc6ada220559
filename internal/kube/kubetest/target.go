package kubetest

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// target holds what a path of the API names.
type target struct {
	gvr                  schema.GroupVersionResource
	namespace, name, sub string
}

func parsePath(urlPath string) target {
	var t target
	parts := strings.Split(strings.Trim(urlPath, "/"), "/")
	if parts[0] == "apis" {
		t.gvr.Group, parts = parts[1], parts[1:]
	}
	t.gvr.Version, parts = parts[1], parts[2:]
	if parts[0] == "namespaces" && len(parts) > 2 {
		t.namespace, parts = parts[1], parts[2:]
	}
	parts = append(parts, "", "")
	t.gvr.Resource, t.name, t.sub = parts[0], parts[1], parts[2]
	return t
}

// verbs returns what a request needs the right to. An apply that makes an object
// needs that to create, too.
func (s *Server) verbs(t target, method string, watches bool) []string {
	switch method {
	case http.MethodGet:
		switch {
		case watches:
			return []string{"watch"}
		case t.name == "":
			return []string{"list"}
		}
		return []string{"get"}
	case http.MethodPatch:
		if _, err := s.cluster.store.Get(t.gvr, t.namespace, t.name); err != nil {
			return []string{"patch", "create"}
		}
		return []string{"patch"}
	}
	return []string{map[string]string{http.MethodPost: "create", http.MethodPut: "update", http.MethodDelete: "delete"}[method]}
}
