package kubetest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/landbridge/landbridge/internal/kinds"
)

// Version of Kubernetes that a Server claims to be.
const Version = "v1.34.0"

// ServerName names a server for which a Server's certificate is good.
const ServerName = "example.com"

// Log holds what a Server returns as every pod's log.
const Log = "a line of the log\n"

// Server answers requests to a Cluster over HTTPS, for code that makes its own
// clients: kube.Access, and Helm. What Cluster.React handles holds here, too.
type Server struct {
	*httptest.Server
	// Authorize decides on each request; all are allowed without it. Set it before the
	// first request.
	Authorize func(Request) bool
	// Remembers is how long the server accepts a token whose Secret is gone, where it
	// accepted it before: an API server does so for 10 s.
	Remembers time.Duration

	// LongestToken limits how long a token lives that somebody asks for, as some clouds do.
	LongestToken time.Duration

	cluster  *Cluster
	mu       sync.Mutex
	requests []Request
	accepted map[string]time.Time
	bound    map[string]bound
}

// Request describes a request as the API server asks its authorizer about it.
type Request struct {
	// Verb is Kubernetes' word: get, list, watch, create, update, patch or delete.
	Verb, Group string
	// Resource has the subresource after a slash, as in a role.
	Resource string
	// Namespace is empty for the whole cluster.
	Namespace string
}

// Requests returns the requests so far that were allowed.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Server) allowed(r Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Authorize != nil && !s.Authorize(r) {
		return false
	}
	s.requests = append(s.requests, r)
	return true
}

// Listen serves the cluster on loopback until the test ends.
func Listen(t testing.TB, c *Cluster) *Server {
	s := &Server{cluster: c, accepted: map[string]time.Time{}, bound: map[string]bound{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/", s.resource)
	mux.HandleFunc("/apis/{group}/{version}/{rest...}", s.resource)
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { write(w, map[string]string{"gitVersion": Version}) })
	discovery(mux)
	s.Server = httptest.NewUnstartedServer(s.authenticated(mux))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // a client that hangs up is no news
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// authenticated refuses a token that is neither the kubeconfig's nor that of a token
// Secret.
func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if given && token != ownToken && !s.accepts(token) {
			fail(w, apierrors.NewUnauthorized("Unauthorized"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) accepts(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.cluster.Objects() {
		kind, _, _ := unstructured.NestedString(o.Object, "type")
		have, _, _ := unstructured.NestedString(o.Object, "data", corev1.ServiceAccountTokenKey)
		if kind == string(corev1.SecretTypeServiceAccountToken) && have == base64.StdEncoding.EncodeToString([]byte(token)) {
			s.accepted[token] = time.Now()
			return true
		}
	}
	if s.stands(token) {
		s.accepted[token] = time.Now()
		return true
	}
	since, before := s.accepted[token]
	return before && time.Since(since) < s.Remembers
}

// ownToken is the token of Kubeconfig.
const ownToken = "kubetest"

// CA returns the certificate that the server's own verifies against, in PEM.
func (s *Server) CA() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// Kubeconfig returns a kubeconfig for the server.
func (s *Server) Kubeconfig() []byte {
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters["c"] = &clientcmdapi.Cluster{Server: s.URL, CertificateAuthorityData: s.CA()}
	cfg.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: ownToken}
	cfg.Contexts["x"], cfg.CurrentContext = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u"}, "x"
	data, err := clientcmd.Write(*cfg)
	if err != nil {
		panic(err)
	}
	return data
}

func (s *Server) resource(w http.ResponseWriter, r *http.Request) {
	t := parsePath(r.URL.Path)
	var client dynamic.ResourceInterface = s.cluster.Dynamic.Resource(t.gvr)
	if t.namespace != "" {
		client = s.cluster.Dynamic.Resource(t.gvr).Namespace(t.namespace)
	}
	watches := r.URL.Query().Has("watch")
	for _, verb := range s.verbs(t, r.Method, watches) {
		if !s.allowed(Request{verb, t.gvr.Group, path.Join(t.gvr.Resource, t.sub), t.namespace}) {
			words := fmt.Sprintf(`User "kubetest" cannot %s resource %q in API group %q in the namespace %q`, verb, t.gvr.Resource, t.gvr.Group, t.namespace) // the API server's own
			fail(w, apierrors.NewForbidden(t.gvr.GroupResource(), t.name, errors.New(words)))
			return
		}
	}
	if watches {
		s.watch(w, r, client)
		return
	}
	if t.sub == "log" {
		_, _ = io.WriteString(w, Log)
		return
	}
	ask := answer
	if t.gvr.Resource == kinds.ServiceAccounts.Resource && t.sub == "token" {
		ask = s.token
	}
	out, err := ask(client, t, r)
	if err != nil {
		fail(w, err)
		return
	}
	write(w, out)
}

func answer(client dynamic.ResourceInterface, t target, r *http.Request) (any, error) {
	ctx, q := r.Context(), r.URL.Query()
	if q.Has("dryRun") && r.Method != http.MethodPatch || t.sub != "" {
		return nil, fmt.Errorf("kubetest cannot answer %s %s", r.Method, r.URL)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	switch {
	case r.Method == http.MethodGet && t.name != "":
		return client.Get(ctx, t.name, metav1.GetOptions{})
	case r.Method == http.MethodGet:
		return client.List(ctx, metav1.ListOptions{LabelSelector: q.Get("labelSelector"), FieldSelector: q.Get("fieldSelector")})
	case r.Method == http.MethodPatch:
		force := q.Get("force") == "true"
		return client.Patch(ctx, t.name, types.PatchType(r.Header.Get("Content-Type")), body, metav1.PatchOptions{FieldManager: q.Get("fieldManager"), Force: &force, DryRun: q["dryRun"]})
	case r.Method == http.MethodDelete:
		var o metav1.DeleteOptions
		if err := decode(body, &o); err != nil {
			return nil, err
		}
		err := client.Delete(ctx, t.name, o)
		if kept, failed := client.Get(ctx, t.name, metav1.GetOptions{}); failed == nil && err == nil {
			return kept, nil
		}
		return metav1.Status{TypeMeta: statusMeta, Status: metav1.StatusSuccess}, err
	}
	obj := &unstructured.Unstructured{}
	if err := decode(body, obj); err != nil {
		return nil, err
	}
	if r.Method == http.MethodPut {
		return client.Update(ctx, obj, metav1.UpdateOptions{FieldManager: q.Get("fieldManager")})
	}
	return client.Create(ctx, obj, metav1.CreateOptions{FieldManager: q.Get("fieldManager")})
}

// decode reads JSON, or what client-go's typed clients prefer: protobuf.
func decode(body []byte, into any) error {
	if len(body) == 0 {
		return nil
	}
	if body[0] != '{' {
		obj, gvk, err := clientscheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
		if err != nil {
			return err
		}
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
		if err != nil {
			return err
		}
		fields["apiVersion"], fields["kind"] = gvk.GroupVersion().String(), gvk.Kind
		if body, err = json.Marshal(fields); err != nil {
			return err
		}
	}
	return json.Unmarshal(body, into)
}

var statusMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}

func write(w http.ResponseWriter, out any) {
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	_ = json.NewEncoder(w).Encode(out)
}

func fail(w http.ResponseWriter, err error) {
	status := apierrors.NewInternalError(err).Status()
	if known, ok := err.(apierrors.APIStatus); ok {
		status = known.Status()
	}
	status.TypeMeta = statusMeta
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status)
}
