package activities

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// keyLife limits how long a key that nobody came for stays in memory. It is longer than the
// longest pause between two tries, and than a try.
const keyLife = 5 * time.Minute

// keys holds the private keys that a worker is making: as many at once as it has cores,
// since more would only be slower each, and would keep heartbeats waiting. One that was
// begun is finished and stays here until it is in its place, although the try is over that
// asked for it. On a machine on which no try ends in time, the next one gets that key. The
// zero value is ready.
type keys struct {
	mu    sync.Mutex
	cores chan struct{}
	begun map[string]*begunKey
}

// begunKey is a key that is being made, or was made.
type begunKey struct {
	done chan struct{}
	key  any
	err  error
}

// makeKey returns the key of that name. It makes one unless a try before has begun it.
func makeKey[K any](ctx context.Context, k *keys, name string, one func() (K, error)) (key K, err error) {
	b := k.begin(name, func() (any, error) { return one() })
	select {
	case <-ctx.Done():
		return key, ctx.Err()
	case <-b.done:
	}
	if b.err != nil {
		return key, b.err
	}
	return b.key.(K), nil
}

func (k *keys) begin(name string, one func() (any, error)) *begunKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.begun == nil {
		k.begun, k.cores = map[string]*begunKey{}, make(chan struct{}, runtime.GOMAXPROCS(0))
	}
	b := k.begun[name]
	if b == nil {
		b = &begunKey{done: make(chan struct{})}
		k.begun[name] = b
		go k.finish(name, b, one)
	}
	return b
}

func (k *keys) finish(name string, b *begunKey, one func() (any, error)) {
	k.cores <- struct{}{}
	b.key, b.err = one()
	<-k.cores
	if b.err != nil {
		k.drop(name, b) // the next try begins anew
	} else {
		time.AfterFunc(keyLife, func() { k.drop(name, b) })
	}
	close(b.done)
}

// drop forgets a key, but not another one of its name.
func (k *keys) drop(name string, b *begunKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.begun[name] == b {
		delete(k.begun, name)
	}
}

// forget drops a key: it is in its place now.
func (k *keys) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.begun, name)
}
