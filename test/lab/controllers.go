package lab

import (
	"context"
	"log"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	watchapi "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
)

// lookInterval lies between two looks of the lab's own controllers.
const lookInterval = 250 * time.Millisecond

// Control runs the cloud, the Sail stand-in, the platform, admission, the exec plugin's
// account and the front of every cluster until the context ends, in a lab's process
// cloud-and-sail.
func (l *Lab) Control(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, c := range l.Clusters {
		cfg, err := l.restConfig(c.Name)
		if err != nil {
			return err
		}
		cl, err := newCloud(ctx, c, cfg)
		if err != nil {
			return err
		}
		s, err := newSail(ctx, c, cfg, l.nodeDir(c))
		if err != nil {
			return err
		}
		p, err := newPlatform(cfg)
		if err != nil {
			return err
		}
		a, err := newAdmission(ctx, l, c, cfg)
		if err != nil {
			return err
		}
		who, err := newLogin(l, c, cfg)
		if err != nil {
			return err
		}
		if err := l.serveFront(ctx, c); err != nil {
			return err
		}
		for _, look := range []func(context.Context, Behaviour) error{cl.look, s.look, p.look, a.look, who.look} {
			wg.Go(func() { l.every(ctx, c.Name, look) })
		}
	}
	wg.Wait()
	return nil
}

// watch keeps a copy of every object of a kind until the context ends, so that a
// look costs the API server nothing. A copy that is a moment old is refused as a
// conflict where it is written, and is new at the next look.
func watch(ctx context.Context, all cache.ListerWatcher, kind runtime.Object) cache.Store {
	store, controller := cache.NewInformerWithOptions(cache.InformerOptions{ListerWatcher: all, ObjectType: kind, Handler: cache.ResourceEventHandlerFuncs{}})
	go controller.RunWithContext(ctx)
	return store
}

func listWatch(of dynamic.ResourceInterface) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return of.List(ctx, o) },
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watchapi.Interface, error) {
			return of.Watch(ctx, o)
		},
	}
}

func (l *Lab) every(ctx context.Context, cluster string, look func(context.Context, Behaviour) error) {
	for {
		b, err := LoadBehaviour(l.Dir)
		if err == nil {
			err = look(ctx, b)
		}
		if err != nil && ctx.Err() == nil {
			log.Printf("%s: %v", cluster, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookInterval):
		}
	}
}
