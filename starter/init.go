package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
)

// initFlags hold what init reads, and what it makes of it.
type initFlags struct {
	name                        string
	kubeconfigs, dirs, contexts []string
	force, existing, schema     bool
	// from has the source whose objects become clusters, in place of contexts.
	from initSource
}

// init returns the only command that reads kubeconfigs: those of this machine. With --from it
// also reads a management cluster.
func (a *app) init() *cobra.Command {
	var in initFlags
	cmd := &cobra.Command{
		Use: "init", Args: cobra.NoArgs,
		Short: "Write a fleet file from kubeconfig contexts, or from a management cluster",
		Long: "Write a fleet file from the contexts of kubeconfigs: one cluster per API server, called as its\n" +
			"platform or its context calls it, all linked with each other. A table shows what was taken, and\n" +
			"why. Each file is read by itself, so that users of one name in two files do not matter.\n\n" +
			"It reads no cluster, unless --existing is set: then a worker finds out which meshes the\n" +
			"clusters have already, and the fleet file uses them (spec.istio.manage: false and the like).\n\n" +
			"With --from it takes the clusters from objects of a management cluster, which it reads with your\n" +
			"own kubeconfig. The file then says in which Secret the kubeconfig of each is; a worker reads it\n" +
			"there (--management-kubeconfig). No credential is printed, written or kept. A fleet file with\n" +
			"spec.clustersFrom follows the objects instead, and lists no cluster.",
		Example: "  landbridge init                                 # every context of the default kubeconfig\n" +
			"  landbridge init --context east --context west   # these two\n" +
			"  landbridge init --kubeconfig-dir ~/clusters     # every kubeconfig in a directory\n" +
			"  landbridge init --existing                      # use the Istio that runs there already\n" +
			"  landbridge init --schema                        # and the JSON schema beside it, for editors\n" +
			"  landbridge init --from argocd --management-context hub --selector env=prod\n" +
			"  landbridge init --from capi --source-namespace clusters --management-kubeconfig hub.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFrom(cmd); err != nil {
				return usage(err)
			}
			if !in.schema {
				return a.runInit(cmd, in)
			}
			if a.file == "-" {
				return usage(errors.New("--schema writes a file beside the fleet file, and stdout has no place; `landbridge schema` prints it"))
			}
			if _, err := os.Stat(a.file); err != nil || in.force { // else the file is there, and gets its schema
				if err := a.runInit(cmd, in); err != nil {
					return err
				}
			}
			return a.initSchema(cmd)
		},
	}
	a.namedFileFlag(cmd, "fleet file to write; - is stdout")
	cmd.Flags().StringVar(&in.name, "name", "fleet", "name of the fleet")
	cmd.Flags().StringArrayVar(&in.kubeconfigs, "kubeconfig", nil, "kubeconfig `file` to read; may be repeated (default: $KUBECONFIG, or ~/.kube/config)")
	cmd.Flags().StringArrayVar(&in.dirs, "kubeconfig-dir", nil, "`directory` with kubeconfigs to read; may be repeated")
	cmd.Flags().StringArrayVar(&in.contexts, "context", nil, "`name` of a context that becomes a cluster; may be repeated (default: all)")
	cmd.Flags().BoolVar(&in.existing, "existing", false, "use the meshes that the clusters have already; a worker finds them")
	in.from.bind(cmd.Flags())
	a.temporal.Bind(cmd.Flags())
	waitFlag(cmd)
	cmd.Flags().BoolVar(&in.force, "force", false, "overwrite an existing file")
	cmd.Flags().BoolVar(&in.schema, "schema", false, "also write "+schemaFile+" beside the fleet file, for editors; only that where the fleet file exists")
	return cmd
}

// schemaFile is the name by which the first line of a fleet file leads editors to its schema.
const schemaFile = "fleet.schema.json"

