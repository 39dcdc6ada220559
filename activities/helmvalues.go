package activities

import "maps"

// overlay lays Helm values over others, key by key.
func overlay(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	for k, v := range over {
		below, isMap := out[k].(map[string]any)
		above, both := v.(map[string]any)
		if isMap && both {
			v = overlay(below, above)
		}
		out[k] = v
	}
	return out
}
