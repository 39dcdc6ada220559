package kubetest

import (
	"fmt"
	"io"
	"net/http"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/landbridge/landbridge/internal/kinds"
)

// leastSeconds is the shortest life of a token that Kubernetes gives.
const leastSeconds = 600

// bound holds a token that was asked for, and the Secret with which it ends.
type bound struct {
	namespace, secret, uid string
	ends                   time.Time
}

// token answers a request for a token of a service account, as Kubernetes does: the object that
// it is bound to must exist.
func (s *Server) token(_ dynamic.ResourceInterface, t target, r *http.Request) (any, error) {
	var ask authv1.TokenRequest
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = decode(body, &ask)
	}
	if err != nil {
		return nil, err
	}
	if _, err := s.cluster.store.Get(kinds.ServiceAccounts.GroupVersionResource, t.namespace, t.name); err != nil {
		return nil, err
	}
	if ask.Spec.ExpirationSeconds == nil || *ask.Spec.ExpirationSeconds < leastSeconds || ask.Spec.BoundObjectRef == nil {
		return nil, apierrors.NewInvalid(schema.GroupKind{Group: authv1.GroupName, Kind: "TokenRequest"}, t.name, nil)
	}
	ref := ask.Spec.BoundObjectRef
	live, err := s.cluster.store.Get(kinds.Secrets.GroupVersionResource, t.namespace, ref.Name)
	if err != nil {
		return nil, err
	}
	if meta, ok := live.(metav1.Object); !ok || meta.GetUID() != ref.UID {
		return nil, apierrors.NewConflict(kinds.Secrets.GroupResource(), ref.Name, fmt.Errorf("the UID in the bound object reference (%s) is another one than %s", ref.UID, ref.Name))
	}
	life := time.Duration(*ask.Spec.ExpirationSeconds) * time.Second
	if s.LongestToken > 0 {
		life = min(life, s.LongestToken)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ask.Status = authv1.TokenRequestStatus{Token: fmt.Sprintf("token %d of %s", len(s.bound)+1, t.name), ExpirationTimestamp: metav1.NewTime(time.Now().Add(life))}
	s.bound[ask.Status.Token] = bound{t.namespace, ref.Name, string(ref.UID), ask.Status.ExpirationTimestamp.Time}
	ask.TypeMeta = metav1.TypeMeta{APIVersion: authv1.SchemeGroupVersion.String(), Kind: "TokenRequest"}
	return &ask, nil
}

// stands says whether a token that was asked for is still good.
func (s *Server) stands(token string) bool {
	b, known := s.bound[token]
	if !known || time.Now().After(b.ends) {
		return false
	}
	live, err := s.cluster.store.Get(kinds.Secrets.GroupVersionResource, b.namespace, b.secret)
	meta, ok := live.(metav1.Object)
	return err == nil && ok && string(meta.GetUID()) == b.uid
}
