package lab

import (
	"context"
	"log"
	"sync"
	"time"
)

// lookInterval lies between two looks of the lab's own controllers.
const lookInterval = 250 * time.Millisecond

// Control runs the cloud and the Sail stand-in of every cluster until the
// context ends, in a lab's process cloud-and-sail.
func (l *Lab) Control(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, c := range l.Clusters {
		cfg, err := l.restConfig(c.Name)
		if err != nil {
			return err
		}
		cl, err := newCloud(c, cfg)
		if err != nil {
			return err
		}
		s, err := newSail(c, cfg, l.nodeDir(c))
		if err != nil {
			return err
		}
		for _, look := range []func(context.Context, Behaviour) error{cl.look, s.look} {
			wg.Go(func() { l.every(ctx, c.Name, look) })
		}
	}
	wg.Wait()
	return nil
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
