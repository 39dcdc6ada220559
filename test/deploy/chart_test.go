// Package deploy_test renders what deploy has for Kubernetes: the kustomize base and the Helm
// chart. test/integration runs both.
package deploy_test

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	kubefake "helm.sh/helm/v3/pkg/kube/fake"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// object is a Kubernetes object as JSON has it.
type object = map[string]any

var chartDir = filepath.Join("..", "..", "deploy", "chart")

func loaded(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir(chartDir)
	require.NoError(t, err)
	return c
}

// values reads values as a person would write them.
func values(t *testing.T, text string) (v map[string]any) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(text), &v))
	return v
}

const fewest = "image: {repository: landbridge-worker}\n"

// installed renders the chart as `helm install --dry-run=client` does.
func installed(t *testing.T, text string) (*release.Release, error) {
	t.Helper()
	cfg := &action.Configuration{Capabilities: chartutil.DefaultCapabilities, Releases: storage.Init(driver.NewMemory()),
		KubeClient: &kubefake.PrintingKubeClient{Out: io.Discard}, Log: t.Logf}
	install := action.NewInstall(cfg)
	install.DryRun, install.ClientOnly = true, true
	install.ReleaseName, install.Namespace = "landbridge-worker", "landbridge"
	return install.Run(loaded(t), values(t, text))
}

// rendered returns the objects of the chart by kind.
func rendered(t *testing.T, text string) map[string]object {
	t.Helper()
	rel, err := installed(t, text)
	require.NoError(t, err)
	out := map[string]object{}
	for _, doc := range releaseutil.SplitManifests(rel.Manifest) {
		var o object
		require.NoError(t, yaml.UnmarshalStrict([]byte(doc), &o), doc)
		out[o["kind"].(string)] = o
	}
	return out
}

func TestChart_HelmFindsNothingToSay(t *testing.T) {
	for _, text := range []string{fewest, everything} {
		linted := lint.All(chartDir, values(t, text), "landbridge", true)
		for _, m := range linted.Messages {
			require.LessOrEqual(t, m.Severity, support.InfoSev, m.Error())
		}
	}
}

// The chart with its own values is the kustomize base.
func TestChart_IsTheBase(t *testing.T) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join("..", "..", "deploy", "base"))
	require.NoError(t, err)
	base := map[string]object{}
	for _, r := range resources.Resources() {
		m, err := r.Map()
		require.NoError(t, err)
		base[r.GetKind()] = m
	}
	got := rendered(t, fewest+"networkPolicy: {enabled: true}\n")
	settings := base["ConfigMap"]["data"].(object)
	// Helm does not make the namespace, and has the variables in the Deployment.
	delete(base, "Namespace")
	delete(base, "ConfigMap")
	require.ElementsMatch(t, slices.Collect(maps.Keys(base)), slices.Collect(maps.Keys(got)))

	theirs, ours := container(base["Deployment"]), container(got["Deployment"])
	require.Equal(t, "landbridge-worker", theirs["image"])
	require.Equal(t, "landbridge-worker:"+loaded(t).AppVersion(), ours["image"])
	theirs["image"], theirs["imagePullPolicy"] = ours["image"], "IfNotPresent" // as Kubernetes does by itself
	theirs["env"] = []any{}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		theirs["env"] = append(theirs["env"].([]any), object{"name": name, "value": settings[name]})
	}
	theirs["envFrom"] = slices.DeleteFunc(theirs["envFrom"].([]any), func(e any) bool { return e.(object)["configMapRef"] != nil })
	for kind, want := range base {
		withoutHelmsLabels(want)
		withoutHelmsLabels(got[kind])
		wantText, err := yaml.Marshal(want)
		require.NoError(t, err)
		gotText, err := yaml.Marshal(got[kind])
		require.NoError(t, err)
		require.Equal(t, string(wantText), string(gotText), kind)
	}
}

// container returns the only container of a Deployment.
func container(deployment object) object {
	return podSpec(deployment)["containers"].([]any)[0].(object)
}

func podSpec(deployment object) object {
	return deployment["spec"].(object)["template"].(object)["spec"].(object)
}

// withoutHelmsLabels removes the labels that charts have by custom, wherever they are.
func withoutHelmsLabels(node any) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			withoutHelmsLabels(v)
		}
	case object:
		for k, v := range n {
			switch k {
			case "app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart":
				delete(n, k)
			default:
				withoutHelmsLabels(v)
			}
		}
	}
}

// The chart, the image that it takes by default and the changelog are of one version.
func TestChart_HasTheVersionOfTheChangelog(t *testing.T) {
	changes, err := os.ReadFile(filepath.Join("..", "..", "CHANGELOG.md"))
	require.NoError(t, err)
	newest := regexp.MustCompile(`(?m)^## (v\S+)`).FindSubmatch(changes)
	require.NotNil(t, newest)
	require.Equal(t, string(newest[1]), loaded(t).AppVersion())
	require.Equal(t, strings.TrimPrefix(string(newest[1]), "v"), loaded(t).Metadata.Version)
}
