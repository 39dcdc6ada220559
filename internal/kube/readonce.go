package kube

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// moment is how long an activity relies on what it has read of an object itself.
	moment = time.Second
	// maxObject in bytes limits what is kept of one answer.
	maxObject = 1 << 20
)

// readOnce answers an activity that reads an object again within a moment with what it has
// read: several of its parts look at the inventory, a namespace or a Secret. Each activity
// opens its clusters for itself, so that none relies on what another one read. It forgets everything as
// soon as the activity writes anything, and a wait that looks again asks the API server.
type readOnce struct {
	mu   sync.Mutex
	read map[string]answered
	// writes counts what was written: an answer from before is not kept.
	writes int
}

// answered holds an answer of the API server.
type answered struct {
	at     time.Time
	status int
	header http.Header
	body   []byte
}

type anewKey struct{}

// anew returns a context in which objects are read from the API server.
func anew(ctx context.Context) context.Context { return context.WithValue(ctx, anewKey{}, true) }

// roundTrip sends a request, unless its answer is known.
func (o *readOnce) roundTrip(req *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	if req.Method != http.MethodGet {
		o.forget()
		defer o.forget() // what was read while it was on its way
		return send(req)
	}
	if !ofOneObject(req) {
		return send(req)
	}
	key := req.URL.Path + " " + req.Header.Get("Accept")
	a, writes := o.find(key)
	if a.body != nil && req.Context().Value(anewKey{}) == nil {
		return a.response(req), nil
	}
	res, err := send(req)
	if err != nil || res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNotFound {
		return res, err
	}
	read, err := io.ReadAll(io.LimitReader(res.Body, maxObject+1))
	if err != nil {
		res.Body.Close()
		return nil, err
	}
	if len(read) > maxObject {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(read), res.Body), res.Body}
		return res, nil
	}
	res.Body.Close()
	a = answered{time.Now(), res.StatusCode, res.Header, read}
	o.keep(key, a, writes)
	return a.response(req), nil
}

func (o *readOnce) find(key string) (answered, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.read[key]
	if time.Since(a.at) > moment {
		a = answered{}
	}
	return a, o.writes
}

func (o *readOnce) keep(key string, a answered, writes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writes != writes {
		return
	}
	if o.read == nil {
		o.read = map[string]answered{}
	}
	o.read[key] = a
}

func (o *readOnce) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.read = nil
	o.writes++
}

func (a answered) response(req *http.Request) *http.Response {
	return &http.Response{Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header.Clone(), Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: req}
}

// ofOneObject returns whether a request reads one object as it is: no list, no watch, no log
// and no connection to a pod.
func ofOneObject(req *http.Request) bool {
	for key := range req.URL.Query() {
		if key != "timeout" {
			return false
		}
	}
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	for i, at := range parts { // a prefix may lead to the API server
		switch at {
		case "api":
			parts = parts[i+1:]
		case "apis":
			parts = parts[min(i+2, len(parts)):]
		default:
			continue
		}
		if len(parts) > 3 && parts[1] == "namespaces" {
			parts = parts[2:]
		}
		return len(parts) == 3
	}
	return false
}
