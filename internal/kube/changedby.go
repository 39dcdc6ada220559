package kube

import (
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/landbridge/landbridge/internal/fleet"
)

// ChangedBy tells with what somebody else changed these fields of an object, and when, as the
// API server noted it: who has a field, or where nobody has one (it was removed), who wrote the
// object last.
func ChangedBy(live *unstructured.Unstructured, fields []string) fleet.ChangedBy {
	var any, of fleet.ChangedBy
	for _, m := range live.GetManagedFields() {
		if m.Manager == FieldManager || m.Subresource != "" || m.Time == nil {
			continue
		}
		by := fleet.ChangedBy{With: m.Manager, At: m.Time.UTC().Truncate(time.Second)}
		if by.At.After(any.At) {
			any = by
		}
		set := fieldpath.NewSet()
		if m.FieldsV1 != nil && set.FromJSON(m.FieldsV1.GetRawReader()) == nil && hasAny(set, fields) && by.At.After(of.At) {
			of = by
		}
	}
	if of.With == "" {
		return any
	}
	return of
}

// place matches what tells the item of a list in a path.
var place = regexp.MustCompile(`\[[^\]]*\]`)

// hasAny tells whether a set has one of the fields, or a part of one, whichever item of a list
// it is.
func hasAny(set *fieldpath.Set, fields []string) (has bool) {
	set.Iterate(func(p fieldpath.Path) {
		var names []string
		for _, pe := range p {
			if pe.FieldName != nil {
				names = append(names, *pe.FieldName)
			}
		}
		own := strings.Join(names, ".") + "."
		for _, f := range fields {
			f = place.ReplaceAllString(f, "") + "."
			has = has || len(names) > 0 && (strings.HasPrefix(own, f) || strings.HasPrefix(f, own) && set.Leaves().Has(p))
		}
	})
	return has
}
