package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// minor lists the patches of one minor release that the stand-in's Sail knows.
type minor struct {
	number, first, last int
	// ended says that the release is past its end of life: the kinds still list it, and
	// the operator refuses it.
	ended bool
}

// minors lists what a Sail 1.31.2 knows, newest first. No release of it had Istio v1.31.0.
var minors = []minor{
	{31, 1, 3, false}, {30, 0, 7, false}, {29, 0, 10, false}, {28, 0, 10, false},
	{27, 0, 9, true}, {26, 0, 8, true}, {25, 1, 5, true}, {24, 0, 6, true}, {23, 2, 6, true}, {22, 5, 8, true}, {21, 6, 6, true},
}

func (m minor) alias() string           { return fmt.Sprintf("v1.%d-latest", m.number) }
func (m minor) patch(n int) string      { return fmt.Sprintf("v1.%d.%d", m.number, n) }
func (m minor) has(version string) bool { return slices.Contains(m.versions(), version) }

// before returns what the release of Sail before knows of a minor release.
func (m minor) before() minor {
	if !m.ended && m.last > m.first {
		m.last--
	}
	return m
}

// minorsOf lists what the operator knows, or the one of the release before.
func minorsOf(older bool) []minor {
	out := slices.Clone(minors)
	for i := range out {
		if older {
			out[i] = out[i].before()
		}
	}
	return out
}

// versions lists a minor's alias and its patches, newest first.
func (m minor) versions() []string {
	out := []string{m.alias()}
	for n := m.last; n >= m.first; n-- {
		out = append(out, m.patch(n))
	}
	return out
}

// sailVersions lists what spec.version takes, as the kinds' enum has it.
func sailVersions(older bool) (out []any) {
	for _, m := range minorsOf(older) {
		for _, v := range m.versions() {
			out = append(out, v)
		}
	}
	return out
}

// resolve returns the real version behind an alias, or Sail's own words where the
// operator cannot install it.
func (s *sail) resolve(version string) (string, error) {
	for _, m := range minorsOf(s.older) {
		switch {
		case !m.has(version):
		case m.ended:
			return "", fmt.Errorf("validation error: version %q is end-of-life and cannot be installed", version)
		case version == m.alias():
			return m.patch(m.last), nil
		default:
			return version, nil
		}
	}
	return "", fmt.Errorf("validation error: version %q is not supported", version)
}

// installsBase says whether Istio's base chart comes with a version: from 1.26 on.
func installsBase(version string) bool {
	var number int
	_, err := fmt.Sscanf(strings.TrimPrefix(version, "v1."), "%d.", &number)
	return err == nil && number >= 26
}

// listVersions has the kinds list the versions that the operator knows, as its chart does.
func (s *sail) listVersions(ctx context.Context) error {
	if s.older == s.listed {
		return nil
	}
	kinds, err := sailKinds()
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		crd, err := s.dyn.Resource(crdsResource).Get(ctx, kind.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
		if err != nil {
			return err
		}
		enum := []string{"schema", "openAPIV3Schema", "properties", "spec", "properties", "version", "enum"}
		if err := unstructured.SetNestedSlice(versions[0].(map[string]any), sailVersions(s.older), enum...); err != nil {
			return err
		}
		if err := unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"); err != nil {
			return err
		}
		if _, err := s.dyn.Resource(crdsResource).Update(ctx, crd, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	s.listed = s.older
	return nil
}
