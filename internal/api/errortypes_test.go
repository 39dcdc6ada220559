package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestErrorTypes_EachHasAMeaning_AndTheUnknownIsRetried(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range ErrorTypes() {
		require.False(t, seen[e.Name], "%s is listed twice", e.Name)
		seen[e.Name] = true
		require.NotEmpty(t, e.Meaning, e.Name)
		require.Equal(t, e.Retried, RetryOf(e.Name))
	}
	require.Equal(t, RetriedAlways, RetryOf("a type of another worker's"))
	ErrorTypes()[0].Name = "changed"
	require.Equal(t, TypeForbidden, ErrorTypes()[0].Name, "the list is the caller's own")
}
