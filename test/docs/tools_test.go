package docs

import (
	"fmt"
	"os"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd/annotate"
	"k8s.io/kubectl/pkg/cmd/apply"
	"k8s.io/kubectl/pkg/cmd/create"
	"k8s.io/kubectl/pkg/cmd/delete"
	"k8s.io/kubectl/pkg/cmd/get"
	"k8s.io/kubectl/pkg/cmd/label"
	"k8s.io/kubectl/pkg/cmd/patch"
	"k8s.io/kubectl/pkg/cmd/replace"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/certs"
)

// kubectl runs those commands of kubectl that pages and scripts have, by kubectl's own code, for a
// machine that has none.
func kubectl() {
	flags := genericclioptions.NewConfigFlags(true)
	f := cmdutil.NewFactory(flags)
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	root := &cobra.Command{Use: "kubectl"}
	flags.AddFlags(root.PersistentFlags())
	root.AddCommand(annotate.NewCmdAnnotate("kubectl", f, streams), apply.NewCmdApply("kubectl", f, streams), create.NewCmdCreate(f, streams),
		delete.NewCmdDelete(f, streams), get.NewCmdGet("kubectl", f, streams), label.NewCmdLabel(f, streams), patch.NewCmdPatch(f, streams),
		replace.NewCmdReplace(f, streams))
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "kubectl:", err)
		os.Exit(1)
	}
}

// ageKeygen writes an identity to the file of -o and prints its recipient, as age-keygen does.
func ageKeygen() {
	identity, err := age.GenerateX25519Identity()
	if err == nil {
		err = os.WriteFile(os.Args[2], []byte(identity.String()+"\n"), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "age-keygen:", err)
		os.Exit(1)
	}
	fmt.Println(identity.Recipient())
}

// pluggedCA writes, for each cluster that it is given, cacerts-NAME.yaml: a CA for istiod under one root, as people plug it in.
func pluggedCA() {
	root, err := certs.NewRoot(certs.RootSpec{CommonName: "corp", Organization: "corp", KeyAlgorithm: "ECDSA-P256", Lifetime: 24 * time.Hour})
	for _, name := range os.Args[1:] {
		if err == nil {
			err = plug(root, name)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "plugged-ca:", err)
		os.Exit(1)
	}
}

// plug writes the file of one cluster.
func plug(root *certs.Root, name string) error {
	spec := certs.IntermediateSpec{Cluster: name, Organization: "corp", DNSName: "istiod-stable.istio-system.svc", KeyAlgorithm: "ECDSA-P256", Lifetime: 12 * time.Hour}
	key, csr, err := certs.NewRequest(spec)
	if err != nil {
		return err
	}
	cert, err := root.Sign(csr, spec)
	if err != nil {
		return err
	}
	data, err := yaml.Marshal(&corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "cacerts"}, Data: certs.NewCACerts(root.CertPEM, cert, key).Data()})
	if err != nil {
		return err
	}
	return os.WriteFile("cacerts-"+name+".yaml", data, 0o600)
}
