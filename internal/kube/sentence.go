package kube

import "strings"

// listed joins names as a sentence does: "a", "a and b", "a, b and c". What a sentence
// says of none is the caller's.
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
