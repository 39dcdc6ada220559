package activities

import (
	"context"
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
)

// certManagerIssuer returns the issuer of a fleet of which west has cert-manager.
func certManagerIssuer() fleet.Issuer {
	return fleet.Issuer{CertManager: fleet.CertManager{Cluster: "west", Name: "fleet-ca", Kind: fleet.KindClusterIssuer, Group: fleet.CertManagerGroup, Namespace: "cert-manager"},
		Root: string(fleetRoot.CertPEM)}
}

// put puts an object of cert-manager's with a status. The real cert-manager answers in
// test/integration.
func (w *world) put(res kinds.Resource, namespace, name string, spec, status map[string]any) {
	obj := &unstructured.Unstructured{Object: map[string]any{"spec": spec, "status": status}}
	obj.SetGroupVersionKind(res.GroupVersion().WithKind(res.Kind))
	obj.SetNamespace(namespace)
	obj.SetName(name)
	w.Put(obj)
}

func conditions(typ, status, reason, message string) map[string]any {
	return map[string]any{"conditions": []any{map[string]any{"type": typ, "status": status, "reason": reason, "message": message}}}
}

// answering has the cluster answer each CertificateRequest as told.
func (w *world) answering(answer func(csr []byte) map[string]any) {
	w.React("create", kinds.CertificateRequests.Resource, func(action clienttesting.Action) (bool, runtime.Object, error) {
		obj := action.(clienttesting.CreateAction).GetObject().(*unstructured.Unstructured).DeepCopy()
		text, _, _ := unstructured.NestedString(obj.Object, "spec", "request")
		csr, err := base64.StdEncoding.DecodeString(text)
		require.NoError(w.t, err)
		obj.Object["status"] = answer(csr)
		w.Put(obj)
		return true, obj, nil
	})
}

func TestCertManager_Signs_AndTheRequestIsRemoved(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.put(kinds.ClusterIssuers, "", "fleet-ca", nil, conditions("Ready", "True", "", ""))
	in, wanted := w.root(), w.intermediateKey()
	in.Issuer, wanted.Spec.Issuer = certManagerIssuer(), true
	root, err := w.acts.EnsureRoot(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "by cert-manager's ClusterIssuer fleet-ca in cluster west", root.Kept)

	key, err := w.acts.EnsureIntermediateKey(t.Context(), wanted)
	require.NoError(t, err)
	w.answering(func(csr []byte) map[string]any {
		cert, err := fleetRoot.Sign(csr, certSpec(intermediateSpec()))
		require.NoError(t, err)
		status := conditions("Ready", "True", "Issued", "")
		status["certificate"] = base64.StdEncoding.EncodeToString(slices.Concat(cert, fleetRoot.CertPEM))
		return status
	})
	signed, err := w.acts.SignIntermediate(t.Context(), api.SignIntermediateInput{RootRef: in.RootRef, Member: w.ref, CSR: key.CSR, Spec: wanted.Spec, RootPEM: wanted.RootPEM})
	require.NoError(t, err)
	_, err = w.acts.EnsureCACerts(t.Context(), api.EnsureCACertsInput{ClusterRef: w.ref, RootPEM: wanted.RootPEM, CertPEM: signed.CertPEM})
	require.NoError(t, err)
	_, set, err := readCACerts(t.Context(), w.Cluster.Cluster, "istio-system")
	require.NoError(t, err)
	require.NoError(t, set.Check(fleetRoot.CertPEM))
	require.Len(t, certs.Fingerprints(set.CertChain), 2, "the root stands once in the chain")
	for _, obj := range w.Objects() {
		require.NotEqual(t, kinds.CertificateRequests.Kind, obj.GetKind())
	}
}

func TestCertManager_RefusesOrSignsWrongly_EndsWithItsTypeAndLeavesNoRequest(t *testing.T) {
	leaf := issued(t, fleetRoot, time.Hour).CACert
	certificate := func(cert []byte) map[string]any {
		status := conditions("Ready", "True", "Issued", "")
		status["certificate"] = base64.StdEncoding.EncodeToString(cert)
		return status
	}
	for want, answer := range map[string]func(csr []byte) map[string]any{
		"(Denied): not for you":                         func([]byte) map[string]any { return conditions("Denied", "True", "policy", "not for you") },
		"(InvalidRequest): no":                          func([]byte) map[string]any { return conditions("InvalidRequest", "True", "x", "no") },
		"failed: Vault says 403":                        func([]byte) map[string]any { return conditions("Ready", "False", "Failed", "Vault says 403") },
		"the issuer signed another key than that of":    func([]byte) map[string]any { return certificate(leaf) },
		"the issuer's answer for west is not a certifi": func([]byte) map[string]any { return certificate([]byte("x")) },
		"was not issued by the root": func(csr []byte) map[string]any {
			cert, err := otherRoot(t).Sign(csr, certSpec(intermediateSpec()))
			require.NoError(t, err)
			return certificate(cert)
		},
	} {
		w := newWorld(t, "west").withInventory()
		w.answering(answer)
		_, err := w.signedByCertManager(t.Context())
		require.ErrorContains(t, err, want)
		require.Equal(t, api.TypeIssuer, typeOf(err))
		for _, obj := range w.Objects() {
			require.NotEqual(t, kinds.CertificateRequests.Kind, obj.GetKind(), want)
		}
	}
}

func (w *world) signedByCertManager(ctx context.Context) (api.SignIntermediateResult, error) {
	w.t.Helper()
	wanted := w.intermediateKey()
	wanted.Spec.Issuer = true
	key, err := w.acts.EnsureIntermediateKey(w.t.Context(), wanted)
	require.NoError(w.t, err)
	return w.acts.SignIntermediate(ctx, api.SignIntermediateInput{RootRef: api.RootRef{ClusterRef: w.ref, Issuer: certManagerIssuer()}, Member: w.ref, CSR: key.CSR, Spec: wanted.Spec, RootPEM: wanted.RootPEM})
}

// Whoever approves requests may take an hour.
func TestCertManager_HasNotAnsweredYet_IsAskedAgainByTheSameRequest(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	w.answering(func([]byte) map[string]any { return conditions("Ready", "False", "Pending", "waiting for approval") })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := w.signedByCertManager(ctx)
	require.Equal(t, api.TypeNotReady, typeOf(err))
	require.ErrorContains(t, err, "yet: waiting for approval")
	requests := 0
	for _, obj := range w.Objects() {
		if obj.GetKind() == kinds.CertificateRequests.Kind {
			requests++
			require.Equal(t, "prod", obj.GetLabels()[fleet.LabelFleet])
		}
	}
	require.Equal(t, 1, requests)
}

func TestCertManager_IssuerThatCannotSign_StopsBeforeAnythingChanges(t *testing.T) {
	w := newWorld(t, "west")
	in := w.root()
	in.Issuer = certManagerIssuer()
	_, err := w.acts.EnsureRoot(t.Context(), in)
	require.Equal(t, api.TypeIssuer, typeOf(err))
	require.ErrorContains(t, err, "cluster west has no ClusterIssuer fleet-ca; name one that is there")

	in.Issuer.CertManager.Kind = fleet.KindIssuer
	w.put(kinds.Issuers, "cert-manager", "fleet-ca", nil, conditions("Ready", "False", "", "its Secret is missing"))
	_, err = w.acts.EnsureRoot(t.Context(), in)
	require.Equal(t, api.TypeNotReady, typeOf(err))
	require.ErrorContains(t, err, "the Issuer fleet-ca of cluster west is not ready: its Secret is missing")
	require.Empty(t, w.Writes())
}
