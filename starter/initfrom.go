package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/sources"
)

// initSource holds what --from and the flags that go with it say.
type initSource struct {
	fleet.ClusterSource
	// kubeconfig and context lead to the management cluster.
	kubeconfig, context string
}

// withFrom lists the flags that go with --from only, and notWithFrom those that do not.
var (
	withFrom    = []string{"management-kubeconfig", "management-context", "source-namespace", "source-secret", "selector"}
	notWithFrom = []string{"kubeconfig", "kubeconfig-dir", "context", "existing"}
)

// bind adds --from, and what goes with it, to the flags of init.
func (s *initSource) bind(f *pflag.FlagSet) {
	var usual []string
	for _, name := range fleet.Sources {
		if ns := fleet.UsualNamespace(name); ns != "" {
			usual = append(usual, ns+" for "+name)
		}
	}
	f.StringVar(&s.Source, "from", "", "`SOURCE` whose objects in a management cluster become clusters, in place of contexts: "+strings.Join(fleet.Sources, ", "))
	f.StringVar(&s.kubeconfig, "management-kubeconfig", "", "with --from: kubeconfig `file` of yours for the management cluster (default: $KUBECONFIG, or ~/.kube/config)")
	f.StringVar(&s.context, "management-context", "", "with --from: `name` of the context of the management cluster (default: the current one)")
	f.StringVar(&s.Namespace, "source-namespace", "", "with --from: namespace of the objects (default: "+strings.Join(usual, ", ")+")")
	f.StringVar(&s.Secret, "source-secret", "", "with --from ocm: `name` of the Secret with the token of a ManagedServiceAccount, which each ManagedCluster has in its namespace")
	f.StringVar(&s.Selector, "selector", "", "with --from: labels that choose among the objects, such as 'env=prod,region in (eu,us)' (default: all)")
}

// checkFrom says which flags do not go together.
func checkFrom(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	from := given("from")
	if i := slices.IndexFunc(withFrom, given); i >= 0 && !from {
		return fmt.Errorf("--%s goes with --from SOURCE, which takes the clusters from a management cluster; SOURCE is %s", withFrom[i], alternatives(fleet.Sources))
	}
	if i := slices.IndexFunc(notWithFrom, given); i >= 0 && from {
		return fmt.Errorf("--%s does not go with --from, which takes the clusters from a management cluster (--management-kubeconfig, --management-context); leave one of them out", notWithFrom[i])
	}
	return nil
}

// runInitFrom writes the fleet file from what a source lists, and shows from what.
func (a *app) runInitFrom(cmd *cobra.Command, in initFlags) error {
	wanted, err := in.from.fleet(in.name)
	if err != nil {
		return usage(err)
	}
	m, err := in.from.open()
	if err != nil {
		return usage(err)
	}
	source := wanted.Spec.ClustersFrom[0]
	found, err := sources.List(cmd.Context(), m.client, wanted.Spec.ClustersFrom)
	if err != nil {
		return m.explain(err, source)
	}
	printFound(cmd.ErrOrStderr(), found, source)
	data, err := draftFrom(wanted, found)
	if err != nil {
		return usage(err)
	}
	return a.writeInit(cmd, data, in.force, hintsFrom(found.Clusters, source.Source))
}

