package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/rights"
)

// rbacName names the roles, their bindings and, by default, the account.
const rbacName = "landbridge-worker"

// rbacRequest holds what the flags of `landbridge rbac` say.
type rbacRequest struct {
	needs                              rights.Needs
	cluster, account, accountNamespace string
	namespaced                         bool
	// management lists the namespaces of the management cluster that the worker reads.
	management []string
	// source lists its clusters there (spec.clustersFrom).
	source string
	// fleets says that the worker reconciles the Fleets there.
	fleets bool
}

func (a *app) rbac() *cobra.Command {
	r := rbacRequest{needs: rights.Needs{OwnReaders: true, IstioReaders: true}}
	cmd := &cobra.Command{
		Use: "rbac", Args: cobra.NoArgs,
		Short: "Print the roles that a worker needs on a cluster, and an account",
		Long: "Print the least ClusterRole that a worker needs on a cluster, an account and the binding, as\n" +
			"manifests. The role has exactly the rights that the preflight asks for, and to watch what a\n" +
			"rollout waits for. The worker then needs no more than a kubeconfig of that account (`kubectl create\n" +
			"token`).\n\n" +
			"With --cluster the fleet file says what the cluster needs; without it, the other flags do. With\n" +
			"--namespaced an administrator makes what is in the whole cluster, the namespaces and the roles of\n" +
			"those who read the cluster: they are printed first. The worker has a Role in each namespace, and a\n" +
			"ClusterRole that has neither Secrets nor port-forward, and writes Istio and IstioCNI only.\n\n" +
			"With --management it prints the Role for a namespace of the management cluster, whose Secrets say\n" +
			"how clusters are reached (spec.clusters[].kubeconfig.secret). With --fleets it prints the Role to\n" +
			"reconcile the Fleet resources there, too (landbridge-worker --watch-fleets).",
		Example: "  landbridge rbac | kubectl --context west apply -f -\n  landbridge rbac -f fleet.yaml --cluster west --namespaced | kubectl --context west apply -f -\n  landbridge rbac --istio-namespace istio-system --account-namespace ops --account landbridge\n  landbridge rbac --management argocd | kubectl --context hub apply -f -\n  landbridge rbac --management fleets --fleets | kubectl --context hub apply -f -",
		RunE: func(cmd *cobra.Command, _ []string) error {
			objects, err := a.rolesFor(cmd, r)
			if err != nil {
				return usage(err)
			}
			if err := writeManifests(cmd.OutOrStdout(), objects); err != nil {
				return failed(err)
			}
			return nil
		},
	}
	a.fileFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&r.cluster, "cluster", "", "`name` of the cluster in the fleet file")
	f.BoolVar(&r.namespaced, "namespaced", false, "with --cluster: an administrator makes namespaces and the roles of readers")
	f.StringVar(&r.needs.Namespace, "istio-namespace", "istio-system", "spec.istio.namespace of the fleet file")
	f.StringVar(&r.needs.Revision, "revision", "default", "spec.istio.name of the fleet file, with updateStrategy RevisionBased the revision of the version (such as default-v1-31-3), or spec.istio.revision of an existing Istio")
	f.BoolVar(&r.needs.ExistingIstio, "existing-istio", false, "for a fleet file with spec.istio.manage: false")
	f.BoolVar(&r.needs.Adopt, "adopt", false, "for a fleet file with spec.adopt: true")
	f.BoolVar(&r.needs.SkipProof, "skip-proof", false, "for a fleet file with spec.rollout.skipProof: true: no port-forward, no logs, no pods")
	f.StringVar(&r.needs.RequestsIn, "requests-namespace", "", "for the cluster that a fleet file has in spec.ca.issuer.certManager: the namespace there, such as cert-manager")
	f.BoolVar(&r.needs.OpenShift, "openshift", false, "for OpenShift: adds the right to read the public name of the API server")
	f.StringVar(&r.accountNamespace, "account-namespace", "default", "namespace of the account")
	f.StringVar(&r.account, "account", rbacName, "name of the account")
	f.StringArrayVar(&r.management, "management", nil, "`NAMESPACE` of the management cluster whose Secrets have kubeconfigs; may be repeated")
	f.StringVar(&r.source, "from", "", "with --management: the `SOURCE` (spec.clustersFrom) whose objects are there: "+strings.Join(fleet.Sources, ", "))
	f.BoolVar(&r.fleets, "fleets", false, "with --management: the worker reconciles the Fleet resources of that namespace")
	for _, said := range []string{"istio-namespace", "revision", "existing-istio", "adopt", "skip-proof", "requests-namespace"} {
		cmd.MarkFlagsMutuallyExclusive("cluster", said)
		cmd.MarkFlagsMutuallyExclusive("management", said)
	}
	cmd.MarkFlagsMutuallyExclusive("management", "cluster")
	return cmd
}

// wholeCluster lists the account and its roles where the worker makes the namespaces itself.
func wholeCluster(account *corev1.ServiceAccount, needs rights.Needs, worker rbacv1.Subject) []any {
	return append([]any{account, rights.ClusterRole(rbacName, needs), rights.Bind(rbacName, worker)}, rights.Requests(rbacName, needs, worker)...)
}

