package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/fleet"
)

// init returns the only command that reads kubeconfigs: those of this machine.
func (a *app) init() *cobra.Command {
	var (
		name, kubeconfig string
		contexts         []string
		force, existing  bool
	)
	cmd := &cobra.Command{
		Use: "init", Args: cobra.NoArgs,
		Short: "Write a fleet file from kubeconfig contexts",
		Long: "Write a fleet file from the contexts of a kubeconfig: one cluster per context, all linked with each\n" +
			"other. It reads no cluster, unless --existing is set: then a worker finds out which meshes the\n" +
			"clusters have already, and the fleet file uses them (spec.istio.manage: false and the like).",
		Example: "  landbridge init                                 # every context of the default kubeconfig\n" +
			"  landbridge init --context east --context west   # these two\n" +
			"  landbridge init --existing                      # use the Istio that runs there already",
		RunE: func(cmd *cobra.Command, _ []string) error {
			raw, path, err := readKubeconfig(kubeconfig)
			if err != nil {
				return usage(err)
			}
			draft, err := newDraft(name, path, raw, contexts)
			if err != nil {
				return usage(err)
			}
			data, err := draft.file()
			if err != nil {
				return usage(err)
			}
			if existing {
				if data, err = a.withMeshes(cmd.Context(), draft, data); err != nil {
					return err
				}
			}
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
			fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s; check its networks and its Istio version, then run: landbridge plan -f %s\n", a.file, a.file)
			return nil
		},
	}
	cmd.Flags().StringVarP(&a.file, "file", "f", "fleet.yaml", "fleet file to write; - is stdout")
	cmd.Flags().StringVar(&name, "name", "fleet", "name of the fleet")
	cmd.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig to read (default $KUBECONFIG, or ~/.kube/config)")
	cmd.Flags().StringArrayVar(&contexts, "context", nil, "`name` of a context that becomes a cluster; may be repeated (default: all)")
	cmd.Flags().BoolVar(&existing, "existing", false, "use the meshes that the clusters have already; a worker finds them")
	a.temporal.Bind(cmd.Flags())
	cmd.Flags().BoolVar(&force, "force", false, "overwrite an existing file")
	return cmd
}

// readKubeconfig returns a kubeconfig, and the file name that the fleet file gives for
// it: none for the default kubeconfig.
func readKubeconfig(path string) (*clientcmdapi.Config, string, error) {
	if path != "" {
		raw, err := clientcmd.LoadFromFile(path)
		if err != nil {
			return nil, "", fmt.Errorf("%s is not a kubeconfig, or cannot be read", path)
		}
		return raw, filepath.Base(path), nil
	}
	raw, err := clientcmd.NewDefaultClientConfigLoadingRules().Load()
	if err != nil {
		return nil, "", fmt.Errorf("the default kubeconfig cannot be read; name one with --kubeconfig")
	}
	return raw, "", nil
}

type initCluster struct{ Name, Network, Path, Context, ServerName string }

// draft holds what a fleet file is written from.
type draft struct {
	Name, Version string
	Clusters      []initCluster
	// Existing has the lines of spec that describe existing meshes.
	Existing []string
}

var initFile = template.Must(template.New("fleet").Parse(`# yaml-language-server: $schema=./fleet.schema.json   (landbridge schema > fleet.schema.json)
apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: {{.Name}}}
spec:
{{- range .Existing}}
  {{.}}
{{- else}}
  istio: {version: {{.Version}}}
{{- end}}
  clusters:
{{- range .Clusters}}
  - name: {{.Name}}
    network: {{.Network}}
    kubeconfig: { {{- if .Path}}path: {{.Path}}, {{end}}context: {{printf "%q" .Context}}}
{{- if .ServerName}}
    apiServer: {tlsServerName: {{.ServerName}}}
{{- end}}
{{- end}}
  links: mesh
`))

func newDraft(name, path string, raw *clientcmdapi.Config, contexts []string) (*draft, error) {
	if len(contexts) == 0 {
		for c := range raw.Contexts {
			contexts = append(contexts, c)
		}
		sort.Strings(contexts)
	}
	if len(contexts) == 0 {
		return nil, fmt.Errorf("the kubeconfig has no contexts; name another with --kubeconfig")
	}
	var defaults fleet.Fleet
	defaults.SetDefaults()
	d := &draft{Name: name, Version: defaults.Spec.Istio.Version}
	for _, c := range contexts {
		ctx, ok := raw.Contexts[c]
		if !ok {
			return nil, fmt.Errorf("the kubeconfig has no context %q", c)
		}
		n := clusterName(c)
		d.Clusters = append(d.Clusters, initCluster{Name: n, Network: n + "-network", Path: path, Context: c, ServerName: serverName(raw.Clusters[ctx.Cluster])})
	}
	return d, nil
}

// file returns the draft as a fleet file, or an error where it would not be valid.
func (d *draft) file() ([]byte, error) {
	var b strings.Builder
	if err := initFile.Execute(&b, d); err != nil {
		return nil, err
	}
	if _, err := fleet.Parse("the file that init would write", []byte(b.String())); err != nil {
		return nil, fmt.Errorf("these contexts do not make a fleet; choose with --context:\n%w", err)
	}
	return []byte(b.String()), nil
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// clusterName returns a cluster's name from a context's: the part by which people know
// the cluster, as at most 23 lowercase letters, digits and hyphens.
func clusterName(context string) string {
	parts := strings.FieldsFunc(context, func(r rune) bool { return r == '/' || r == '@' || r == ':' })
	if len(parts) > 1 && (parts[0] == "default" || strings.Contains(context, "@")) {
		parts = parts[1:]
	}
	last := parts[len(parts)-1]
	if strings.Contains(context, "/") && len(parts) > 1 { // OpenShift: namespace/api-name:port/user
		last = parts[0]
	}
	name := strings.Trim(notInNames.ReplaceAllString(strings.ToLower(last), "-"), "-")
	const most = 23
	if len(name) > most {
		name = strings.Trim(name[:most], "-")
	}
	return name
}

// serverName returns the host of the API server, unless it is an IP or localhost.
func serverName(c *clientcmdapi.Cluster) string {
	if c == nil {
		return ""
	}
	u, err := url.Parse(c.Server)
	if err != nil || u.Hostname() == "localhost" || len(validation.IsValidIP(nil, u.Hostname())) == 0 {
		return ""
	}
	return u.Hostname()
}
