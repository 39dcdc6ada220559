package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChanges_Created_IsWhatAnUndoRemoves(t *testing.T) {
	for action, want := range map[Action]bool{Create: true, Adopt: true, Update: false, Keep: false, Remove: false} {
		require.Equal(t, want, Changes{Changes: []Change{{Action: Keep}, {Action: action}}}.Created(), action)
	}
	require.False(t, Changes{}.Created())
}

func TestChanges_WithoutFields_KeepsTheOriginal(t *testing.T) {
	full := Changes{Changes: []Change{{Action: Update, Kind: "Secret", Name: "a", Fields: []Field{{Path: "data"}}, Manifest: "kind: Secret"}}}
	brief := full.WithoutFields()
	require.Regexp(t, "^sha256:[0-9a-f]{16}$", brief.All()[0].Digest)
	full.Changes[0].Fields[0].To = "other"
	require.NotEqual(t, brief.All()[0].Digest, full.WithoutFields().All()[0].Digest)
	brief.Changes[0].Digest = ""
	require.Equal(t, []Change{{Action: Update, Kind: "Secret", Name: "a"}}, brief.All())
	require.Len(t, full.All()[0].Fields, 1)
	require.NotEmpty(t, full.All()[0].Manifest)
}
