package activities

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cloudflare/cfssl/api/info"
	"github.com/cloudflare/cfssl/api/signhandler"
	"github.com/cloudflare/cfssl/config"
	"github.com/cloudflare/cfssl/helpers"
	"github.com/cloudflare/cfssl/signer"
	"github.com/cloudflare/cfssl/signer/local"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const cfsslKey = "0123456789abcdef0123456789abcdef"

// serveCFSSL serves what `cfssl serve` does, with the library's own handlers, and signs
// with the fleet's root. The program itself runs in the tests of certs.
func serveCFSSL(t *testing.T, profile string) (fleet.Issuer, certs.CFSSLKeys) {
	t.Helper()
	conf, err := config.LoadConfig([]byte(`{"signing": {"default": ` + profile + `}, "auth_keys": {"k": {"type": "standard", "key": "` + cfsslKey + `"}}}`))
	require.NoError(t, err)
	key, err := helpers.ParsePrivateKeyPEM(fleetRoot.KeyPEM)
	require.NoError(t, err)
	s, err := local.NewSigner(key, fleetRoot.Certificate(), signer.DefaultSigAlgo(key), conf.Signing)
	require.NoError(t, err)
	sign, err := signhandler.NewAuthHandlerFromSigner(s)
	require.NoError(t, err)
	tell, err := info.NewHandler(s)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/api/v1/cfssl/authsign", sign)
	mux.Handle("/api/v1/cfssl/info", tell)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	keys, err := certs.ParseCFSSLKeys([]byte(server.URL + " " + cfsslKey))
	require.NoError(t, err)
	return fleet.Issuer{CFSSL: fleet.CFSSL{URL: server.URL}, Root: string(fleetRoot.CertPEM)}, keys
}

const (
	signsCAs    = `{"auth_key": "k", "usages": ["cert sign", "crl sign"], "expiry": "2160h", "ca_constraint": {"is_ca": true}}`
	signsLeaves = `{"auth_key": "k", "usages": ["digital signature"], "expiry": "720h"}`
)

// issuedBy returns the inputs for a fleet with that issuer.
func (w *world) issuedBy(issuer fleet.Issuer) (api.EnsureRootInput, api.EnsureIntermediateKeyInput) {
	root, key := w.root(), w.intermediateKey()
	root.Issuer, root.ClusterRef.Cluster, key.Spec.Issuer = issuer, "", true
	return root, key
}

func TestIssuer_SignsForACluster_AndTheNextRolloutLeavesItAlone(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	issuer, keys := serveCFSSL(t, signsCAs)
	w.acts.CFSSLKeys = keys
	for _, pinned := range []string{issuer.Root, ""} { // with http a fleet file must have it
		issuer.Root = pinned
		in, _ := w.issuedBy(issuer)
		root, err := w.acts.EnsureRoot(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, []string{"keep Root /prod"}, actions(root.All()))
		require.Equal(t, "by the cfssl server "+issuer.CFSSL.URL, root.Kept)
		require.Equal(t, certs.Fingerprint(fleetRoot.Certificate()), root.Facts.Fingerprint)
		require.Empty(t, root.Unlike, "nobody asked for a root of its own")
	}
	in, wanted := w.issuedBy(issuer)
	key, err := w.acts.EnsureIntermediateKey(t.Context(), wanted)
	require.NoError(t, err)
	signed, err := w.acts.SignIntermediate(t.Context(), api.SignIntermediateInput{RootRef: in.RootRef, Member: w.ref, CSR: key.CSR, Spec: wanted.Spec, RootPEM: wanted.RootPEM})
	require.NoError(t, err)
	put := api.EnsureCACertsInput{ClusterRef: w.ref, RootPEM: wanted.RootPEM, CertPEM: signed.CertPEM}
	for range 2 { // and a try after it
		_, err = w.acts.EnsureCACerts(t.Context(), put)
		require.NoError(t, err)
	}
	again, err := w.acts.EnsureIntermediateKey(t.Context(), wanted)
	require.NoError(t, err)
	require.True(t, again.Current)
	require.Equal(t, signed.Facts, again.Facts)

	seen, err := w.acts.CheckRoot(t.Context(), api.CheckRootInput{RootRef: in.RootRef})
	require.NoError(t, err)
	require.Equal(t, certs.Fingerprint(fleetRoot.Certificate()), seen.Facts.Fingerprint)
}

// An issuer's certificate keeps to its own rules, which are not those of the fleet's root.
func TestIssuer_IsTakenOutOfTheFleetFile_TheIntermediateIsIssuedAnew(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	issuer, keys := serveCFSSL(t, signsCAs)
	w.acts.CFSSLKeys = keys
	in, wanted := w.issuedBy(issuer)
	key, err := w.acts.EnsureIntermediateKey(t.Context(), wanted)
	require.NoError(t, err)
	signed, err := w.acts.SignIntermediate(t.Context(), api.SignIntermediateInput{RootRef: in.RootRef, Member: w.ref, CSR: key.CSR, Spec: wanted.Spec, RootPEM: wanted.RootPEM})
	require.NoError(t, err)
	_, err = w.acts.EnsureCACerts(t.Context(), api.EnsureCACertsInput{ClusterRef: w.ref, RootPEM: wanted.RootPEM, CertPEM: signed.CertPEM})
	require.NoError(t, err)
	wanted.Spec.Issuer = false
	own, err := w.acts.EnsureIntermediateKey(t.Context(), wanted)
	require.NoError(t, err)
	require.False(t, own.Current)
}

