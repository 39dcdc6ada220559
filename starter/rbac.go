package main

import (
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/internal/rights"
)

// rbacName names the role, its binding and, by default, the account.
const rbacName = "landbridge-worker"

func rbac() *cobra.Command {
	var (
		needs                     rights.Needs
		account, accountNamespace string
	)
	cmd := &cobra.Command{
		Use: "rbac", Args: cobra.NoArgs,
		Short: "Print the ClusterRole that a worker needs on a cluster, and an account",
		Long: "Print the least ClusterRole that a worker needs on a cluster, an account and the binding, as\n" +
			"manifests. The role has exactly the rights that the preflight asks for, and to watch what a\n" +
			"rollout waits for. The worker then needs no more than a kubeconfig of that account (`kubectl create\n" +
			"token`).",
		Example: "  landbridge rbac | kubectl --context west apply -f -\n  landbridge rbac --istio-namespace istio-system --account-namespace ops --account landbridge",
		RunE: func(cmd *cobra.Command, _ []string) error {
			for flag, v := range map[string]string{"istio-namespace": needs.Namespace, "revision": needs.Revision, "account-namespace": accountNamespace, "account": account} {
				if errs := validation.IsDNS1123Label(v); len(errs) > 0 {
					return usage(fmt.Errorf("--%s: %q is not a name: %s", flag, v, errs[0]))
				}
			}
			w := cmd.OutOrStdout()
			for i, obj := range []any{
				&corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: metav1.ObjectMeta{Namespace: accountNamespace, Name: account}},
				rights.ClusterRole(rbacName, needs),
				&rbacv1.ClusterRoleBinding{TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
					ObjectMeta: metav1.ObjectMeta{Name: rbacName},
					RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: rbacName},
					Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: accountNamespace, Name: account}}},
			} {
				data, err := yaml.Marshal(obj)
				if err != nil {
					return failed(err)
				}
				if i > 0 {
					fmt.Fprintln(w, "---")
				}
				if _, err := w.Write(data); err != nil {
					return failed(err)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&needs.Namespace, "istio-namespace", "istio-system", "spec.istio.namespace of the fleet file")
	cmd.Flags().StringVar(&needs.Revision, "revision", "default", "spec.istio.name of the fleet file, with updateStrategy RevisionBased the revision of the version (such as default-v1-31-3), or spec.istio.revision of an existing Istio")
	cmd.Flags().BoolVar(&needs.ExistingIstio, "existing-istio", false, "for a fleet file with spec.istio.manage: false")
	cmd.Flags().BoolVar(&needs.Adopt, "adopt", false, "for a fleet file with spec.adopt: true")
	cmd.Flags().BoolVar(&needs.SkipProof, "skip-proof", false, "for a fleet file with spec.rollout.skipProof: true: no port-forward, no logs, no pods")
	cmd.Flags().StringVar(&needs.RequestsIn, "requests-namespace", "", "for the cluster that a fleet file has in spec.ca.issuer.certManager: the namespace there, such as cert-manager")
	cmd.Flags().BoolVar(&needs.OpenShift, "openshift", false, "for OpenShift: adds the right to read the public name of the API server")
	cmd.Flags().StringVar(&accountNamespace, "account-namespace", "default", "namespace of the account")
	cmd.Flags().StringVar(&account, "account", rbacName, "name of the account")
	return cmd
}