// initSchema writes the schema beside the fleet file.
func (a *app) initSchema(cmd *cobra.Command) error {
	path := filepath.Join(filepath.Dir(a.file), schemaFile)
	if err := os.WriteFile(path, fleet.Schema, 0o644); err != nil {
		return failed(fmt.Errorf("write the schema: %w", err))
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s\n", path)
	return nil
}

// runInit writes the fleet file, and shows from what.
func (a *app) runInit(cmd *cobra.Command, in initFlags) error {
	if cmd.Flags().Changed("from") {
		return a.runInitFrom(cmd, in)
	}
	files, err := readKubeconfigs(in.kubeconfigs, in.dirs)
	if err != nil {
		return usage(err)
	}
	draft, chosen, err := newDraft(in.name, files, in.contexts)
	if err != nil {
		return usage(err)
	}
	data, err := draft.file()
	if err == nil && in.existing {
		data, err = a.withMeshes(cmd.Context(), draft, data)
	} else if err != nil {
		err = usage(err)
	}
	chosen.print(cmd.ErrOrStderr(), draft.Clusters)
	if err != nil {
		return err
	}
	var hints []string
	for _, dir := range chosen.dirs() {
		hints = append(hints, "a worker finds these kubeconfigs with --kubeconfig-dir "+dir)
	}
	return a.writeInit(cmd, data, in.force, hints)
}

// writeInit writes the fleet file, and prints what to do with it.
func (a *app) writeInit(cmd *cobra.Command, data []byte, force bool, hints []string) error {
	if a.file == "-" {
		_, err := cmd.OutOrStdout().Write(data)
		return err
	}
	if _, err := os.Stat(a.file); err == nil && !force {
		return usage(fmt.Errorf("%s exists already; --force overwrites it, -f names another file", a.file))
	}
	if err := os.WriteFile(a.file, data, 0o644); err != nil {
		return failed(err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s; check its networks, then run: landbridge plan -f %s\n", a.file, a.file)
	for _, hint := range hints {
		fmt.Fprintln(cmd.ErrOrStderr(), hint)
	}
	return nil
}

// initCluster holds a cluster of the draft. Note tells why its name is another than the
// one that the context gave.
type initCluster struct {
	Name, ClusterID, Network, Path, Context, Note string
	// From names the object that the cluster was found by, and Secret its kubeconfig there.
	From    string
	Secret  fleet.KubeconfigSecret
	Profile fleet.ClusterProfile
}

// draft holds what a fleet file is written from.
type draft struct {
	Name, Version string
	Clusters      []initCluster
	// unfit says what to do where the clusters do not make a fleet.
	unfit string
	// Existing has the lines of spec that describe existing meshes.
	Existing []string
}

var initFile = template.Must(template.New("fleet").Funcs(template.FuncMap{"scalar": scalar}).Parse(`# yaml-language-server: $schema=./fleet.schema.json   (landbridge init --schema writes it)
apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: {{scalar .Name}}}
spec:
{{- range .Existing}}
  {{.}}
{{- else}}
  # istio: {version: {{.Version}}}   # without a version, the newest that the operator of every cluster knows
{{- end}}
  clusters:
{{- range .Clusters}}
  - name: {{scalar .Name}}
{{- if .From}}   # from {{.From}}{{end}}
{{- if .ClusterID}}
    clusterID: {{scalar .ClusterID}}
{{- end}}
    network: {{scalar .Network}}
{{- if .Profile.Given}}
    kubeconfig: {clusterProfile: {namespace: {{scalar .Profile.Namespace}}, name: {{scalar .Profile.Name}}}}
{{- else if .Secret.Given}}
    kubeconfig: {secret: {namespace: {{scalar .Secret.Namespace}}, name: {{scalar .Secret.Name}}, format: {{.Secret.Format}}
      {{- if .Secret.Key}}, key: {{scalar .Secret.Key}}{{end}}}
      {{- if .Context}}, context: {{printf "%q" .Context}}{{end}}}
{{- else}}
    kubeconfig: { {{- if .Path}}path: {{scalar .Path}}, {{end}}context: {{printf "%q" .Context}}}
{{- end}}
{{- end}}
  links: mesh
`))

// unquoted are the strings that YAML takes as they are, numbers and words like true apart.
var unquoted = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

// scalar returns a string as YAML, in quotes where YAML would read something else.
func scalar(s string) string {
	var read any
	if err := yaml.Unmarshal([]byte(s), &read); err != nil || read != s || !unquoted.MatchString(s) {
		return strconv.Quote(s)
	}
	return s
}

// newDraft returns a draft with a cluster for each API server that the contexts lead to.
func newDraft(name string, files []kubeconfig, contexts []string) (*draft, taken, error) {
	all, err := candidates(files, contexts)
	if err != nil {
		return nil, taken{}, err
	}
	chosen := take(all, len(contexts) > 0)
	if len(chosen) == 0 {
		return nil, taken{}, fmt.Errorf("no context can be a cluster: of %s, %s", plain(all[0].Context), all[0].Why)
	}
	var ids []identity
	for _, c := range chosen {
		ids = append(ids, c.identity)
	}
	d := &draft{Name: name, Version: fleet.DefaultIstioVersion, unfit: "these contexts do not make a fleet; choose with --context"}
	for i, n := range distinct(ids) {
		c := chosen[i]
		d.Clusters = append(d.Clusters, initCluster{Name: n.Name, Network: n.Name + "-network", Path: c.file.Path, Context: c.Context, Note: n.Note})
	}
	return d, taken{files, all}, nil
}

// file returns the draft as a fleet file, or an error where it would not be valid.
func (d *draft) file() ([]byte, error) {
	var b strings.Builder
	if err := initFile.Execute(&b, d); err != nil {
		return nil, err
	}
	if _, err := fleet.Parse("the file that init would write", []byte(b.String())); err != nil {
		return nil, fmt.Errorf("%s:\n%w", d.unfit, err)
	}
	return []byte(b.String()), nil
}
