package kube

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/landbridge/landbridge/internal/kinds"
)

const (
	// watchedInterval is between two looks of a wait whose watches tell of every change. It
	// still looks by itself, for what nobody watches: events, or an operator that does not run.
	watchedInterval = 3 * time.Second
	// together is the time that other changes get to come with one: controllers write
	// several times in a row.
	together = 20 * time.Millisecond
	// watchTimeout lets the API server end a watch before the client's own limit for a
	// request cuts it off.
	watchTimeout = requestTimeout - 5*time.Second
)

// Watched names what a wait watches: one object, those with some labels, or with neither
// all of a kind.
type Watched struct {
	kinds.Resource
	// Namespace is empty for kinds of the whole cluster.
	Namespace, Name, Labels string
}

// Wait looks until done, as Poll does, and at once when something happens to what it
// watches. It watches after the first look, since one is enough for most waits. Later looks
// read, by Get and List, what the watches have told; what ends the wait is looked at again at the API
// server itself. Where the API server refuses a watch, or nothing comes of it, Wait polls.
func (c *Cluster) Wait(ctx context.Context, look Look, of ...Watched) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return poll(ctx, look, &watches{cluster: c, of: of, news: make(chan struct{}, 1)})
}

// watches are those of one wait. The zero value watches nothing.
type watches struct {
	cluster *Cluster
	of      []Watched
	begun   bool
	// news has an element when something happened since the last look.
	news chan struct{}
	// open counts the watches that the API server has accepted and that go on.
	open atomic.Int32
	// told says that one of them has told something.
	told atomic.Bool
	// asked is when a look asked the API server itself.
	asked time.Time

	mu sync.Mutex
	// seen holds what each watch that goes on has told so far.
	seen map[Watched]map[string]*unstructured.Unstructured
}

// begin starts the watches, once.
func (w *watches) begin(ctx context.Context) {
	if w.begun {
		return
	}
	w.begun = true
	for _, of := range w.of {
		go w.follow(ctx, of)
	}
}

// interval returns how long to wait for news until the next look, where polling would
// take that long. A proxy may hold back what it should pass on, so that watches count
// when one has told something: they begin with the objects that are there.
func (w *watches) interval(polling time.Duration) time.Duration {
	if w.told.Load() && int(w.open.Load()) == len(w.of) {
		return watchedInterval
	}
	return polling
}

// gather waits for what comes together with the news, so that one look sees all of it.
func (w *watches) gather() {
	time.Sleep(together)
	select {
	case <-w.news:
	default:
	}
}

// follow watches until the wait ends, or the API server refuses. A watch that asks for no
// version begins with what is there: nothing that happened before it is lost, and unlike
// client-go's informers it needs no list, and no right to one.
func (w *watches) follow(ctx context.Context, of Watched) {
	seconds := int64(watchTimeout / time.Second)
	options := metav1.ListOptions{LabelSelector: of.Labels, TimeoutSeconds: &seconds}
	if of.Name != "" {
		options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, of.Name).String()
	}
	for {
		stream, err := w.cluster.In(of.Resource, of.Namespace).Watch(ctx, options)
		switch {
		case err == nil:
			w.listen(ctx, of, stream)
		case !passing(err):
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pollInterval):
		}
	}
}

// listen passes on that something happened, until the watch ends.
func (w *watches) listen(ctx context.Context, of Watched, stream watch.Interface) {
	defer stream.Stop()
	w.open.Add(1)
	defer w.open.Add(-1)
	defer w.forget(of)
	for w.heard(ctx, of, stream) {
		w.told.Store(true)
	}
}

// heard waits for one event, and returns false when the watch ends.
func (w *watches) heard(ctx context.Context, of Watched, stream watch.Interface) bool {
	select {
	case <-ctx.Done():
		return false
	case event, open := <-stream.ResultChan():
		if !open || event.Type == watch.Error {
			return false
		}
		w.note(of, event)
	}
	select {
	case w.news <- struct{}{}:
	default: // the look that comes will see this, too
	}
	return true
}
