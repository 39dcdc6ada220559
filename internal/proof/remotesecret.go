package proof

import (
	"context"
	"crypto/x509"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// remoteSecret holds what istiod knows of a target's API server.
type remoteSecret struct {
	server, serverName, token string
	roots                     *x509.CertPool
}

// readRemoteSecret reads the remote secret of the link, or tells what is wrong with it.
func (p *prober) readRemoteSecret(ctx context.Context) (*remoteSecret, *breakage, error) {
	name := fleet.RemoteSecret(p.link.To)
	s, err := p.Client.CoreV1().Secrets(p.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, &breakage{hop: api.HopSecret, why: fmt.Sprintf("there is no Secret %s/%s in the source", p.namespace, name)}, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read Secret %s/%s: %w", p.namespace, name, err)
	}
	remote, wrong := parseRemoteSecret(s.Data, p.id)
	if wrong != "" {
		return nil, &breakage{hop: api.HopSecret, why: fmt.Sprintf("Secret %s/%s %s", p.namespace, name, wrong)}, nil
	}
	return remote, nil, nil
}

// parseRemoteSecret reads what istiod would. It tells what is wrong without
// quoting anything, since there is a token in it.
func parseRemoteSecret(data map[string][]byte, target string) (_ *remoteSecret, wrong string) {
	cfg, err := clientcmd.Load(data[target])
	if err != nil || cfg.Contexts[cfg.CurrentContext] == nil {
		return nil, "holds no kubeconfig for " + target
	}
	at := cfg.Contexts[cfg.CurrentContext]
	cluster, user := cfg.Clusters[at.Cluster], cfg.AuthInfos[at.AuthInfo]
	switch {
	case cluster == nil || cluster.TLSServerName == "":
		return nil, "holds no tls-server-name"
	case user == nil || user.Token == "":
		return nil, "holds no token"
	}
	s := &remoteSecret{server: cluster.Server, serverName: cluster.TLSServerName, token: user.Token, roots: x509.NewCertPool()}
	if !s.roots.AppendCertsFromPEM(cluster.CertificateAuthorityData) {
		return nil, "holds no CA certificate"
	}
	return s, ""
}