// rolesFor lists what an administrator applies for a request.
func (a *app) rolesFor(cmd *cobra.Command, r rbacRequest) ([]any, error) {
	for flag, v := range map[string]string{"istio-namespace": r.needs.Namespace, "revision": r.needs.Revision, "account-namespace": r.accountNamespace, "account": r.account} {
		if errs := validation.IsDNS1123Label(v); len(errs) > 0 {
			return nil, fmt.Errorf("--%s: %q is not a name: %s", flag, v, errs[0])
		}
	}
	worker := rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: r.accountNamespace, Name: r.account}
	account := &corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: metav1.ObjectMeta{Namespace: r.accountNamespace, Name: r.account}}
	if len(r.management) > 0 {
		return managementRoles(r, account, worker)
	}
	if r.cluster == "" {
		if r.source != "" {
			return nil, fmt.Errorf("--from goes with --management NAMESPACE, where the objects are")
		}
		if r.fleets {
			return nil, fmt.Errorf("--fleets goes with --management NAMESPACE, where the Fleets are")
		}
		for _, flag := range []string{"file", "namespaced"} {
			if cmd.Flags().Changed(flag) {
				return nil, fmt.Errorf("--%s goes with --cluster NAME, the cluster of the fleet file that the worker's role is for", flag)
			}
		}
		return wholeCluster(account, r.needs, worker), nil
	}
	f, err := a.load()
	if err != nil {
		return nil, err
	}
	c, ok := f.Cluster(r.cluster)
	if !ok {
		return nil, fmt.Errorf("the fleet %s has no cluster %q", f.Metadata.Name, r.cluster)
	}
	needs := needsOf(f, c, r.needs.OpenShift)
	if !r.namespaced {
		return wholeCluster(account, needs, worker), nil
	}
	if needs.IstioName = f.Settings(c).Istio.Name; needs.ExistingIstio {
		needs.IstioName = ""
	}
	sources, err := sourcesOf(f, c)
	return append(append(rights.ByAdministrator(needs, c.Network, sources), account), rights.Namespaced(rbacName, needs, worker)...), err
}

// managementRoles lists what an administrator applies to the management cluster.
func managementRoles(r rbacRequest, account *corev1.ServiceAccount, worker rbacv1.Subject) ([]any, error) {
	if r.source != "" && !slices.Contains(fleet.Sources, r.source) {
		return nil, fmt.Errorf("--from: want %s, got %q", strings.Join(fleet.Sources, ", "), r.source)
	}
	objects := []any{account}
	if r.source == fleet.SourceOCM {
		objects = append(objects, rights.ManagedClusters(rbacName, worker)...)
	}
	for _, ns := range r.management {
		if errs := validation.IsDNS1123Label(ns); len(errs) > 0 {
			return nil, fmt.Errorf("--management: %q is not a namespace: %s", ns, errs[0])
		}
		objects = append(objects, rights.Management(rbacName, ns, r.source, worker)...)
		if r.fleets {
			objects = append(objects, rights.Fleets(rbacName, ns, worker)...)
		}
	}
	return objects, nil
}

// needsOf returns what a cluster needs by the fleet file.
func needsOf(f *fleet.Fleet, c fleet.Cluster, openShift bool) rights.Needs {
	istio := f.Settings(c).Istio
	n := rights.Needs{Namespace: istio.Namespace, CNINamespace: istio.CNINamespace, Revision: istio.Rev(), ExistingIstio: !istio.Managed(),
		Adopt: f.Spec.Adopt, SkipProof: f.Spec.Rollout.SkipProof, OpenShift: openShift || istio.Platform == "openshift"}
	if m := f.Spec.CA.Issuer.CertManager; m.Cluster == c.Name {
		n.RequestsIn = m.Namespace
	}
	for _, source := range f.Sources(c.Name) {
		s := f.Settings(source).Istio
		n.IstioReaders = n.IstioReaders || s.ReadsSecrets(s.Version) != ""
		n.OwnReaders = f.OwnReaders()
	}
	return n
}

// sourcesOf lists those who read a cluster. Each has its role before a rollout, which is Istio's
// own or not by the version of its Istio.
func sourcesOf(f *fleet.Fleet, c fleet.Cluster) (sources []rights.Source, err error) {
	for _, source := range f.Sources(c.Name) {
		istio := f.Settings(source).Istio
		if _, known := fleet.ParseIstioVersion(istio.Version); istio.MayReadWithoutSecrets() && !known {
			return nil, fmt.Errorf("--namespaced: whether %s reads the Secrets of %s depends on its version of Istio, which the fleet file does not name; set istio.version to a version, such as %s", source.Name, c.Name, fleet.DefaultIstioVersion)
		}
		reads := istio.ReadsSecrets(istio.Version) != ""
		if reads && f.Settings(c).Istio.RevisionBased() {
			return nil, fmt.Errorf("--namespaced: with updateStrategy RevisionBased the role that %s reads %s with has another name in each version, which a worker follows and an administrator cannot; let sources read without Secrets, or take updateStrategy InPlace", source.Name, c.Name)
		}
		sources = append(sources, rights.Source{Name: source.Name, ReadsSecrets: reads})
	}
	return sources, nil
}

// writeManifests writes objects as one stream of YAML.
func writeManifests(w io.Writer, objects []any) error {
	for i, obj := range objects {
		data, err := yaml.Marshal(obj)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(w, "---")
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}
