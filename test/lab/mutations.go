package lab

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// patchOp is one operation of a JSON patch.
type patchOp struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// mutations hold what each habit of admission makes of an object that is written. Each
// leaves alone what is already as it would make it.
var mutations = map[string]func(obj map[string]any) []patchOp{
	AdmissionResources: func(obj map[string]any) (ops []patchOp) {
		const note = "lab.example/resource-adjustment"
		size := map[string]any{"cpu": "60m", "memory": "192Mi"}
		at, containers := containersOf(obj)
		for i, c := range containers {
			was := c["resources"]
			if same(was, map[string]any{"requests": size, "limits": size}) {
				continue
			}
			ops = append(ops, add(fmt.Sprintf("%s/containers/%d/resources", at, i), map[string]any{"requests": size, "limits": size}))
		}
		if len(ops) > 0 {
			ops = append(ops, addKey(obj, []string{"metadata", "annotations"}, note, "autopilot")...)
		}
		return ops
	},
	AdmissionLabels: func(obj map[string]any) []patchOp {
		return addKey(obj, []string{"metadata", "labels"}, "cost-center", "4711")
	},
	AdmissionSidecars: func(obj map[string]any) []patchOp {
		at, containers := containersOf(obj)
		for _, c := range containers {
			if c["name"] == "agent" {
				return nil
			}
		}
		return []patchOp{add(at+"/containers/0", map[string]any{"name": "agent", "image": "registry.lab.example/agent:1"})}
	},
	AdmissionTolerations: func(obj map[string]any) []patchOp {
		at, _ := containersOf(obj)
		one := map[string]any{"key": "lab.example/pool", "operator": "Exists"}
		has, _, _ := unstructured.NestedSlice(obj, append(strings.Split(at[1:], "/"), "tolerations")...)
		for _, t := range has {
			if same(t, one) {
				return nil
			}
		}
		if len(has) == 0 {
			return []patchOp{add(at+"/tolerations", []any{one})}
		}
		return []patchOp{add(at+"/tolerations/-", one)}
	},
	AdmissionImages: func(obj map[string]any) (ops []patchOp) {
		const mirror = "mirror.lab.example/"
		at, containers := containersOf(obj)
		for i, c := range containers {
			// Istio puts another name in the place of auto.
			if image, _ := c["image"].(string); image != "auto" && !strings.HasPrefix(image, mirror) {
				ops = append(ops, patchOp{"replace", fmt.Sprintf("%s/containers/%d/image", at, i), mirror + image})
			}
		}
		return ops
	},
}

// containersOf returns where an object has a pod's specification, and its containers.
func containersOf(obj map[string]any) (at string, containers []map[string]any) {
	at = "/spec/template/spec"
	if obj["kind"] == "Pod" {
		at = "/spec"
	}
	list, _, _ := unstructured.NestedSlice(obj, append(strings.Split(at[1:], "/"), "containers")...)
	for _, c := range list {
		one, _ := c.(map[string]any)
		containers = append(containers, one)
	}
	return at, containers
}

func add(path string, value any) patchOp { return patchOp{"add", path, value} }

// addKey adds a key to a map of an object, which may lack the map.
func addKey(obj map[string]any, in []string, key, value string) []patchOp {
	has, _, _ := unstructured.NestedStringMap(obj, in...)
	path := "/" + strings.Join(in, "/")
	switch {
	case has[key] == value:
		return nil
	case has == nil:
		return []patchOp{add(path, map[string]any{key: value})}
	}
	return []patchOp{add(path+"/"+strings.ReplaceAll(key, "/", "~1"), value)}
}

func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
