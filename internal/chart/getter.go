package chart

import (
	"context"
	"io"
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"

	"github.com/landbridge/landbridge/internal/kube"
)

// getter gives Helm the connection that the activity has, so that there is one
// place where kubeconfigs are read.
type getter struct {
	config    *rest.Config
	namespace string
	cached    discovery.CachedDiscoveryInterface
}

func newGetter(ctx context.Context, c *kube.Cluster, namespace string, seen *answers) *getter {
	config := rest.CopyConfig(c.Clients)
	config.Wrap(until(ctx))
	config.Wrap(seen.wrap)
	return &getter{config, namespace, c.Kinds()}
}

// until ends requests when a context ends, and refuses those that come later. Helm's own
// know of no context, and its actions go on behind the back of a caller whose context
// ends: beside another try, or beside the undo.
func until(ctx context.Context) transport.WrapperFunc {
	return func(rt http.RoundTripper) http.RoundTripper {
		return kube.RoundTripper(func(req *http.Request) (*http.Response, error) {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			bound, end := context.WithCancelCause(req.Context())
			stop := context.AfterFunc(ctx, func() { end(context.Cause(ctx)) })
			res, err := rt.RoundTrip(req.WithContext(bound))
			if err != nil {
				stop()
				end(nil)
				return nil, err
			}
			res.Body = &body{res.Body, func() { stop(); end(nil) }}
			return res, nil
		})
	}
}

// body tells when an answer has been read.
type body struct {
	io.ReadCloser
	read func()
}

// Close implements io.Closer.
func (b *body) Close() error {
	defer b.read()
	return b.ReadCloser.Close()
}

// ToRESTConfig implements genericclioptions.RESTClientGetter.
func (g *getter) ToRESTConfig() (*rest.Config, error) { return rest.CopyConfig(g.config), nil }

// ToDiscoveryClient implements genericclioptions.RESTClientGetter.
func (g *getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.cached, nil
}

// ToRESTMapper implements genericclioptions.RESTClientGetter.
func (g *getter) ToRESTMapper() (meta.RESTMapper, error) {
	return restmapper.NewDeferredDiscoveryRESTMapper(g.cached), nil
}

// ToRawKubeConfigLoader implements genericclioptions.RESTClientGetter; Helm asks
// it for nothing but the namespace.
func (g *getter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(),
		&clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: g.namespace}})
}
