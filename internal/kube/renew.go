package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
)

// pluginLimit bounds one call of an exec plugin, which runs without its request's context.
// It is shorter than requestTimeout, so that the message can name the plugin.
const pluginLimit = 20 * time.Second

// maxRefusal in bytes limits what is read of a refusal that is tried again.
const maxRefusal = 64 << 10

// PluginError reports an exec plugin of a kubeconfig that gave no credential.
type PluginError struct {
	// Command names the plugin, without its arguments: they may hold secrets.
	Command, Reason string
	// Final says that it will be so at another try.
	Final bool
}

func (e *PluginError) Error() string {
	return fmt.Sprintf("the kubeconfig's exec plugin %s %s", e.Command, e.Reason)
}

// CredentialFails returns whether a request failed for the kubeconfig's credential: the API
// server does not accept it, or its exec plugin gives none. The error says what to do.
func CredentialFails(err error) bool {
	var plugin *PluginError
	return apierrors.IsUnauthorized(err) || errors.As(err, &plugin)
}

// renewing tries a request that is answered with 401 again, once, with the credentials
// that the kubeconfig gives then: a token was rotated, or a plugin's cache was old. client-go
// asks a plugin and a token file again after a 401, but hands that 401 on.
type renewing struct {
	transport http.RoundTripper
	// reload returns the transport that the kubeconfig gives now.
	reload func(context.Context) (http.RoundTripper, error)
	// plugin names the kubeconfig's exec plugin, where it has one, and limit bounds it.
	plugin string
	limit  time.Duration
	read   readOnce
}

// RoundTrip implements http.RoundTripper.
func (r *renewing) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.read.roundTrip(req, r.twice)
	if err == nil {
		hearGone(req, res)
	}
	return res, err
}

// twice sends a request, and once more with fresh credentials after a 401.
func (r *renewing) twice(req *http.Request) (*http.Response, error) {
	res, err := r.once(r.transport, req)
	if err != nil || res.StatusCode != http.StatusUnauthorized || req.Body != nil && req.GetBody == nil {
		return res, err
	}
	fresh, err := r.reload(req.Context())
	if err != nil {
		return r.named(res), nil //nolint:nilerr // the 401 tells more than a kubeconfig that is being written
	}
	_, _ = io.CopyN(io.Discard, res.Body, maxRefusal)
	res.Body.Close()
	if res, err = r.once(fresh, req); err != nil || res.StatusCode != http.StatusUnauthorized {
		return res, err
	}
	return r.named(res), nil
}

// CancelRequest does nothing: the request's context ends it. client-go asks for it, and
// writes a warning into the worker's log where it is missing.
func (r *renewing) CancelRequest(*http.Request) {}

// named makes a 401 say whose credential the API server does not accept.
func (r *renewing) named(res *http.Response) *http.Response {
	whose := "the kubeconfig's credential"
	if r.plugin != "" {
		whose = "the credential that the kubeconfig's exec plugin " + r.plugin + " gives"
	}
	data, err := json.Marshal(metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
		Reason: metav1.StatusReasonUnauthorized, Code: http.StatusUnauthorized,
		Message: "Unauthorized (401): the API server does not accept " + whose + "; renew it, or log in again"})
	if err != nil {
		return res
	}
	res.Body.Close()
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	res.Header.Set("Content-Type", runtime.ContentTypeJSON)
	res.Header.Del("Content-Length")
	return res
}

type networkKey struct{}

// inNetwork tells whether a request has left for the network; until then, and again
// when a 401 has come back, an exec plugin has it.
func inNetwork(rt http.RoundTripper) http.RoundTripper {
	return RoundTripper(func(req *http.Request) (*http.Response, error) {
		if left, ok := req.Context().Value(networkKey{}).(*atomic.Bool); ok {
			left.Store(true)
			defer left.Store(false)
		}
		return rt.RoundTrip(req)
	})
}

// RoundTripper makes an http.RoundTripper of a function.
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f RoundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// once sends a copy of the request, since a plugin writes into it. It waits for no plugin
// longer than its limit or the request's context.
func (r *renewing) once(transport http.RoundTripper, req *http.Request) (*http.Response, error) {
	left := &atomic.Bool{}
	out := utilnet.CloneRequest(req).WithContext(context.WithValue(req.Context(), networkKey{}, left))
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	if r.plugin == "" {
		return transport.RoundTrip(out)
	}
	type answer struct {
		res *http.Response
		err error
	}
	done := make(chan answer, 1)
	go func() {
		res, err := transport.RoundTrip(out)
		done <- answer{res, err}
	}()
	late := time.After(r.limit)
	ended := req.Context().Done()
	for {
		select {
		case a := <-done:
			return a.res, r.explain(a.err)
		case <-late:
			late = nil
		case <-ended:
			ended = nil
		}
		if left.Load() {
			if ended == nil { // the network notices that, too
				a := <-done
				return a.res, r.explain(a.err)
			}
			continue
		}
		go func() { // what comes later is of no use
			if a := <-done; a.err == nil {
				a.res.Body.Close()
			}
		}()
		return nil, &PluginError{Command: r.plugin, Reason: "has given no credential in time"}
	}
}

// explain makes a *PluginError of what client-go says of a plugin: it has no error of its
// own for that.
func (r *renewing) explain(err error) error {
	if err == nil {
		return nil
	}
	_, said, is := strings.Cut(err.Error(), "getting credentials: ")
	if !is {
		return err
	}
	said, _, _ = strings.Cut(said, "\n") // what comes next tells how to install it
	out := &PluginError{Command: r.plugin, Reason: "gives no credential: " + strings.TrimPrefix(said, "exec: "), Final: true}
	if strings.Contains(said, "decoding stdout") || strings.Contains(said, "plugin returned version") {
		out.Reason = "printed no ExecCredential (" + said + ")"
	}
	if strings.Contains(said, "exit code") || strings.Contains(said, "signal:") {
		out.Final = false // it ran, and may get what it needs the next time
	}
	return out
}

// renewed returns a configuration for clients that goes through renewing. It has nothing
// of TLS or credentials: the transport has.
func renewed(cfg *rest.Config, reload func(context.Context) (*rest.Config, error)) (*rest.Config, error) {
	transport, err := transportOf(cfg)
	if err != nil {
		return nil, err
	}
	r := &renewing{transport: transport, limit: pluginLimit, reload: func(ctx context.Context) (http.RoundTripper, error) {
		fresh, err := reload(ctx)
		if err != nil {
			return nil, err
		}
		return transportOf(fresh)
	}}
	if cfg.ExecProvider != nil {
		r.plugin = filepath.Base(cfg.ExecProvider.Command)
	}
	return &rest.Config{Host: cfg.Host, APIPath: cfg.APIPath, UserAgent: cfg.UserAgent, QPS: cfg.QPS, Burst: cfg.Burst,
		Timeout: cfg.Timeout, WarningHandler: cfg.WarningHandler, Transport: r,
		// Typed and untyped clients ask for the same, so that one knows what the other has read.
		ContentConfig: rest.ContentConfig{ContentType: runtime.ContentTypeJSON, AcceptContentTypes: runtime.ContentTypeJSON}}, nil
}

func transportOf(cfg *rest.Config) (http.RoundTripper, error) {
	if cfg == nil {
		return nil, errors.New("there is no kubeconfig")
	}
	cfg = rest.CopyConfig(cfg)
	if cfg.ExecProvider != nil {
		cfg.Wrap(inNetwork)
	}
	return rest.TransportFor(cfg)
}
