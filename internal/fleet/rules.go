package fleet

import (
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
)

// reason returns the first sentence of what Kubernetes finds wrong with a name. The
// rest is a regular expression.
func reason(errs []string) string {
	first, _, _ := strings.Cut(errs[0], " (e.g.")
	return first
}

func lifetime(ps *problems, at string, d Duration) {
	if d.Std() < 24*time.Hour {
		ps.add(at, "a CA certificate must live for at least 24h, got %s", d.Std())
	}
}

func port(ps *problems, at string, n int) {
	if n < 1 || n > 65535 || n == 15021 {
		ps.add(at, "want a port from 1 to 65535 other than 15021 (the gateway's status port), got %d", n)
	}
}

// twice reports what an earlier item of a list has too. What an item lacks is
// reported elsewhere.
func twice[K comparable](ps *problems, seen map[K]string, key K, at, what string) {
	var none K
	if key == none {
		return
	}
	if first, ok := seen[key]; ok {
		ps.add(at, "the same %s as %s; each needs its own", what, first)
		return
	}
	list, index, _ := strings.Cut(at, "[")
	index, _, _ = strings.Cut(index, "]")
	seen[key] = list + "[" + index + "]"
}

// labelValue wants what Kubernetes takes for the value of a label.
func labelValue(ps *problems, at, v, use string) {
	switch errs := validation.IsValidLabelValue(v); {
	case v == "":
		ps.add(at, "is required")
	case utf8.RuneCountInString(v) > validation.LabelValueMaxLength:
		ps.add(at, "%q has %s; at most %d fit into %s", v, Count(utf8.RuneCountInString(v), "character"), validation.LabelValueMaxLength, use)
	case len(errs) > 0:
		ps.add(at, "%q is not a label value: letters, digits, -, _ and ., starting and ending with a letter or digit", v)
	}
}

func dnsLabel(ps *problems, at, v string, most int, use string) {
	switch errs := validation.IsDNS1123Label(v); {
	case v == "":
		ps.add(at, "is required")
	case utf8.RuneCountInString(v) > most:
		ps.add(at, "%q has %s; at most %d fit into %s", v, Count(utf8.RuneCountInString(v), "character"), most, use)
	case len(errs) > 0:
		ps.add(at, "%q is not a DNS label: lower case letters, digits and -, starting and ending with a letter or digit", v)
	}
}

// oneOf allows some words; the empty one is a field that is not set.
func oneOf(ps *problems, at, v string, allowed ...string) {
	if slices.Contains(allowed, v) {
		return
	}
	words := slices.DeleteFunc(slices.Clone(allowed), func(w string) bool { return w == "" })
	last := len(words) - 1
	ps.add(at, "want %s or %s, got %q", strings.Join(words[:last], ", "), words[last], v)
}

// localPath says whether a path stays below the directory that it is joined to.
func localPath(p string) bool {
	clean := path.Clean(p)
	return !path.IsAbs(p) && clean != ".." && !strings.HasPrefix(clean, "../") && clean != "."
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
