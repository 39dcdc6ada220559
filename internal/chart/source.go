// Package chart installs Istio's gateway chart with the Helm SDK. It loads the chart,
// installs and upgrades only when something changed, recovers what a killed Helm left,
// and removes. No other package knows Helm. What the chart's values are is the
// caller's, and so is waiting for what it installs: Helm's own waits heartbeat to
// nobody.
package chart

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/registry"
	"istio.io/istio/manifests"

	"github.com/landbridge/landbridge/internal/fleet"
)

// embedded names the place of the gateway chart in Istio's manifests.
const embedded = "charts/gateway"

// SourceError reports a chart that cannot be had.
type SourceError struct{ Reason string }

func (e *SourceError) Error() string { return e.Reason }

// ValuesError reports values that a chart does not take.
type ValuesError struct{ Reason string }

func (e *ValuesError) Error() string { return e.Reason }

// accepts returns a *ValuesError where the chart's schema refuses the values. Helm says so
// too, but as text alone.
func (c *Chart) accepts(values map[string]any) error {
	all, err := chartutil.CoalesceValues(c.Chart, values)
	if err == nil {
		err = chartutil.ValidateAgainstSchema(c.Chart, all)
	}
	if err != nil {
		return &ValuesError{fmt.Sprintf("the chart %s %s does not take the values: %s", c.Name(), c.Metadata.Version, strings.Join(strings.Fields(err.Error()), " "))}
	}
	return nil
}

// Chart holds a loaded chart, and the digest of its files.
type Chart struct {
	*chart.Chart
	Digest string
}

// Load gets the gateway chart from where the fleet file names it: embedded in the
// worker (Istio 1.31), a directory below dir, or an OCI reference with a digest. It
// gives the chart Istio's version. The error is a *SourceError.
func Load(src fleet.Chart, dir, istioVersion string) (*Chart, error) {
	var (
		c   *chart.Chart
		err error
	)
	switch {
	case src.OCI != "":
		c, err = pull(src.OCI)
	case src.Directory != "":
		if dir == "" {
			return nil, &SourceError{fmt.Sprintf("the fleet file names the chart directory %s, but this worker was started without --chart-dir", src.Directory)}
		}
		c, err = below(dir, src.Directory)
	default:
		c, err = load(manifests.FS, embedded)
	}
	if err != nil {
		return nil, &SourceError{fmt.Sprintf("load the gateway chart: %v", err)}
	}
	sum := digest(c)
	c.Metadata.Version = strings.TrimPrefix(istioVersion, "v")
	c.Metadata.AppVersion = c.Metadata.Version
	return &Chart{c, sum}, nil
}

// below loads a chart from a directory below dir, which it does not leave, symbolic links
// included.
func below(dir, chartDir string) (*chart.Chart, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return load(root.FS(), path.Clean(filepath.ToSlash(chartDir)))
}

func load(fsys fs.FS, root string) (*chart.Chart, error) {
	var files []*loader.BufferedFile
	err := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		files = append(files, &loader.BufferedFile{Name: filepath.ToSlash(name), Data: data})
		return err
	})
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}

func pull(ref string) (*chart.Chart, error) {
	client, err := registry.NewClient()
	if err != nil {
		return nil, err
	}
	// The registry client checks what it gets against the digest in the reference.
	res, err := client.Pull(strings.TrimPrefix(ref, "oci://"), registry.PullOptWithChart(true))
	if err != nil {
		return nil, err
	}
	return loader.LoadArchive(strings.NewReader(string(res.Chart.Data)))
}

// digest identifies what the chart renders from; it fits into a label.
func digest(c *chart.Chart) string {
	files := append([]*chart.File{}, c.Raw...)
	sort.Slice(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %d\n", f.Name, len(f.Data))
		h.Write(f.Data)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
