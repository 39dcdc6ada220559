package kube

import (
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// knownFor bounds how long a run relies on what it was told of a cluster.
const knownFor = 10 * time.Minute

// Known holds what a cluster was asked once and that all steps of a run may rely on: which
// Kubernetes it is, and which kinds it has. The zero value knows nothing.
type Known struct {
	mu      sync.Mutex
	version *version.Info
	kinds   discovery.CachedDiscoveryInterface
}

// ServerVersion returns what the API server said of its version, and asks where nobody has.
func (c *Cluster) ServerVersion() (*version.Info, error) {
	known := c.known()
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.version == nil {
		v, err := c.Discovery.ServerVersion()
		if err != nil {
			return nil, err
		}
		known.version = v
	}
	return known.version, nil
}

// Kinds returns what the API server has told, or tells when somebody wants to know it, of its
// kinds. A RESTMapper that does not find one in it asks once more.
func (c *Cluster) Kinds() discovery.CachedDiscoveryInterface {
	known := c.known()
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.kinds == nil {
		known.kinds = memory.NewMemCacheClient(c.Discovery)
	}
	return &mayBeOld{CachedDiscoveryInterface: known.kinds}
}

// Has returns whether the API server said that it serves a kind. It may serve one of which
// it has not said so.
func (c *Cluster) Has(r kinds.Resource) bool {
	list, err := c.Kinds().ServerResourcesForGroupVersion(r.GroupVersion().String())
	return err == nil && slices.ContainsFunc(list.APIResources, func(has metav1.APIResource) bool { return has.Name == r.Resource })
}

func (c *Cluster) known() *Known {
	if c.Known == nil {
		c.Known = &Known{}
	}
	return c.Known
}

func (k *Known) tell(v *version.Info) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.version = v
}

// mayBeOld says of what is known that it may be old, until it is asked for anew.
type mayBeOld struct {
	discovery.CachedDiscoveryInterface
	anew bool
}

// Fresh implements discovery.CachedDiscoveryInterface.
func (m *mayBeOld) Fresh() bool { return m.anew }

// Invalidate implements discovery.CachedDiscoveryInterface.
func (m *mayBeOld) Invalidate() {
	m.CachedDiscoveryInterface.Invalidate()
	m.anew = true
}

// Runs keeps what runs know of clusters, for a while. The zero value is ready.
type Runs struct {
	mu    sync.Mutex
	known map[runOn]*Known
	until map[runOn]time.Time
}

// runOn names a run and a cluster as it reaches it.
type runOn struct {
	run, cluster string
	kubeconfig   fleet.Kubeconfig
}

// Share lets a cluster's steps know what other steps of the same run were told. Without a
// run nothing is shared.
func (r *Runs) Share(c *Cluster, run string, kubeconfig fleet.Kubeconfig) {
	if run == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for on, end := range r.until {
		if time.Now().After(end) {
			delete(r.until, on)
			delete(r.known, on)
		}
	}
	if r.known == nil {
		r.known, r.until = map[runOn]*Known{}, map[runOn]time.Time{}
	}
	on := runOn{run, c.Name, kubeconfig}
	if r.known[on] == nil {
		r.known[on], r.until[on] = &Known{}, time.Now().Add(knownFor)
	}
	c.Known = r.known[on]
}
