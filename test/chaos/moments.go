package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The writes that tell how far a command has come. A machine may be fast or slow; what a
// rollout writes comes in the order of the guide.
const (
	anyWrite   = ""
	linksBegin = "serviceentries"
)

// hold stops the first write of a kind, and those after it, until it is let go on.
type hold struct {
	resource          string
	reached, released chan struct{}
	once              sync.Once
}

// pass notes that a write of the kind held came, and waits until it is let go on.
func (p *proxy) pass(r *http.Request) {
	p.mu.Lock()
	d := p.hold
	p.mu.Unlock()
	if d == nil || !writes(r, d.resource) {
		return
	}
	d.once.Do(func() { close(d.reached) })
	select {
	case <-d.released:
	case <-r.Context().Done():
	}
}

// writes tells whether a request changes an object of a kind. Questions about rights are
// sent as writes, and change nothing; a dry run does not, either.
func writes(r *http.Request, resource string) bool {
	info, err := resolver.NewRequestInfo(r)
	if err != nil || !info.IsResourceRequest || r.Method == http.MethodGet || strings.HasPrefix(info.Resource, "selfsubject") || r.URL.Query().Has("dryRun") {
		return false
	}
	return resource == anyWrite || info.Resource == resource
}

// atWrite does something at the first write of a kind. The write waits meanwhile: it is
// never too late for what is done, however fast the machine is. release lets it go on before
// that has returned.
func atWrite(resource string, do func(ctx context.Context, s *scene, release func())) disturbance {
	return func(ctx context.Context, s *scene) func() {
		d := &hold{resource: resource, reached: make(chan struct{}), released: make(chan struct{})}
		s.setHold(d)
		release := sync.OnceFunc(func() { s.setHold(nil); close(d.released) })
		return beside(ctx, func(ctx context.Context) {
			defer release()
			select {
			case <-ctx.Done():
			case <-d.reached:
				do(ctx, s, release)
			}
		})
	}
}

// beside runs something until the returned function ends it, and waits for it.
func beside(ctx context.Context, work func(context.Context)) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		work(ctx)
	}()
	return func() { cancel(); <-done }
}

// afterTime does something after a time, unless the context ends before.
func afterTime(ctx context.Context, long time.Duration, s *scene, do func(context.Context, *scene)) {
	select {
	case <-ctx.Done():
	case <-time.After(long):
		do(ctx, s)
	}
}

// whileHeld does something while the first write of a kind is held.
func whileHeld(resource string, do func(context.Context, *scene)) disturbance {
	return atWrite(resource, func(ctx context.Context, s *scene, _ func()) { do(ctx, s) })
}

// after does something as long as given after the first write of a kind, which is not
// held.
func after(resource string, long time.Duration, do func(context.Context, *scene)) disturbance {
	return atWrite(resource, func(ctx context.Context, s *scene, release func()) {
		release()
		afterTime(ctx, long, s, do)
	})
}

// setHold puts a hold before each API server of the lane, or with nil none.
func (s *scene) setHold(d *hold) {
	for _, p := range s.proxies {
		p.mu.Lock()
		p.hold = d
		p.mu.Unlock()
	}
}

// later does something once, as long as given after the command began, unless the
// command ends before.
func later(at time.Duration, do func(context.Context, *scene)) disturbance {
	return func(ctx context.Context, s *scene) func() {
		return beside(ctx, func(ctx context.Context) { afterTime(ctx, at, s, do) })
	}
}