func TestIssuer_RefusesOrSignsWrongly_EndsWithItsType(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	issuer, keys := serveCFSSL(t, signsCAs)
	leaves, leafKeys := serveCFSSL(t, signsLeaves)
	wrong, err := certs.ParseCFSSLKeys([]byte(issuer.CFSSL.URL + " " + "ffffffffffffffffffffffffffffffff"))
	require.NoError(t, err)
	away := fleet.Issuer{CFSSL: fleet.CFSSL{URL: "http://127.0.0.1:1"}, Root: issuer.Root}
	awayKeys, err := certs.ParseCFSSLKeys([]byte(away.CFSSL.URL + " " + cfsslKey))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		issuer    fleet.Issuer
		keys      certs.CFSSLKeys
		typ, want string
	}{
		"no key here":         {issuer, nil, api.TypeIssuer, "this worker has no key for the cfssl server " + issuer.CFSSL.URL + "; add it to the file of --cfssl-auth-key-file"},
		"the key of another":  {issuer, leafKeys, api.TypeIssuer, "this worker has no key"},
		"a key it refuses":    {issuer, wrong, api.TypeIssuer, "invalid token"},
		"no CA":               {leaves, leafKeys, api.TypeIssuer, "is not a CA"},
		"nobody there":        {away, awayKeys, api.TypeUnreachable, "connection refused"},
		"another root wanted": {issuer, keys, api.TypeIssuer, "was not issued by the root"},
	} {
		t.Run(name, func(t *testing.T) {
			w.acts.CFSSLKeys = c.keys
			in, wanted := w.issuedBy(c.issuer)
			key, err := w.acts.EnsureIntermediateKey(t.Context(), wanted)
			require.NoError(t, err)
			if name == "another root wanted" {
				wanted.RootPEM = string(otherRoot(t).CertPEM)
			}
			_, err = w.acts.SignIntermediate(t.Context(), api.SignIntermediateInput{RootRef: in.RootRef, Member: w.ref, CSR: key.CSR, Spec: wanted.Spec, RootPEM: wanted.RootPEM})
			require.ErrorContains(t, err, c.want)
			require.Equal(t, c.typ, typeOf(err))
			require.NotContains(t, err.Error(), cfsslKey)
		})
	}
}

func TestIssuer_RootThatCannotServe_StopsBeforeAnythingChanges(t *testing.T) {
	w := newWorld(t, "west")
	issuer, keys := serveCFSSL(t, signsCAs)
	w.acts.CFSSLKeys = keys
	in, _ := w.issuedBy(issuer)
	in.Known = []api.MemberRoot{{Cluster: "east", KnownRoot: fleet.KnownRoot{Fingerprint: "sha256:1"}}}
	_, err := w.acts.EnsureRoot(t.Context(), in)
	require.Equal(t, api.TypeRoot, typeOf(err))
	require.ErrorContains(t, err, "the fleet has the root sha256:1 (cluster east), and what is signed by the cfssl server "+issuer.CFSSL.URL+" ends at sha256:")

	in.Known, in.Issuer.Root = nil, string(issued(t, fleetRoot, time.Hour).CACert)
	_, err = w.acts.EnsureRoot(t.Context(), in)
	require.Equal(t, api.TypeIssuer, typeOf(err))
	require.ErrorContains(t, err, "is no root: CN=Root CA,O=my-company.org issued it")
	seen, err := w.acts.CheckRoot(t.Context(), api.CheckRootInput{RootRef: in.RootRef})
	require.NoError(t, err)
	require.Contains(t, seen.Why, "is no root")
}

// Landbridge never has an issuer's key.
func TestIssuer_ItsRoot_IsNeitherMovedNorExportedNorImported(t *testing.T) {
	w := newWorld(t, "west")
	in, _ := w.issuedBy(fleet.Issuer{CFSSL: fleet.CFSSL{URL: "https://cfssl.example.com"}})
	for name, do := range map[string]func() error{
		"offer": func() error {
			_, err := w.acts.OfferRoot(t.Context(), api.OfferRootInput{RootRef: in.RootRef})
			return err
		},
		"seal": func() error {
			_, err := w.acts.SealRoot(t.Context(), api.SealRootInput{RootRef: in.RootRef})
			return err
		},
		"receive": func() error {
			_, err := w.acts.ReceiveRoot(t.Context(), api.ReceiveRootInput{RootRef: in.RootRef})
			return err
		},
	} {
		require.EqualError(t, do(), "the root's key is with its issuer (spec.ca.issuer): Landbridge has none to move, export or import", name)
	}
}

// Whoever reads a history reads no key.
func TestIssuer_InputOfAnActivity_HasNoKey(t *testing.T) {
	w := newWorld(t, "west")
	issuer, keys := serveCFSSL(t, signsCAs)
	w.acts.CFSSLKeys = keys
	in, _ := w.issuedBy(issuer)
	text, err := json.Marshal(in)
	require.NoError(t, err)
	require.NotContains(t, string(text), cfsslKey)
}
