package lab

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A front ends TLS before a cluster's API server, as Rancher, Teleport and clouds'
// gateways do: it has a certificate of its own CA, one path for each cluster, and users of
// its own, for whom it asks the API server by impersonation.

// FrontName is the only name in the certificate of a front.
const FrontName = "gke-1.example.com"

// frontDir has a kubeconfig for each cluster that leads through its front.
const frontDir = "front"

// FrontKubeconfig names the file that reaches a cluster through its front.
func (l *Lab) FrontKubeconfig(cluster string) string {
	return l.path(frontDir, cluster+".kubeconfig")
}

func frontPath(cluster string) string { return "/k8s/clusters/c-m-" + cluster }

// serveFront serves a cluster's front until the context ends.
func (l *Lab) serveFront(ctx context.Context, c Cluster) error {
	pki := l.path("pki", c.Name, frontDir)
	token, err := os.ReadFile(pki + "/token")
	if err != nil {
		return err
	}
	cfg, err := l.restConfig(c.Name)
	if err != nil {
		return err
	}
	cfg.Impersonate = rest.ImpersonationConfig{UserName: UserLandbridge, Groups: []string{"system:masters"}}
	cfg.NextProtos = []string{"http/1.1"} // a port-forward leaves HTTP, which HTTP/2 cannot
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		return err
	}
	to, err := url.Parse(c.URL())
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{Transport: transport, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), // clients leave
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Del("Authorization")
		}}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		Handler: http.StripPrefix(frontPath(c.Name), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), append([]byte("Bearer "), token...)) != 1 {
				http.Error(w, "not logged in", http.StatusUnauthorized)
				return
			}
			proxy.ServeHTTP(w, r)
		}))}
	listener, err := net.Listen("tcp", c.frontAddress())
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { log.Print(server.ServeTLS(listener, pki+"/server.crt", pki+"/server.key")) }()
	return nil
}

func (c Cluster) frontAddress() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Front)) }

// makeWays makes the front of each cluster, and the kubeconfigs that lead through it and
// by the plugin.
func (l *Lab) makeWays() error {
	if err := os.MkdirAll(l.path(frontDir), 0o700); err != nil {
		return err
	}
	for i := range l.Clusters {
		c := &l.Clusters[i]
		err := os.MkdirAll(filepath.Dir(l.plugin(c.Name)), 0o700)
		if err != nil {
			return err
		}
		if c.Front, err = FreePort(); err != nil {
			return err
		}
		pki, err := newAuthority(l.path("pki", c.Name, frontDir), c.Name+" front")
		if err != nil {
			return err
		}
		if err := pki.issue("server", identity{user: "front", hosts: []string{FrontName}}); err != nil {
			return err
		}
		token := rand.Text()
		if err := pki.write("token", []byte(token)); err != nil {
			return err
		}
		err = l.writeWay(l.FrontKubeconfig(c.Name), clientcmdapi.Cluster{Server: "https://" + c.frontAddress() + frontPath(c.Name), TLSServerName: FrontName,
			CertificateAuthority: pki.file("ca.crt")}, clientcmdapi.AuthInfo{Token: token})
		if err != nil {
			return err
		}
		err = l.writeWay(l.PluginKubeconfig(c.Name), clientcmdapi.Cluster{Server: c.URL(), CertificateAuthority: l.path("pki", c.Name, "ca.crt")},
			clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{APIVersion: "client.authentication.k8s.io/v1", Command: l.plugin(c.Name),
				InteractiveMode: clientcmdapi.NeverExecInteractiveMode}})
		if err != nil {
			return err
		}
	}
	return l.save()
}

func (l *Lab) writeWay(path string, cluster clientcmdapi.Cluster, user clientcmdapi.AuthInfo) error {
	const name = "lab"
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[name], cfg.AuthInfos[name], cfg.CurrentContext = &cluster, &user, name
	cfg.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	if err := clientcmdapi.FlattenConfig(cfg); err != nil {
		return err
	}
	return clientcmd.WriteToFile(*cfg, path) // 0600
}
