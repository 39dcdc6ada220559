package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"

	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	// requestTimeout bounds one request; waits are made of many.
	requestTimeout = 30 * time.Second
	// qps and burst are per activity. client-go's defaults (5 and 10) would make a
	// Helm install wait for itself.
	qps, burst = 50, 100
	// maxKubeconfig in bytes keeps a mistaken path from filling the memory.
	maxKubeconfig = 4 << 20
)

// Access limits which kubeconfigs a worker uses. A fleet file names one of them, or a Secret
// of the management cluster; it cannot point elsewhere.
type Access struct {
	// Dirs are searched in order for the path that the fleet file gives.
	Dirs []string
	// Default allows contexts of the worker's own default kubeconfig.
	Default bool
	// Management leads to the cluster whose Secrets fleet files may name. Zero: to none.
	Management Management
	// Plugins limits which exec plugins such a Secret may name. Zero: none.
	Plugins Plugins
	// Providers gives the credentials for ClusterProfiles. The first that one names is taken.
	Providers []AccessProvider
	// Wrap goes around every connection to an API server, where it is given.
	Wrap transport.WrapperFunc
}

// KubeconfigError reports a kubeconfig that is not there, not allowed or broken.
type KubeconfigError struct{ Reason string }

func (e *KubeconfigError) Error() string { return e.Reason }

// Cluster holds the clients of one cluster.
type Cluster struct {
	Name string
	// Config has what the kubeconfig says.
	Config *rest.Config
	// Clients serves Helm and other clients: it renews credentials by itself, and has
	// nothing of TLS.
	Clients   *rest.Config
	Client    kubernetes.Interface
	Dynamic   dynamic.Interface
	Discovery discovery.DiscoveryInterface
	// Known holds what the steps of a run share. Nil: nothing yet.
	Known *Known
}

// Open connects to a cluster. Nothing is sent there yet; a kubeconfig in a Secret is read from
// the management cluster. The error is a *KubeconfigError where the kubeconfig is at fault; it
// never quotes one.
func (a Access) Open(ctx context.Context, name string, ref fleet.Kubeconfig) (*Cluster, error) {
	cfg, err := a.config(ctx, ref)
	if err != nil {
		return nil, err
	}
	return connect(name, cfg, func(ctx context.Context) (*rest.Config, error) { return a.config(ctx, ref) })
}

// config reads a kubeconfig.
func (a Access) config(ctx context.Context, ref fleet.Kubeconfig) (*rest.Config, error) {
	raw, err := a.load(ctx, ref)
	if err != nil {
		return nil, err
	}
	if ref.Context != "" {
		if _, ok := raw.Contexts[ref.Context]; !ok {
			return nil, &KubeconfigError{fmt.Sprintf("kubeconfig %s has no context %q; it has %s", show(ref), ref.Context, contexts(raw))}
		}
	}
	cfg, err := clientcmd.NewNonInteractiveClientConfig(*raw, ref.Context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, &KubeconfigError{fmt.Sprintf("kubeconfig %s cannot be used: %v", show(ref), err)}
	}
	return a.tuned(cfg), nil
}

// tuned sets what is the same for each API server.
func (a Access) tuned(cfg *rest.Config) *rest.Config {
	cfg.Timeout, cfg.QPS, cfg.Burst = requestTimeout, qps, burst
	cfg.UserAgent = "landbridge"
	// A deprecated API is the developers' concern, not a line in an activity's log.
	cfg.WarningHandler = rest.NoWarnings{}
	if cfg.ExecProvider != nil { // a plugin that asks a person would wait for ever
		cfg.ExecProvider.StdinUnavailable, cfg.ExecProvider.StdinUnavailableMessage = true, "a worker has nobody to ask"
	}
	cfg.Wrap(a.Wrap)
	return cfg
}

func connect(name string, cfg *rest.Config, reload func(context.Context) (*rest.Config, error)) (*Cluster, error) {
	clients, err := renewed(cfg, reload)
	if err != nil {
		return nil, &KubeconfigError{fmt.Sprintf("the kubeconfig of %s cannot be used: %v", name, err)}
	}
	client, err := kubernetes.NewForConfig(clients)
	if err != nil {
		return nil, &KubeconfigError{fmt.Sprintf("the kubeconfig of %s cannot be used: %v", name, err)}
	}
	dyn, err := dynamic.NewForConfig(clients)
	if err != nil {
		return nil, &KubeconfigError{fmt.Sprintf("the kubeconfig of %s cannot be used: %v", name, err)}
	}
	return &Cluster{Name: name, Config: cfg, Clients: clients, Client: client, Dynamic: dyn, Discovery: client.Discovery(), Known: &Known{}}, nil
}

func (a Access) load(ctx context.Context, ref fleet.Kubeconfig) (*clientcmdapi.Config, error) {
	if ref.Secret.Given() {
		return a.fromSecret(ctx, ref)
	}
	if ref.ClusterProfile.Given() {
		return a.fromProfile(ctx, ref.ClusterProfile)
	}
	if ref.Path == "" {
		if !a.Default {
			return nil, &KubeconfigError{"the fleet file gives no kubeconfig path, and this worker was started without a default kubeconfig; name a file below one of its --kubeconfig-dir directories"}
		}
		raw, err := clientcmd.NewDefaultClientConfigLoadingRules().Load()
		if err != nil {
			return nil, &KubeconfigError{"the default kubeconfig is not a kubeconfig"}
		}
		return raw, nil
	}
	for _, dir := range a.Dirs {
		raw, err := readBelow(dir, ref.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return raw, err
	}
	return nil, &KubeconfigError{fmt.Sprintf("kubeconfig %s is in none of this worker's directories (--kubeconfig-dir)", ref.Path)}
}

// readBelow reads a kubeconfig without leaving the directory, symbolic links
// included.
func readBelow(dir, path string) (*clientcmdapi.Config, error) {
	f, err := os.OpenInRoot(dir, path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return nil, &KubeconfigError{fmt.Sprintf("kubeconfig %s cannot be read: %v", path, errors.Unwrap(err))}
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKubeconfig))
	if err != nil {
		return nil, &KubeconfigError{fmt.Sprintf("kubeconfig %s cannot be read: %v", path, err)}
	}
	raw, err := clientcmd.Load(data)
	if err != nil || len(raw.Clusters) == 0 {
		// The cause may quote the file.
		return nil, &KubeconfigError{fmt.Sprintf("kubeconfig %s is not a kubeconfig with a cluster in it", path)}
	}
	full := filepath.Join(dir, path)
	for _, c := range raw.Clusters {
		c.LocationOfOrigin = full
	}
	for _, u := range raw.AuthInfos {
		u.LocationOfOrigin = full
	}
	if err := clientcmd.ResolveLocalPaths(raw); err != nil {
		return nil, &KubeconfigError{fmt.Sprintf("kubeconfig %s names files that cannot be found: %v", path, err)}
	}
	return raw, nil
}

func show(ref fleet.Kubeconfig) string {
	if ref.Secret.Given() {
		return "in " + ref.Secret.String()
	}
	if ref.ClusterProfile.Given() {
		return "of " + ref.ClusterProfile.String()
	}
	if ref.Path == "" {
		return "(default)"
	}
	return ref.Path
}

func contexts(raw *clientcmdapi.Config) string {
	if len(raw.Contexts) == 0 {
		return "none"
	}
	return listed(slices.Sorted(maps.Keys(raw.Contexts)))
}