// fleet returns a fleet with the source that the flags name, or what is wrong with them.
func (s initSource) fleet(name string) (fleet.Fleet, error) {
	source := s.ClusterSource
	if !slices.Contains(fleet.Sources, source.Source) {
		return fleet.Fleet{}, fmt.Errorf("--from: want %s, got %q", alternatives(fleet.Sources), source.Source)
	}
	source.Namespace = cmp.Or(source.Namespace, fleet.UsualNamespace(source.Source))
	f := fleet.Fleet{APIVersion: fleet.APIVersion, Kind: fleet.Kind, Metadata: fleet.Metadata{Name: name}, Spec: fleet.Spec{ClustersFrom: []fleet.ClusterSource{source}}}
	f.SetDefaults()
	var wrong *fleet.InvalidError
	if !errors.As(f.Validate(), &wrong) {
		return f, nil
	}
	p := wrong.Problems[0]
	flag := cmp.Or(map[string]string{"metadata.name": "--name", "spec.clustersFrom[0].namespace": "--source-namespace", "spec.clustersFrom[0].secret": "--source-secret", "spec.clustersFrom[0].selector": "--selector"}[p.Path], p.Path)
	if flag == "--source-secret" && source.Secret == "" {
		return f, fmt.Errorf("--source-secret is required with --from %s: name the Secret with the token of a ManagedServiceAccount, which each ManagedCluster has in its namespace", source.Source)
	}
	if flag == "--source-namespace" && source.Namespace == "" {
		return f, fmt.Errorf("--source-namespace is required with --from %s: name the namespace that has its objects", source.Source)
	}
	return f, fmt.Errorf("%s: %s", flag, p.Message)
}

// draftFrom returns the fleet file with the clusters that were found, or why they cannot be one
// fleet.
func draftFrom(wanted fleet.Fleet, found sources.Found) ([]byte, error) {
	if len(found.Clusters) == 0 {
		why := "look at --source-namespace and --selector, and whether this is the management cluster (--management-context)"
		if len(found.Passed) > 0 {
			why = "the table says why each object was left out"
		}
		return nil, fmt.Errorf("the source %s lists no cluster; %s", wanted.Spec.ClustersFrom[0], why)
	}
	whole := wanted.WithFound(found.Clusters)
	var wrong *fleet.InvalidError
	if errors.As(whole.Validate(), &wrong) {
		return nil, notAFleet(wrong.Sentences(whole))
	}
	d := draft{Name: wanted.Metadata.Name, Version: fleet.DefaultIstioVersion, unfit: "what the source lists does not make a fleet"}
	for _, c := range found.Clusters {
		d.Clusters = append(d.Clusters, initCluster{Name: c.Name, Network: c.Network, From: fleet.OneLine(c.From), Secret: c.Kubeconfig.Secret, Profile: c.Kubeconfig.ClusterProfile, Context: c.Kubeconfig.Context})
	}
	return d.file()
}

// notAFleet returns the error of objects that cannot be clusters of one fleet.
func notAFleet(problems []string) error {
	lines := []string{"what the source lists does not make a fleet; change these objects, or leave them out with --selector:"}
	for _, p := range problems {
		lines = append(lines, fleet.OneLine(p))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// printFound shows which cluster each object became, or why it became none.
func printFound(w io.Writer, found sources.Found, source fleet.ClusterSource) {
	if len(found.Clusters)+len(found.Passed) == 0 {
		return
	}
	tbl := newTable(w, "OBJECT", "CLUSTER", "NETWORK", "KUBECONFIG", "NOTE")
	for _, c := range found.Clusters {
		note := "-"
		if c.Network != c.Name+"-network" {
			note = "the network is its label " + source.NetworkLabel
		}
		tbl.row(plain(c.From), c.Name, plain(c.Network), plain(reachedBy(c.Kubeconfig)), note)
	}
	for _, p := range found.Passed {
		what, why, _ := strings.Cut(p, ": ")
		tbl.row(plain(what), "-", "-", "-", "left out: "+why)
	}
	tbl.flush()
}

// reachedBy names the object that says how a cluster is reached.
func reachedBy(k fleet.Kubeconfig) string {
	if k.ClusterProfile.Given() {
		return k.ClusterProfile.String()
	}
	return k.Secret.String()
}

// hintsFrom says how a worker reads the kubeconfigs.
func hintsFrom(clusters []fleet.Cluster, source string) []string {
	var namespaces []string
	for _, c := range clusters {
		if ns := cmp.Or(c.Kubeconfig.Secret.Namespace, c.Kubeconfig.ClusterProfile.Namespace); !slices.Contains(namespaces, ns) {
			namespaces = append(namespaces, ns)
		}
	}
	slices.Sort(namespaces)
	return []string{"a worker reads these kubeconfigs with --management-kubeconfig; its role there: landbridge rbac --management " + strings.Join(namespaces, " --management ") + " --from " + source}
}
