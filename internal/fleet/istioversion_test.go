package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var aSail = []string{"v1.31-latest", "v1.31.3", "v1.31.1", "v1.30-latest", "v1.30.9", "v1.30.10", "v1.9.0", "master", "v1.32-alpha.abc", "v1.30.011"}

func TestIstioVersion_ListsOfAnOperator(t *testing.T) {
	require.Equal(t, []string{"v1.31.3", "v1.30.10", "v1.9.0"}, NewestOfEachMinor(aSail))
	require.Equal(t, []string{"master"}, NewestOfEachMinor([]string{"master"}), "nothing that is better")
	require.Equal(t, []string{"v1.26.4-asm-r1"}, NewestOfEachMinor([]string{"v1.26-latest", "v1.26.3-asm-r1", "v1.26.4-asm-r1"}), "as the operator names it")
	require.Equal(t, "v1.30.10", NewestPatch(IstioVersion{1, 30, 0}, aSail))
	require.Empty(t, NewestPatch(IstioVersion{1, 32, 0}, aSail))
}

func TestIstioVersion_AnAliasStandsForTheNewestPatchOfItsMinor(t *testing.T) {
	for version, want := range map[string]string{"v1.31-latest": "v1.31.3", "v1.30-latest": "v1.30.10", "v1.29-latest": "v1.29-latest",
		"v1.31.1": "v1.31.1", "master": "master"} {
		require.Equal(t, want, ResolveIstioVersion(version, aSail))
	}
	require.True(t, IsIstioAlias("v1.31-latest"))
	for _, no := range []string{"v1.31.3", "1.31-latest", "v1.31-latest-1", "master"} {
		require.False(t, IsIstioAlias(no), no)
	}
}

func TestIstioVersion_TheNewestThatAllKnow(t *testing.T) {
	for want, lists := range map[string][][]string{
		"v1.31.3":  {aSail, {"v1.31.3", "v1.31.2"}},
		"v1.30.10": {aSail, {"v1.31.2", "v1.30.10", "v1.9.0"}},
		"":         {aSail, {"v1.28.0"}},
	} {
		require.Equal(t, want, NewestCommon(lists))
	}
	require.Empty(t, NewestCommon(nil))
}

func TestIstioVersion_Parse(t *testing.T) {
	for s, want := range map[string]IstioVersion{"v1.31.3": {1, 31, 3}, "1.24.6": {1, 24, 6}, "1.31.3-distroless": {1, 31, 3}, "v1.26.3-asm-r1": {1, 26, 3}} {
		got, ok := ParseIstioVersion(s)
		require.True(t, ok, s)
		require.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "latest", "v1.31", "v1.31-latest", "1.31-alpha.0123abc", "v1.31.x", "auto", "v99999.1.1", "v1.30.011"} {
		_, ok := ParseIstioVersion(s)
		require.False(t, ok, s)
	}
	require.Negative(t, IstioVersion{1, 9, 9}.Compare(IstioVersion{1, 10, 0}))
	require.Equal(t, IstioVersion{1, 25, 0}, IstioVersion{1, 24, 6}.NextMinor())
}
