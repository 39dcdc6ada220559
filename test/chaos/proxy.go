package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/client-go/rest"
)

// pair names a verb and the resource that it acts on.
type pair struct{ Verb, Resource string }

func (p pair) String() string { return p.Verb + " " + p.Resource }

// The ways in which a proxy makes a request fail.
const (
	fault500         = "500"
	fault429         = "429 with Retry-After"
	fault409         = "409"
	faultReset       = "reset after it was done"
	faultLate        = "a reply after 30 s"
	fault403         = "403"
	faultUnreachable = "no connection"
)

// faults lists those that one verb on one kind can have.
var faults = []string{fault500, fault429, fault409, faultReset, faultLate, fault403}

// once sets how often a fault happens before requests succeed again; 403 stays.
var once = map[string]int{fault500: 2, fault429: 2, fault409: 2, faultReset: 1, faultLate: 1}

// rule makes the requests of one pair fail, or all requests where the pair is empty.
type rule struct {
	pair
	fault string
	times int // 0: always
}

func (r rule) String() string { return r.fault + " on " + r.pair.String() }

// proxy stands in front of one API server, with that server's own certificate.
type proxy struct {
	*httptest.Server
	upstream http.Handler

	mu       sync.Mutex
	rule     *rule
	hold     *hold
	fired    int
	requests []time.Time
	seen     sets.Set[pair]
}

var resolver = &request.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")}

// newProxy forwards to a cluster as the user of cfg.
func newProxy(cfg *rest.Config, certFile, keyFile string) (*proxy, error) {
	target, err := url.Parse(cfg.Host)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(cfg)
	if err != nil {
		return nil, err
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	p := &proxy{seen: sets.New[pair]()}
	p.upstream = &httputil.ReverseProxy{Transport: transport, FlushInterval: -1,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }}
	p.Server = httptest.NewUnstartedServer(p)
	p.Config.ErrorLog = discard
	p.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	p.EnableHTTP2 = true
	p.StartTLS()
	return p, nil
}

// set replaces the rule; nil removes it.
func (p *proxy) set(r *rule) {
	p.mu.Lock()
	p.rule, p.fired = r, 0
	p.mu.Unlock()
	if r != nil && r.fault == faultUnreachable {
		p.CloseClientConnections()
	}
}

// count returns how often the rule was applied.
func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fired
}

// firstAfter returns when the first request after a moment came, or zero.
func (p *proxy) firstAfter(t time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		if r.After(t) {
			return r
		}
	}
	return time.Time{}
}

// forget begins a new list of requests, and returns the old one.
func (p *proxy) forget() sets.Set[pair] {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := p.seen
	p.seen, p.requests = sets.New[pair](), nil
	return seen
}

// match notes a request, and returns the fault that it gets.
func (p *proxy) match(r *http.Request) string {
	info, err := resolver.NewRequestInfo(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, time.Now())
	if p.rule != nil && p.rule.fault == faultUnreachable {
		p.fired++
		return faultUnreachable
	}
	if err != nil || !info.IsResourceRequest {
		return ""
	}
	asked := pair{info.Verb, info.Resource}
	p.seen.Insert(asked)
	if p.rule == nil || p.rule.pair != asked || p.rule.times > 0 && p.fired >= p.rule.times {
		return ""
	}
	p.fired++
	return p.rule.fault
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.pass(r)
	switch p.match(r) {
	case fault500:
		status(w, http.StatusInternalServerError, metav1.StatusReasonInternalError)
	case fault429:
		w.Header().Set("Retry-After", "1")
		status(w, http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests)
	case fault409:
		status(w, http.StatusConflict, metav1.StatusReasonConflict)
	case fault403:
		status(w, http.StatusForbidden, metav1.StatusReasonForbidden)
	case faultReset:
		p.upstream.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case faultLate:
		answer := httptest.NewRecorder()
		p.upstream.ServeHTTP(answer, r)
		time.Sleep(30 * time.Second)
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	case faultUnreachable:
		panic(http.ErrAbortHandler)
	default:
		p.upstream.ServeHTTP(w, r)
	}
}

func status(w http.ResponseWriter, code int, reason metav1.StatusReason) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: fmt.Sprintf("made by the chaos: %d", code)})
}
