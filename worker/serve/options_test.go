package serve

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/build"
)

func TestOptions_EachMistake_IsOneSentenceAndExitCode2(t *testing.T) {
	dir := t.TempDir()
	file, absent := filepath.Join(dir, "file"), filepath.Join(dir, "absent")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	open := filepath.Join(dir, "open")
	require.NoError(t, os.WriteFile(open, nil, 0o644))
	require.NoError(t, os.Chmod(open, 0o644))
	hooks := filepath.Join(dir, "hooks")
	require.NoError(t, os.WriteFile(hooks, []byte("oncall: {url: 'https://example.com/xxxxxxxx', secret: x}\n"), 0o600))
	for name, c := range map[string]struct {
		args string
		want []string
	}{
		"a typo in a flag":                 {"--kubeconfg-dir x", []string{"there is no flag --kubeconfg-dir", "`tested --help` lists"}},
		"a typo in a short flag":           {"-xy", []string{"there is no flag -x;", "`tested --help` lists"}},
		"no value":                         {"--parallel", []string{"--parallel needs a value"}},
		"no number":                        {"--parallel many", []string{"--parallel: must be an integer", `"many"`}},
		"no activity at all":               {"--parallel 0", []string{"--parallel: want at least 1, got 0"}},
		"more than flags":                  {"serve", []string{`"serve" is not a flag`}},
		"a kubeconfig directory missing":   {"--kubeconfig-dir " + absent, []string{"--kubeconfig-dir", "there is no directory", absent, "make it"}},
		"a file for kubeconfigs":           {"--kubeconfig-dir " + file, []string{"--kubeconfig-dir", file, "not a directory"}},
		"a directory below a file":         {"--kubeconfig-dir " + file + "/x", []string{"--kubeconfig-dir", "not a directory", "may read"}},
		"a chart directory missing":        {"--chart-dir " + absent, []string{"--chart-dir", "there is no directory"}},
		"a file for roots":                 {"--root-dir " + file, []string{"--root-dir", "not a directory"}},
		"roots and no roots":               {"--default-kubeconfig --no-root --root-dir " + dir, []string{"--root-dir and --no-root contradict"}},
		"a file without keys":              {"--cfssl-auth-key-file " + file, []string{"--cfssl-auth-key-file: " + file, "it has no key", "`URL KEY`"}},
		"keys that everybody may read":     {"--cfssl-auth-key-file " + open, []string{"--cfssl-auth-key-file: " + open, "others may read"}},
		"keys that are not there":          {"--cfssl-auth-key-file " + absent, []string{"--cfssl-auth-key-file", "no such file"}},
		"a file without channels":          {"--notify-file " + file, []string{"--notify-file: " + file, "it has no channel", "CHANNEL: {url:"}},
		"a field of a channel unknown":     {"--notify-file " + hooks, []string{"--notify-file: " + hooks + ": line 1: channel oncall: there is no field \"secret\"; leave it out"}},
		"webhooks that everybody may read": {"--notify-file " + open, []string{"--notify-file: " + open, "others may read"}},
		"webhooks that are not there":      {"--notify-file " + absent, []string{"--notify-file", "no such file"}},
		"nothing to do":                    {"--no-root", []string{"could do nothing", "--kubeconfig-dir"}},
		"plugins of no management cluster": {"--exec-command aws", []string{"--exec-command and --exec-env go with --management-kubeconfig"}},
		"a plugin without a name":          {"--management-kubeconfig " + file + " --exec-command=", []string{"--exec-command: a command needs a name"}},
		"a context of a pod":               {"--management-kubeconfig in-cluster --management-context x", []string{"--management-context: the account of a pod has no contexts"}},
		"a management cluster missing":     {"--management-kubeconfig " + absent, []string{"--management-kubeconfig", "no such file"}},
		"Fleets of no management cluster":  {"--watch-fleets fleets", []string{"--watch-fleets", "give --management-kubeconfig"}},
		"Fleets of no namespace":           {"--management-kubeconfig " + file + " --watch-fleets Fleets", []string{"--watch-fleets: \"Fleets\" is not a namespace"}},
		"a task queue without a name":      {"--task-queue=", []string{"--task-queue", "needs a name"}},
		"a task queue twice":               {"--task-queue a --task-queue b --task-queue a", []string{"--task-queue", `"a" is given twice`}},
		"a build without a name":           {"--build-id=", []string{"--build-id"}},
		"versioning without a version":     {"--deployment mine --build-id " + build.Unknown, []string{"--deployment", "--build-id"}},
		"only what is encrypted, no key":   {"--encrypted-only", []string{"--encrypted-only", "--codec-key-file"}},
		"an address without a port":        {"--listen localhost", []string{"--listen", "host:port"}},
		"a format of logs that is none":    {"--log-format xml", []string{`--log-format: want text or json, got "xml"`}},
		"a level of logs that is none":     {"--log-level loud", []string{`--log-level: want debug, info, warn or error, got "loud"`}},
		"a port that Temporal cannot have": {"--default-kubeconfig --no-root --address 127.0.0.1:70000", []string{"--address or TEMPORAL_ADDRESS", "65535"}},
		"a port that cannot be":            {"--listen 127.0.0.1:65536", []string{"--listen", "65535"}},
		"a truth that is none":             {"--no-root=perhaps", []string{"--no-root", "true or false"}},
		"a flag with too many dashes":      {"---no-root", []string{"---no-root", "--help"}},
		"a flag of another program of us":  {"--state-dir " + dir, []string{"there is no flag --state-dir"}},
	} {
		p := start(t, strings.Fields(c.args)...)
		require.Equal(t, ExitUsage, p.exit(), "%s: %s", name, p)
		for _, w := range c.want {
			require.Contains(t, p.String(), w, name)
		}
		require.Equal(t, 1, strings.Count(p.String(), "\n"), "%s: one line: %s", name, p)
	}
}

