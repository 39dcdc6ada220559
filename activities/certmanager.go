package activities

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
)

// componentRequest labels the CertificateRequests, which live until they are answered.
const componentRequest = "certificate-request"

// certManager asks the cert-manager in one cluster, by CertificateRequests.
type certManager struct {
	w      *kube.Writer
	issuer fleet.Issuer
}

// root returns the root of the fleet file, once the issuer is there and ready. Only
// external issuers may be of a kind that tells nothing of that.
func (m certManager) root(ctx context.Context) ([]byte, error) {
	of := m.issuer.CertManager
	if of.Group != fleet.CertManagerGroup {
		return []byte(m.issuer.Root), nil
	}
	res, namespace := kinds.ClusterIssuers, ""
	if of.Kind == fleet.KindIssuer {
		res, namespace = kinds.Issuers, of.Namespace
	}
	obj, err := m.w.Get(ctx, res, namespace, of.Name)
	if apierrors.IsNotFound(err) && !isUnknownResource(err) {
		return nil, &certs.IssuerError{Reason: fmt.Sprintf("cluster %s has no %s %s; name one that is there (spec.ca.issuer.certManager), or make it", of.Cluster, of.Kind, of.Name)}
	}
	if err != nil {
		return nil, err
	}
	status, err := statusOf(obj)
	if err != nil {
		return nil, err
	}
	if ready := status.condition("Ready"); ready.Status != metav1.ConditionTrue {
		return nil, &certs.IssuerError{Reason: fmt.Sprintf("the %s %s of cluster %s is not ready: %s", of.Kind, of.Name, of.Cluster, ready.Message), Later: true}
	}
	return []byte(m.issuer.Root), nil
}

// sign makes a CertificateRequest, waits for the answer and removes it. While cert-manager
// has not answered it stays, and the next try finds it by the CSR.
func (m certManager) sign(ctx context.Context, csr, root []byte, spec certs.IntermediateSpec) ([]byte, error) {
	sum := sha256.Sum256(csr)
	name := "landbridge-" + spec.Cluster + "-" + hex.EncodeToString(sum[:5])
	if _, err := m.w.Create(ctx, m.request(name, csr, spec)); err != nil {
		return nil, err
	}
	answer, err := m.wait(ctx, name)
	if err != nil && !is[*certs.IssuerError](err) {
		return nil, err
	}
	if removed := m.remove(ctx, name); err == nil {
		err = removed
	}
	if err != nil {
		return nil, err
	}
	bundle := certs.WithoutRoot(answer, root)
	return bundle, certs.CheckIssued(bundle, csr, root, spec)
}

// request returns the CertificateRequest for a CSR.
func (m certManager) request(name string, csr []byte, spec certs.IntermediateSpec) *unstructured.Unstructured {
	of := m.issuer.CertManager
	obj := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"request": base64.StdEncoding.EncodeToString(csr), "isCA": true, "duration": spec.Lifetime.String(),
		"usages":    []any{"digital signature", "content commitment", "key encipherment", "cert sign"},
		"issuerRef": map[string]any{"name": of.Name, "kind": of.Kind, "group": of.Group}}}}
	obj.SetGroupVersionKind(kinds.CertificateRequests.GroupVersion().WithKind(kinds.CertificateRequests.Kind))
	obj.SetNamespace(of.Namespace)
	obj.SetName(name)
	return obj
}

// wait returns what cert-manager answers to a CertificateRequest.
func (m certManager) wait(ctx context.Context, name string) (answer []byte, err error) {
	at := m.issuer.CertManager.Namespace + "/" + name
	err = m.w.Wait(ctx, func(ctx context.Context) (string, bool, error) {
		obj, err := m.w.Get(ctx, kinds.CertificateRequests, m.issuer.CertManager.Namespace, name)
		if err != nil {
			return "", false, err
		}
		status, err := statusOf(obj)
		if err != nil {
			return "", false, err
		}
		for _, refused := range []string{"Denied", "InvalidRequest"} {
			if c := status.condition(refused); c.Status == metav1.ConditionTrue {
				return "", false, &certs.IssuerError{Reason: fmt.Sprintf("cert-manager refuses the CertificateRequest %s (%s): %s", at, refused, c.Message)}
			}
		}
		ready := status.condition("Ready")
		if ready.Reason == "Failed" || ready.Reason == "Denied" {
			return "", false, &certs.IssuerError{Reason: fmt.Sprintf("the CertificateRequest %s failed: %s", at, ready.Message)}
		}
		answer = status.Certificate
		return fmt.Sprintf("cert-manager has not signed the CertificateRequest %s yet: %s", at, ready.Message), ready.Status == metav1.ConditionTrue && len(answer) > 0, nil
	}, kube.Watched{Resource: kinds.CertificateRequests, Namespace: m.issuer.CertManager.Namespace, Name: name})
	return answer, err
}

// remove removes a CertificateRequest that was answered, even of an activity that is being
// canceled.
func (m certManager) remove(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	obj, err := m.w.Get(ctx, kinds.CertificateRequests, m.issuer.CertManager.Namespace, name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return m.w.Delete(ctx, kinds.CertificateRequests, obj)
}

// requestStatus holds what cert-manager says of an issuer or a request.
type requestStatus struct {
	Certificate []byte             `json:"certificate"`
	Conditions  []metav1.Condition `json:"conditions"`
}

func statusOf(obj *unstructured.Unstructured) (requestStatus, error) {
	var out struct {
		Status requestStatus `json:"status"`
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &out)
	return out.Status, wrap(err, "read the status of %s %s", obj.GetKind(), obj.GetName())
}

// condition returns the condition of a type; one that is not there is empty.
func (s requestStatus) condition(typ string) metav1.Condition {
	for _, c := range s.Conditions {
		if c.Type == typ {
			return c
		}
	}
	return metav1.Condition{}
}
