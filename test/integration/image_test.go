package integration

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// One commit gives one image: wherever it was checked out, and whatever the environment is.
func TestImage_OfOneCommit_HasOneDigest(t *testing.T) {
	if !*wholeWay {
		t.Skip("make e2e makes two images; make test makes one, and runs it")
	}
	t.Parallel()
	digest := regexp.MustCompile(`sha256:[0-9a-f]{64}`)
	var first string
	for zone, umask := range map[string]string{"America/New_York": "022", "Asia/Tokyo": "077"} {
		dir := t.TempDir()
		out, err := exec.Command("bash", "-c", `umask "$1" && git clone --quiet --shared "$2" "$3"`, "bash", umask, filepath.Join("..", ".."), dir).CombinedOutput()
		require.NoError(t, err, string(out))
		said, err := makeImage(dir, filepath.Join(dir, "dist", "image"), "TZ="+zone)
		require.NoError(t, err)
		d := digest.FindString(said)
		require.NotEmpty(t, d, said)
		if first == "" {
			first = d
		}
		require.Equal(t, first, d)
	}
}

// makeImage makes the worker's image for this machine's architecture, of the programs of a
// checkout, as `make image` does. It leaves the processors to whoever else needs them, and
// never takes more than one.
func makeImage(checkout, layout string, env ...string) (string, error) {
	cmd := exec.Command("nice", filepath.Join(checkout, "deploy", "image.sh"), "", layout)
	cmd.Env = append(cmd.Environ(), append(env, "GOMAXPROCS=1", "PLATFORMS=linux/"+runtime.GOARCH)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("deploy/image.sh: %w\n%s", err, out)
	}
	return string(out), nil
}
