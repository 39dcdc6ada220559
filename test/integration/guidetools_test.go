package integration

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	helmkube "helm.sh/helm/v3/pkg/kube"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/chart"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/test/kubectl"
	"github.com/landbridge/landbridge/test/lab"
)

// The tools that the guide names, for a machine that has none of them: kubectl, helm and
// envsubst are this test binary, kubectl and helm by their own code; istioctl is built from
// Istio's module, which has the makefiles for certificates, too. make, openssl and sed are
// the machine's.

// guideTool names the variable of the environment that makes this test binary a tool.
const guideTool = "LANDBRIDGE_TEST_GUIDE_TOOL"

// guideChart has the version of the chart that helm finds in Istio's repository.
const guideChart = "GUIDE_CHART_VERSION"

func runGuideTool(tool string, args []string) {
	run := map[string]func([]string) error{"kubectl": kubectl.Run, "helm": runHelm, "envsubst": runEnvsubst}[tool]
	if err := run(args); err != nil {
		fmt.Fprintln(os.Stderr, tool+":", err)
		os.Exit(1)
	}
}

// runHelm does what Helm's own main does for `helm repo add` and `helm upgrade --install`
// of a release that is not there.
func runHelm(args []string) error {
	helmkube.ManagedFieldsManager = "helm"
	flags := genericclioptions.NewConfigFlags(true)
	flags.Context = new(string)
	values, install := "", false
	root := &cobra.Command{Use: "helm"}
	root.PersistentFlags().StringVar(flags.Context, "kube-context", "", "")
	root.PersistentFlags().StringVarP(flags.Namespace, "namespace", "n", "", "")
	upgrade := &cobra.Command{Use: "upgrade", Args: cobra.ExactArgs(2), RunE: func(_ *cobra.Command, args []string) error {
		if !install || args[1] != "istio/gateway" {
			return fmt.Errorf("the guide installs istio/gateway, and not %s", args[1])
		}
		return helmInstall(flags, args[0], values)
	}}
	upgrade.Flags().BoolVarP(&install, "install", "i", false, "")
	upgrade.Flags().StringVarP(&values, "values", "f", "", "")
	repo := &cobra.Command{Use: "repo", Args: cobra.ExactArgs(3), RunE: func(*cobra.Command, []string) error { return nil }}
	root.AddCommand(upgrade, repo)
	root.SetArgs(args)
	return root.Execute()
}

func helmInstall(flags *genericclioptions.ConfigFlags, name, file string) error {
	cfg := &action.Configuration{}
	if err := cfg.Init(flags, *flags.Namespace, "secret", func(string, ...any) {}); err != nil {
		return err
	}
	c, err := chart.Load(fleet.Chart{}, "", os.Getenv(guideChart))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if file == "-" {
		text, err = io.ReadAll(os.Stdin)
	}
	if err != nil {
		return err
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		return err
	}
	in := action.NewInstall(cfg)
	in.ReleaseName, in.Namespace = name, *flags.Namespace
	_, err = in.RunWithContext(context.Background(), c.Chart, values)
	return err
}

func runEnvsubst([]string) error {
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		fmt.Print(os.Expand(string(text), os.Getenv))
	}
	return err
}

// guideTools returns a directory with the guide's tools, to be the first in PATH. Istio's
// makefiles come from its module, and on nodes that run no istiod, istioctl has no state of
// remote clusters to show.
func guideTools(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"bash", "make", "openssl", "sed"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("the guide needs %s, which is not installed", name)
		}
	}
	istioctl, err := lab.Istioctl(ctx, t.Logf)
	require.NoError(t, err)
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio").Output()
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	tool := func(name, script string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	}
	for _, name := range []string{"kubectl", "helm", "envsubst"} {
		tool(name, fmt.Sprintf("%s=%s exec %q \"$@\"", guideTool, name, self))
	}
	tool("istioctl", fmt.Sprintf(`case "$*" in *remote-clusters*) exit 0;; esac; exec %q "$@"`, istioctl))
	tool("curl", fmt.Sprintf(`case "$2" in */tools/certs/*) exec cp %q/tools/certs/"${2##*/}" .;; *) exit 1;; esac`, strings.TrimSpace(string(module))))
	return dir
}