func TestOptions_LeftOut_ComeFromTheMachine(t *testing.T) {
	parse := func(args ...string) Options {
		var o Options
		fs := pflag.NewFlagSet("tested", pflag.ContinueOnError)
		o.Bind(fs, DefaultListen)
		require.NoError(t, fs.Parse(args))
		require.NoError(t, o.Complete())
		return o
	}
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	o := parse()
	require.Equal(t, filepath.Join(state, "landbridge", "roots"), o.RootDir)
	require.Equal(t, []string{"landbridge"}, o.TaskQueues)
	require.Equal(t, build.Version(), o.BuildID)
	require.Equal(t, DefaultListen, o.Listen)
	require.Empty(t, parse("--no-root", "--default-kubeconfig").RootDir)

	home := t.TempDir()
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", home)
	require.Equal(t, filepath.Join(home, ".local", "state", "landbridge", "roots"), parse().RootDir)
	t.Setenv("HOME", "")
	require.ErrorContains(t, (&Options{TaskQueues: []string{"q"}, Parallel: 1, BuildID: "b", Logging: Logging{Format: logText, Level: "info"}}).Complete(), "set XDG_STATE_HOME")
}

func TestOptions_AFileWithChannels_IsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notify.yaml")
	require.NoError(t, os.WriteFile(file, []byte("oncall: {url: 'https://hooks.slack.com/services/T0/B0/x', format: slack}\n"), 0o600))
	o := &Options{NotifyFile: file}
	require.NoError(t, o.readChannels())
	require.Len(t, o.Channels, 1)
	require.Contains(t, o.Channels, "oncall")
}

// YAML cannot ask Go for the port, so that it is written there too.
func TestDefaultListen_HasThePortOfEveryDeployment(t *testing.T) {
	_, port, err := net.SplitHostPort(DefaultListen)
	require.NoError(t, err)
	for file, want := range map[string][]string{
		"deploy/base/deployment.yaml":            {`":` + port + `"`, "containerPort: " + port, `prometheus.io/port: "` + port + `"`},
		"deploy/chart/templates/deployment.yaml": {`":` + port + `"`, "containerPort: " + port},
		"deploy/chart/values.yaml":               {`prometheus.io/port: "` + port + `"`},
		"docker-compose.yaml":                    {`":` + port + `"`},
		"docs/metrics.md":                        {DefaultListen},
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		require.NoError(t, err)
		for _, w := range want {
			require.Contains(t, string(text), w, file)
		}
	}
}
