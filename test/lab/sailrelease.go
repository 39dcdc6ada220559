package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/storage/driver"
	"istio.io/istio/manifests"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
)

// sailRelease names one Helm release that Sail makes, and the chart in Istio's module.
type sailRelease struct {
	name, namespace, chart string
	// called is the chart's name in Sail's messages.
	called string
}

const istiodSuffix, baseRelease, cniRelease = "-istiod", defaultRevision + "-base", "istio-cni"

// sailInstalls says whether a Helm release is one of Sail's, by its name.
func sailInstalls(release string) bool {
	return strings.HasSuffix(release, istiodSuffix) || release == baseRelease || release == cniRelease
}

// releasesOf lists the releases of an object: the base chart comes with the default
// revision only, into the operator's own namespace.
func releasesOf(obj *unstructured.Unstructured) []sailRelease {
	ns := specString(obj, "namespace")
	if obj.GetKind() == "IstioCNI" {
		return []sailRelease{{cniRelease, ns, "charts/istio-cni", "cni"}}
	}
	out := []sailRelease{{obj.GetName() + istiodSuffix, ns, "charts/istio-control/istio-discovery", "istiod"}}
	if obj.GetName() == defaultRevision && installsBase(specString(obj, "version")) {
		out = append(out, sailRelease{baseRelease, operatorNamespace, "charts/base", "base"})
	}
	return out
}

// install installs or upgrades a release. Each upgrade makes a new revision of it.
func (s *sail) install(ctx context.Context, r sailRelease, obj *unstructured.Unstructured) error {
	err := s.upgradeOrInstall(ctx, r, obj)
	if err != nil {
		return fmt.Errorf("failed to install/update Helm chart %q: %w", r.called, err)
	}
	return nil
}

func (s *sail) upgradeOrInstall(ctx context.Context, r sailRelease, obj *unstructured.Unstructured) error {
	cfg, err := s.helm(r.namespace)
	if err != nil {
		return err
	}
	c, err := loadChart(r.chart)
	if err != nil {
		return err
	}
	version, err := s.resolve(specString(obj, "version"))
	if err != nil {
		return err
	}
	c.Metadata.Version, c.Metadata.AppVersion = strings.TrimPrefix(version, "v"), strings.TrimPrefix(version, "v")
	values, _, _ := unstructured.NestedMap(obj.Object, "spec", "values")
	values = chartutil.CoalesceTables(values, s.valuesFor(c.Metadata.Version))
	render := s.postRenderer(obj)
	if _, err := cfg.Releases.Last(r.name); errors.Is(err, driver.ErrReleaseNotFound) {
		in := action.NewInstall(cfg)
		in.ReleaseName, in.Namespace, in.PostRenderer, in.SkipCRDs = r.name, r.namespace, render, true
		in.DisableOpenAPIValidation = true // Istio's charts are valid, and a lab's cores few
		_, err := in.RunWithContext(ctx, c, values)
		return err
	}
	up := action.NewUpgrade(cfg)
	up.Namespace, up.PostRenderer, up.ResetValues, up.MaxHistory, up.SkipCRDs = r.namespace, render, true, 1, true
	up.DisableOpenAPIValidation = true
	_, err = up.RunWithContext(ctx, r.name, c, values)
	return err
}

func (s *sail) uninstall(r sailRelease) error {
	cfg, err := s.helm(r.namespace)
	if err != nil {
		return err
	}
	un := action.NewUninstall(cfg)
	un.IgnoreNotFound = true
	_, err = un.Run(r.name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil
	}
	return err
}

func (s *sail) helm(ns string) (*action.Configuration, error) {
	flags := genericclioptions.NewConfigFlags(false)
	flags.WrapConfigFn = func(*rest.Config) *rest.Config { return rest.CopyConfig(s.cfg) }
	flags.Namespace = &ns
	cfg := &action.Configuration{}
	return cfg, cfg.Init(flags, ns, "secret", func(string, ...any) {})
}

// loadChart loads a chart of Istio's module, without the kinds: Sail leaves them to its
// own chart.
func loadChart(root string) (*chart.Chart, error) {
	var files []*loader.BufferedFile
	err := fs.WalkDir(manifests.FS, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Base(p) == path.Base(istioCRDs) {
			return err
		}
		data, err := manifests.FS.ReadFile(p)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		files = append(files, &loader.BufferedFile{Name: path.Clean(filepath.ToSlash(name)), Data: data})
		return err
	})
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}
