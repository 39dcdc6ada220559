package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cloudflare/cfssl/config"
	"github.com/cloudflare/cfssl/csr"
	"github.com/cloudflare/cfssl/helpers"
	"github.com/cloudflare/cfssl/signer"
	"github.com/cloudflare/cfssl/signer/local"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/keyutil"

	"github.com/landbridge/landbridge/certs"
)

// authority issues the certificates of a cluster's API server and its clients.
// It writes them, and their keys, into a directory.
type authority struct {
	dir    string
	signer signer.Signer
}

const labLifetime = 365 * 24 * time.Hour

// labUses lets one certificate serve and be a client: an API server is both.
var labUses = []string{"digital signature", "client auth", "server auth"}

// newAuthority makes a cluster's own CA, and the key of its service accounts.
func newAuthority(dir, cluster string) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ca, err := certs.NewRoot(certs.RootSpec{CommonName: cluster + " lab CA", KeyAlgorithm: certs.ECDSAP256, Lifetime: labLifetime})
	if err != nil {
		return nil, err
	}
	key, err := helpers.ParsePrivateKeyPEM(ca.KeyPEM)
	if err != nil {
		return nil, err
	}
	s, err := local.NewSigner(key, ca.Certificate(), signer.DefaultSigAlgo(key),
		&config.Signing{Default: &config.SigningProfile{Usage: labUses, Expiry: labLifetime}})
	if err != nil {
		return nil, err
	}
	a := &authority{dir: dir, signer: s}
	accounts, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return nil, err
	}
	if err := a.write("sa.key", accounts); err != nil {
		return nil, err
	}
	return a, a.write("ca.crt", ca.CertPEM)
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) write(name string, data []byte) error {
	return os.WriteFile(a.file(name), data, 0o600)
}

// identity names who a certificate is for.
type identity struct {
	user  string
	group string
	// hosts lists DNS names and IP addresses.
	hosts []string
}

// issue makes <name>.crt and <name>.key.
func (a *authority) issue(name string, id identity) error {
	request, key, err := csr.ParseRequest(&csr.CertificateRequest{
		CN: id.user, Names: []csr.Name{{O: id.group}}, Hosts: id.hosts, KeyRequest: &csr.KeyRequest{A: "ecdsa", S: 256},
	})
	if err != nil {
		return fmt.Errorf("make the key of %s: %w", name, err)
	}
	cert, err := a.signer.Sign(signer.SignRequest{Request: string(request)})
	if err != nil {
		return fmt.Errorf("sign the certificate of %s: %w", name, err)
	}
	if err := a.write(name+".crt", cert); err != nil {
		return err
	}
	return a.write(name+".key", key)
}

// kubeconfig writes one for a user who may do everything, with all in it.
func (a *authority) kubeconfig(path, cluster, server, user string) error {
	if err := a.issue(user, identity{user: user, group: "system:masters"}); err != nil {
		return err
	}
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[cluster] = &clientcmdapi.Cluster{Server: server, CertificateAuthority: a.file("ca.crt")}
	cfg.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificate: a.file(user + ".crt"), ClientKey: a.file(user + ".key")}
	cfg.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: user}
	cfg.CurrentContext = cluster
	if err := clientcmdapi.FlattenConfig(cfg); err != nil {
		return err
	}
	return clientcmd.WriteToFile(*cfg, path) // 0600
}
