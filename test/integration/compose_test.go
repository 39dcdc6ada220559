package integration

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/schema"
)

// composeEnv sets what docker-compose.yaml insists on.
var composeEnv = []string{"TEMPORAL_DB_PASSWORD=for-the-test", "LANDBRIDGE_IMAGE=registry.example.com/landbridge-worker:v0.4.0"}

// composed reads docker-compose.yaml with Compose's own library, as Compose would, without
// a container engine.
func composed(env []string) (*types.Project, error) {
	o, err := cli.NewProjectOptions([]string{filepath.Join("..", "..", "docker-compose.yaml")}, cli.WithEnv(env), cli.WithResolvedPaths(true))
	if err != nil {
		return nil, err
	}
	return o.LoadProject(ctx)
}

func TestCompose_FileIsGood(t *testing.T) {
	p, err := composed(composeEnv)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"postgresql", "temporal-schema", "temporal", "temporal-namespace", "temporal-ui", "worker"}, p.ServiceNames())
	for _, s := range p.Services {
		require.Nil(t, s.Build)
		require.Regexp(t, regexp.MustCompile(`:v?\d+\.\d+`), s.Image, "%s is pinned by version", s.Name)
		for _, port := range s.Ports {
			require.True(t, net.ParseIP(port.HostIP).IsLoopback(), "%s publishes on loopback only", s.Name)
		}
		for _, v := range s.Volumes {
			if strings.Contains(v.Target, "kubeconfigs") {
				require.True(t, v.ReadOnly)
			}
		}
		for name, d := range s.DependsOn {
			runs := p.Services[name].Restart != ""
			require.Equal(t, runs, d.Condition == types.ServiceConditionHealthy, "%s waits for %s, which %s", s.Name, name,
				map[bool]string{true: "runs on, so that it can be healthy", false: "ends, so that it completes"}[runs])
			require.Equal(t, runs, p.Services[name].HealthCheck != nil, name)
		}
	}
	require.True(t, p.Services["worker"].ReadOnly)

	// Without one of these there is an error that says so, and no default.
	for i, missing := range composeEnv {
		name, _, _ := strings.Cut(missing, "=")
		_, err = composed(slices.Delete(slices.Clone(composeEnv), i, i+1))
		require.ErrorContains(t, err, "set "+name+" to")
	}
}

// The images are those of the Temporal that landbridge-standalone is, and Temporal's own code
// understands what they are told.
func TestCompose_TemporalUnderstandsItsSettings(t *testing.T) {
	p, err := composed(composeEnv)
	require.NoError(t, err)
	for name, want := range map[string]string{
		"temporal":           "temporalio/server:" + required(t, "go.temporal.io/server"),
		"temporal-schema":    "temporalio/admin-tools:" + required(t, "go.temporal.io/server"),
		"temporal-namespace": "temporalio/admin-tools:" + required(t, "go.temporal.io/server"),
		"temporal-ui":        "temporalio/ui:" + required(t, "github.com/temporalio/ui-server/v2"),
	} {
		require.Equal(t, want, p.Services[name].Image)
	}

	server, database := p.Services["temporal"], p.Services["postgresql"]
	for name, value := range server.Environment {
		t.Setenv(name, *value)
	}
	cfg, err := config.Load(config.WithEmbedded()) // as the image does
	require.NoError(t, err)
	require.NoError(t, cfg.Validate())
	tool := p.Services["temporal-schema"]
	for store, name := range map[string]string{cfg.Persistence.DefaultStore: "temporal", cfg.Persistence.VisibilityStore: "temporal_visibility"} {
		sql := cfg.Persistence.DataStores[store].SQL
		require.NotNil(t, sql, store)
		require.Equal(t, name, sql.DatabaseName)
		require.Equal(t, *tool.Environment["SQL_HOST"]+":"+*tool.Environment["SQL_PORT"], sql.ConnectAddr)
		require.Equal(t, []string{*tool.Environment["SQL_PLUGIN"], *tool.Environment["SQL_USER"], *tool.Environment["SQL_PASSWORD"]}, []string{sql.PluginName, sql.User, sql.Password})
		require.Equal(t, []string{*database.Environment["POSTGRES_USER"], *database.Environment["POSTGRES_PASSWORD"]}, []string{sql.User, sql.Password})
		require.Contains(t, tool.Command[0], "--db "+name+" create-database\n")
	}
	found := regexp.MustCompile(`--schema-name (\S+)`).FindAllStringSubmatch(tool.Command[0], -1)
	require.Len(t, found, 2)
	for _, f := range found {
		require.Contains(t, schema.PathsByDB("postgresql"), f[1])
	}

	// The server insists on this file, and its image has none.
	require.Len(t, server.Configs, 1)
	require.Equal(t, server.Configs[0].Target, cfg.DynamicConfigClient.Filepath)
	settings := dynamicconfig.LoadYamlFile([]byte(p.Configs[server.Configs[0].Source].Content))
	require.Empty(t, settings.Errors)
	require.Empty(t, settings.Warnings)
}

// required returns the version of a module that landbridge-standalone is built with.
func required(t *testing.T, module string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "standalone", "go.mod"))
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(module) + ` v(\S+)`).FindSubmatch(data)
	require.NotNil(t, m, module)
	return string(m[1])
}
