package main

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// renderedBy begins every file that render writes. It replaces and removes no other.
const renderedBy = "# Rendered by landbridge from a fleet file: edit that instead.\n"

const kustomization = "kustomization.yaml"

func (a *app) render() *cobra.Command {
	var dir string
	var forceVersion bool
	cmd := &cobra.Command{
		Use: "render", Args: cobra.NoArgs,
		Short: "Write the manifests of each cluster to a directory",
		Long: "Write the manifests that a rollout would apply to a directory, for kustomize, Argo CD or a review: a\n" +
			"folder with a kustomization per cluster, a file per object, gateways as their chart renders them.\n" +
			"Workers read the clusters, which know the names of their API servers and the addresses of their\n" +
			"load balancers, and change nothing.\n\n" +
			"Secrets (cacerts, tokens, remote secrets) hold keys and are not rendered; each kustomization names\n" +
			"those that its cluster needs. The files do not carry Landbridge's labels: what another tool applies\n" +
			"belongs to that tool, and a rollout refuses to touch it.",
		Example: "  landbridge render -f fleet.yaml --output-dir manifests\n  kubectl --context west diff -k manifests/west",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := a.load()
			if err != nil {
				return err
			}
			if err := mayRender(dir); err != nil {
				return usage(err)
			}
			if f, err = a.whole(cmd.Context(), f); err != nil {
				return err
			}
			var r api.FleetResult
			if err := a.look(cmd.Context(), api.PlanFleet, api.FleetInput{Fleet: *f, DryRun: true, Render: true, ForceVersion: forceVersion}, &r, func(c client.Client, id string) {
				withDetails(cmd.Context(), c, id, r.Plan)
			}); err != nil {
				return err
			}
			if len(r.Unreachable) > 0 { // what another tool applies from here would go with its files
				return failed(fmt.Errorf("%s; nothing was written", r.Unreachable[0]))
			}
			files, err := renderedFiles(r.Plan)
			if err != nil {
				return failed(err)
			}
			if err := replaceFiles(dir, files); err != nil {
				return failed(err)
			}
			return a.print(cmd.OutOrStdout(), slices.Sorted(maps.Keys(files)), func(w io.Writer) { printRendered(w, dir, f, files) })
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	waitFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	forceVersionFlag(cmd, &forceVersion)
	cmd.Flags().StringVar(&dir, "output-dir", "manifests", "`directory` to write to; files in it that render did not write stay")
	return cmd
}

// renderedFiles returns contents by path below the output directory.
func renderedFiles(plan []api.PlannedUnit) (map[string]string, error) {
	files, resources, secrets := map[string]string{}, map[string][]string{}, map[api.Unit][]string{}
	for _, u := range plan {
		for _, c := range u.Changes {
			switch {
			case c.Manifest != "":
				doc, err := withoutMarks(c.Manifest)
				if err != nil {
					return nil, fmt.Errorf("%s: %s %s: %w", u.Unit, c.Kind, c.Name, err)
				}
				name := strings.ToLower(strings.TrimPrefix(c.Namespace+"-"+c.Kind+"-"+c.Name, "-")) + ".yaml"
				path := filepath.Join(c.Cluster, name)
				if _, twice := files[path]; !twice {
					resources[c.Cluster] = append(resources[c.Cluster], name)
				}
				files[path] = doc
			case c.Kind == "Secret" && c.Namespace != fleet.SystemNamespace && c.Action != fleet.Remove:
				secrets[u.Unit] = append(secrets[u.Unit], c.Namespace+"/"+c.Name)
			}
		}
	}
	for cluster, names := range resources {
		var b strings.Builder
		b.WriteString(renderedBy)
		for _, unit := range slices.SortedFunc(maps.Keys(secrets), api.Unit.Compare) {
			if unit.Touches(cluster) {
				fmt.Fprintf(&b, "# Not rendered, since they hold keys (%s): Secret %s\n", unit, strings.Join(secrets[unit], ", "))
			}
		}
		data, err := yaml.Marshal(map[string]any{"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": names})
		if err != nil {
			return nil, err
		}
		b.Write(data)
		files[filepath.Join(cluster, kustomization)] = b.String()
	}
	return files, nil
}

// withoutMarks removes from a manifest, at any depth, the labels and annotations by which
// Landbridge recognizes its objects.
func withoutMarks(manifest string) (string, error) {
	var obj map[string]any
	if err := yaml.Unmarshal([]byte(manifest), &obj); err != nil {
		return "", err
	}
	unmark(obj)
	data, err := yaml.Marshal(obj)
	return renderedBy + string(data), err
}

func unmark(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, below := range v {
			if strings.HasPrefix(k, fleet.Domain+"/") || k == fleet.LabelManagedBy && below == fleet.ManagedBy {
				delete(v, k)
				continue
			}
			unmark(below)
			if m, ok := below.(map[string]any); ok && len(m) == 0 && (k == "labels" || k == "annotations" || k == "status") {
				delete(v, k)
			}
		}
	case []any:
		for _, below := range v {
			unmark(below)
		}
	}
}

// mayRender returns an error where dir exists and is no directory. It is called before
// any cluster is read.
func mayRender(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return fmt.Errorf("--output-dir: %s is not a directory", dir)
	}
	return nil
}

// replaceFiles writes the files, and removes those of an earlier render. Where it would
// replace a file that render did not write, it returns an error and changes nothing.
func replaceFiles(dir string, files map[string]string) error {
	var old []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		ours := strings.HasPrefix(string(data), renderedBy)
		if _, wanted := files[rel]; wanted && !ours {
			return fmt.Errorf("%s exists and was not written by render; move or delete it, or set another --output-dir", path)
		}
		if ours {
			old = append(old, path)
		}
		return nil
	})
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func printRendered(w io.Writer, dir string, f *fleet.Fleet, files map[string]string) {
	for _, c := range f.Spec.Clusters {
		n := 0
		for path := range files {
			if filepath.Dir(path) == c.Name && filepath.Base(path) != kustomization {
				n++
			}
		}
		fmt.Fprintf(w, "%s  %s\n", filepath.Join(dir, c.Name), fleet.Count(n, "object"))
	}
	fmt.Fprintln(w, "Secrets with keys are not rendered; each kustomization.yaml names those of its cluster")
}
