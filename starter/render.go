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
			"An object that needs the address of a gateway which has none yet is not written: render says which,\n" +
			"and ends with 3.\n\n" +
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
			out, err := renderedFiles(r.Plan)
			if err != nil {
				return failed(err)
			}
			if err := replaceFiles(dir, out.files); err != nil {
				return failed(err)
			}
			if err := a.print(cmd.OutOrStdout(), slices.Sorted(maps.Keys(out.files)), func(w io.Writer) { printRendered(w, dir, f, out.files) }); err != nil {
				return err
			}
			return out.incomplete()
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

// rendered holds contents by path below the output directory.
type rendered struct {
	files map[string]string
	// resources lists the files of each cluster, and secrets the comments about its Secrets.
	resources, secrets map[string][]string
	// missing lists the objects that cannot be written, by the cluster whose address they need.
	missing map[string][]string
}

// incomplete returns an error with the exit code 3 where an object could not be written.
func (r rendered) incomplete() error {
	if len(r.missing) == 0 {
		return nil
	}
	var lines []string
	for _, target := range slices.Sorted(maps.Keys(r.missing)) {
		lines = append(lines, fmt.Sprintf("not written, since the east-west gateway of %s has no address yet: %s", target, strings.Join(r.missing[target], ", ")))
	}
	return &exitError{exitPartly, fmt.Errorf("%s\napply what is written, wait until the gateways have addresses, and render again", strings.Join(lines, "\n"))}
}

// renderedFiles sorts what a plan would apply into files.
func renderedFiles(plan []api.PlannedUnit) (rendered, error) {
	r := rendered{map[string]string{}, map[string][]string{}, map[string][]string{}, map[string][]string{}}
	for _, u := range plan {
		for _, c := range u.Changes {
			if err := r.add(u.Unit, c); err != nil {
				return r, fmt.Errorf("%s: %s %s: %w", u.Unit, c.Kind, c.Name, err)
			}
		}
	}
	for cluster, names := range r.resources {
		data, err := yaml.Marshal(map[string]any{"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": names})
		if err != nil {
			return r, err
		}
		slices.Sort(r.secrets[cluster])
		r.files[filepath.Join(cluster, kustomization)] = renderedBy + strings.Join(r.secrets[cluster], "") + string(data)
	}
	return r, nil
}

// add adds one object, or what is to be said of it.
func (r rendered) add(unit api.Unit, c fleet.Change) error {
	link, isLink := unit.Link()
	switch {
	case c.Kind == "Secret" && c.Namespace != fleet.SystemNamespace && c.Action != fleet.Remove && c.Cluster != "":
		r.secrets[c.Cluster] = append(r.secrets[c.Cluster], fmt.Sprintf("# Not rendered, since it holds keys (%s): Secret %s/%s\n", unit, c.Namespace, c.Name))
		return nil
	case c.Manifest == "":
		return nil
	case isLink && strings.Contains(c.Manifest, fleet.AddressLater):
		r.missing[link.To] = append(r.missing[link.To], fmt.Sprintf("%s %s/%s of %s", c.Kind, c.Namespace, c.Name, c.Cluster))
		return nil
	}
	doc, err := withoutMarks(c.Manifest)
	if err != nil {
		return err
	}
	name := strings.ToLower(strings.TrimPrefix(c.Namespace+"-"+c.Kind+"-"+c.Name, "-")) + ".yaml"
	path := filepath.Join(c.Cluster, name)
	if _, twice := r.files[path]; !twice {
		r.resources[c.Cluster] = append(r.resources[c.Cluster], name)
	}
	r.files[path] = doc
	return nil
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
