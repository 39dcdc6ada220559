package integration

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/stretchr/testify/require"
)

// Compose's own library reads the file as Compose would, without a container engine.
func TestCompose_FileIsGood(t *testing.T) {
	o, err := cli.NewProjectOptions([]string{filepath.Join("..", "..", "docker-compose.yaml")},
		cli.WithEnv([]string{"TEMPORAL_DB_PASSWORD=for-the-test"}), cli.WithResolvedPaths(true))
	require.NoError(t, err)
	p, err := o.LoadProject(ctx)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"postgresql", "temporal", "temporal-ui", "worker"}, p.ServiceNames())
	for _, s := range p.Services {
		if s.Build == nil {
			require.Regexp(t, regexp.MustCompile(`:\d+\.\d+`), s.Image, "%s is pinned by version", s.Name)
		}
		for _, port := range s.Ports {
			require.True(t, net.ParseIP(port.HostIP).IsLoopback(), "%s publishes on loopback only", s.Name)
		}
		for _, v := range s.Volumes {
			if strings.Contains(v.Target, "kubeconfigs") {
				require.True(t, v.ReadOnly)
			}
		}
	}
	require.True(t, p.Services["worker"].ReadOnly)

	// Without a password there is an error that says so, and no default.
	o, err = cli.NewProjectOptions([]string{filepath.Join("..", "..", "docker-compose.yaml")})
	require.NoError(t, err)
	_, err = o.LoadProject(ctx)
	require.ErrorContains(t, err, "TEMPORAL_DB_PASSWORD")
}
