package fleet

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// DefaultIstioVersion is rolled out where neither the fleet file nor an operator names a
// version: the Sail operator 1.31.2 has it.
const DefaultIstioVersion = "v1.31.3"

// IstioVersion holds the numbers of a version of Istio.
type IstioVersion struct{ Major, Minor, Patch int }

// release matches a version as Sail names it (v1.31.3), and as the tag of an image has
// it (1.31.3-distroless).
var release = regexp.MustCompile(`^v?(\d{1,4})\.(\d{1,4})\.(0|[1-9]\d{0,3})(?:[-+.].*)?$`)

// latest matches Sail's aliases: v1.31-latest.
var latest = regexp.MustCompile(`^v(\d{1,4})\.(\d{1,4})-latest$`)

// ParseIstioVersion reads a version. An alias is none.
func ParseIstioVersion(s string) (v IstioVersion, ok bool) {
	m := release.FindStringSubmatch(s)
	if m == nil {
		return v, false
	}
	return IstioVersion{number(m[1]), number(m[2]), number(m[3])}, true
}

// number reads digits, of which there are few.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// Compare orders versions, the oldest first.
func (v IstioVersion) Compare(other IstioVersion) int {
	return cmp.Or(cmp.Compare(v.Major, other.Major), cmp.Compare(v.Minor, other.Minor), cmp.Compare(v.Patch, other.Patch))
}

// SameMinor tells whether two versions are patches of one minor release.
func (v IstioVersion) SameMinor(other IstioVersion) bool {
	return v.Major == other.Major && v.Minor == other.Minor
}

// ForgetsClusters says whether an istiod of a version is known to go on without the endpoints
// or the gateways of another cluster after a remote secret changed. Some patches of 1.30 have
// parts of the repair; 1.31.0 has all.
func ForgetsClusters(version string) bool {
	v, ok := ParseIstioVersion(version)
	return ok && v.Compare(IstioVersion{Major: 1, Minor: 31}) < 0
}

// NextMinor returns the first patch of the minor release that comes after this one.
func (v IstioVersion) NextMinor() IstioVersion { return IstioVersion{v.Major, v.Minor + 1, 0} }

// IsIstioAlias tells whether a version is one of Sail's aliases, which stand for the
// newest patch of a minor release that the operator has.
func IsIstioAlias(version string) bool { return latest.MatchString(version) }

// ResolveIstioVersion returns what a version stands for in an operator that knows these:
// an alias, for the newest patch of its minor release; any other one, for itself.
func ResolveIstioVersion(version string, known []string) string {
	m := latest.FindStringSubmatch(version)
	if m == nil {
		return version
	}
	return cmp.Or(NewestPatch(IstioVersion{number(m[1]), number(m[2]), 0}, known), version)
}

// NewestPatch returns the newest patch of a version's minor release, or nothing.
func NewestPatch(of IstioVersion, known []string) string {
	for _, s := range newestFirst(known) {
		if v, _ := ParseIstioVersion(s); v.SameMinor(of) {
			return s
		}
	}
	return ""
}

// NewestOfEachMinor returns the newest patch of each minor release, newest first. Sail
// lists every patch that it ever installed, and aliases.
func NewestOfEachMinor(known []string) (out []string) {
	var last IstioVersion
	for _, s := range newestFirst(known) {
		if v, _ := ParseIstioVersion(s); !v.SameMinor(last) {
			out, last = append(out, s), v
		}
	}
	if out == nil {
		return known
	}
	return out
}

// NewestCommon returns the newest version that is in every list, or nothing.
func NewestCommon(lists [][]string) string {
	if len(lists) == 0 {
		return ""
	}
	for _, s := range newestFirst(lists[0]) {
		if !slices.ContainsFunc(lists, func(known []string) bool { return !slices.Contains(known, s) }) {
			return s
		}
	}
	return ""
}

// newestFirst returns the versions of a list without its aliases.
func newestFirst(known []string) (out []string) {
	for _, s := range known {
		if _, ok := ParseIstioVersion(s); ok {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int {
		v, _ := ParseIstioVersion(a)
		w, _ := ParseIstioVersion(b)
		return w.Compare(v)
	})
	return out
}

// UnknownIstioVersion tells that a cluster's operator does not know a version, and which
// ones it knows.
func UnknownIstioVersion(version string, known []string) string {
	return "its Sail operator does not know Istio " + version + "; the newest that it knows are " +
		strings.Join(NewestOfEachMinor(known), ", ") + ": change spec.istio.version"
}
