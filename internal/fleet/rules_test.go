package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRules_SameThingTwice_NamesTheFirst(t *testing.T) {
	ps := &problems{}
	seen := map[string]string{}
	for i, name := range []string{"a", "", "b", "", "a"} {
		twice(ps, seen, name, "spec.clusters["+string(rune('0'+i))+"].name", "name")
	}
	require.Len(t, ps.list, 1, "what an item lacks is no second one of it")
	require.Equal(t, Problem{Path: "spec.clusters[4].name", Message: "the same name as spec.clusters[0]; each needs its own"}, ps.list[0])
}
