package lab

import (
	"context"
	"fmt"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	appslisters "k8s.io/client-go/listers/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// sailCache holds what the operator knows of the objects that are not of its own kinds. Like
// the operator it watches them, and asks the API server for none of them again.
type sailCache struct {
	namespaces  corelisters.NamespaceLister
	pods        corelisters.PodLister
	deployments appslisters.DeploymentLister
	daemonSets  appslisters.DaemonSetLister
}

// newSailCache watches until the context ends. It returns when it knows all that there is.
func newSailCache(ctx context.Context, client kubernetes.Interface) (sailCache, error) {
	factory := informers.NewSharedInformerFactory(client, 0)
	core, apps := factory.Core().V1(), factory.Apps().V1()
	known := sailCache{core.Namespaces().Lister(), core.Pods().Lister(), apps.Deployments().Lister(), apps.DaemonSets().Lister()}
	factory.StartWithContext(ctx)
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return known, fmt.Errorf("watch %s: %w", kind, context.Cause(ctx))
		}
	}
	return known, nil
}
