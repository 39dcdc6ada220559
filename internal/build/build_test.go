package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion_OfABuildFromSource_IsWhatGoRecorded(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	for name, c := range map[string]struct {
		info debug.BuildInfo
		want string
	}{
		"a module's version":      {debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{commit}}, "v1.2.3"},
		"a commit":                {debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{commit}}, "devel-0123456789ab"},
		"a commit that is no one": {debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123"}}}, Unknown},
		"nothing":                 {debug.BuildInfo{}, Unknown},
	} {
		require.Equal(t, c.want, recorded(&c.info), name)
	}
	require.NotEmpty(t, Version())
}

// The path in -X is written in deploy/build.sh, where no compiler reads it: the linker
// ignores a name that is not there.
func TestVersion_OfARelease_IsTheLinkersInTheScriptThatSetsIt(t *testing.T) {
	const variable = "github.com/landbridge/landbridge/internal/build.version="
	program := filepath.Join(t.TempDir(), "landbridge")
	out, err := exec.Command("go", "build", "-o", program, "-ldflags", "-X "+variable+"v9.8.7", "../../starter").CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command(program, "version", "--client").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "landbridge v9.8.7", strings.TrimSpace(string(out)))
	text, err := os.ReadFile("../../deploy/build.sh")
	require.NoError(t, err)
	require.Contains(t, string(text), "-X "+variable)
}
