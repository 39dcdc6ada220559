package fleet

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// valuesAt writes the mapping in which a path leads to a value.
func valuesAt(path []string, value string) string {
	if len(path) == 0 {
		return fmt.Sprintf("%q", value)
	}
	return "{" + path[0] + ": " + valuesAt(path[1:], value) + "}"
}

func TestValues_ThatContradictTheFile_AreRefusedWithTheirPlace(t *testing.T) {
	for _, own := range ownValues {
		path := strings.Join(own.path, ".")
		for at, text := range map[string]string{
			"spec.istio.values.": small + "  istio: {values: " + valuesAt(own.path, "other") + "}\n",
			"spec.clusters[1].istio.values.": strings.Replace(small, "{path: west.kubeconfig}", "{path: west.kubeconfig}, istio: {values: "+
				valuesAt(own.path, "other")+"}", 1),
		} {
			_, err := Parse("fleet.yaml", []byte(text))
			var invalid *InvalidError
			require.True(t, errors.As(err, &invalid), "%s at %s", path, at)
			require.Len(t, invalid.Problems, 1, "%s is reported once", path)
			require.Equal(t, at+path, invalid.Problems[0].Path)
			require.Contains(t, invalid.Problems[0].Message, "other contradicts "+own.field)
			require.Positive(t, invalid.Problems[0].Line)
		}
	}
}

func TestValues_ThatSayTheSame_AreAccepted(t *testing.T) {
	f := parse(t, small)
	west := f.Spec.Clusters[1]
	for _, own := range ownValues {
		want := own.want(f.Settings(west), west)
		parse(t, strings.Replace(small, "{path: west.kubeconfig}", "{path: west.kubeconfig}, istio: {values: "+valuesAt(own.path, want)+"}", 1))
	}
	parse(t, small+"  istio: {values: {global: {network: ~, proxy: {logLevel: debug}}, meshConfig: {trustDomain: cluster.local}}}\n")
}
