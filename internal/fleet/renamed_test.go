package fleet

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nothing accepts an old name any more, and each new name is one that exists.
func TestRenamed_OldNamesAreGone_NewOnesExist(t *testing.T) {
	for old, now := range renamed {
		got, ok := Renamed(old)
		require.True(t, ok)
		require.Equal(t, now, got)
		_, again := renamed[now]
		require.False(t, again, "%s has another name yet", now)
		switch {
		case strings.HasPrefix(old, "spec."):
			require.False(t, exists(old), old)
			require.True(t, exists(now), now)
		case strings.HasPrefix(old, "--"):
			require.True(t, strings.HasPrefix(now, "--"), now)
		default:
			require.Equal(t, APIVersion, now)
		}
	}
	_, ok := Renamed("spec.clusters")
	require.False(t, ok)
}

func TestRenamed_InAList_IsTheSameForEveryItem(t *testing.T) {
	require.Equal(t, "spec.rollout.waves[].clusters[].x", index.ReplaceAllString("spec.rollout.waves[12].clusters[0].x", "[]"))
}

// exists says whether a path is one of a fleet file.
func exists(path string) bool {
	t := reflect.TypeFor[Fleet]()
	for name := range strings.SplitSeq(path, ".") {
		name, list := strings.CutSuffix(name, "[]")
		var ok bool
		if t, ok = field(t, name); !ok {
			return false
		}
		if list || t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	return true
}
