package integration

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/landbridge/landbridge/internal/differences"
)

// differencesDoc names the page with a table of the fields that differ. A star in its first
// two columns stands for anything.
const differencesDoc = "../../docs/guide-differences.md"

// wholeObject stands in the table for an object that one side alone has.
const wholeObject = "the object"

// documented holds one row of the table.
type documented struct {
	object, field *regexp.Regexp
	row           string
}

func readDocumented(t *testing.T) (out []documented) {
	t.Helper()
	data, err := os.ReadFile(differencesDoc)
	require.NoError(t, err)
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (?:`([^`]+)`|(" + wholeObject + ")) \\| (.{10,}) \\|$")
	for _, m := range row.FindAllStringSubmatch(string(data), -1) {
		out = append(out, documented{pattern(m[1]), pattern(m[2] + m[3]), m[0]})
	}
	require.NotEmpty(t, out)
	return out
}

func pattern(text string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
}

// requireDocumented requires that the page names what differs between the objects of two
// sets of clusters, and nothing that does not.
func requireDocumented(t *testing.T, guide, ours map[string]any) {
	t.Helper()
	rows, used := readDocumented(t), map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(union(guide, ours))) {
		_, object, _ := strings.Cut(key, ": ") // without the cluster
		found := differences.Between(guide[key], ours[key])
		for _, field := range slices.Sorted(maps.Keys(found)) {
			at := field
			if at == "" {
				at = wholeObject
			}
			explained := false
			for _, r := range rows {
				if r.object.MatchString(object) && r.field.MatchString(at) {
					used[r.row], explained = true, true
				}
			}
			if !explained {
				t.Errorf("%s has no row for\n%s | %s: %s", differencesDoc, key, at, found[field])
			}
		}
	}
	for _, r := range rows {
		if !used[r.row] {
			t.Errorf("%s has a row for what does not differ:\n%s", differencesDoc, r.row)
		}
	}
}

func union(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// derived lists the kinds that controllers make of other objects here, under names by
// chance.
var derived = []string{"Pod", "ReplicaSet", "ControllerRevision", "PodMetrics"}

// helmRevision ends the name of a release's Secret: how often an operator or a retry
// installed it is by chance.
var helmRevision = regexp.MustCompile(`\.v\d+$`)

// readable returns the objects of the clusters by "cluster: Kind namespace/name", without
// what an API server or a cloud assigns, and with what Secrets hold told in words that can
// be compared.
func (w *world) readable(t *testing.T, names ...string) map[string]any {
	t.Helper()
	told, out := teller{}, map[string]any{}
	for _, name := range names {
		svc, err := w.connect(name).CoreV1().Services("istio-system").Get(ctx, "istio-eastwestgateway", getOptions)
		require.NoError(t, err)
		told.addresses = append(told.addresses, svc.Status.LoadBalancer.Ingress[0].Hostname, "the address of "+name)
	}
	for _, name := range names {
		w.everyObject(name, func(key string, o *unstructured.Unstructured) {
			if slices.Contains(derived, o.GetKind()) {
				return
			}
			key = helmRevision.ReplaceAllString(fmt.Sprintf("%s: %s", name, strings.TrimSuffix(key, "/"+o.GetName())+"/"+o.GetName()), "")
			out[key] = told.object(o)
		})
	}
	return out
}
