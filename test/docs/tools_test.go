package docs

import (
	"fmt"
	"os"
	"time"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/test/kubectl"
)

// runKubectl is kubectl, for a machine that has none.
func runKubectl() {
	if err := kubectl.Run(os.Args[1:]); err != nil {
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
