package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// aRootCA is the certificate of a CA that was made for this test and signs nothing.
const aRootCA = `-----BEGIN CERTIFICATE-----
MIIBaTCCAQ+gAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDExBBIHJvb3Qg
b2YgYSB0ZXN0MCAXDTI2MDEwMTAwMDAwMFoYDzIwNjYwMTAxMDAwMDAwWjAbMRkw
FwYDVQQDExBBIHJvb3Qgb2YgYSB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEKZxYiTTMPscmQCau1T0j/DjYGAbV0j1NKBWkwWYIogOc3WKtfBqaLljVrgi8
Giig7l90EF+jX3Ee9zRKO52zNKNCMEAwDgYDVR0PAQH/BAQDAgIEMA8GA1UdEwEB
/wQFMAMBAf8wHQYDVR0OBBYEFKx1Rr9iMz0g4qdw4Go9BHtusyTsMAoGCCqGSM49
BAMCA0gAMEUCIHap/YhQc9xCMMAhE1bG61mNPqiiI4LxeiJvRD6pI+72AiEA0jpp
59jvI9hgptAjLhHnXqnC/4uf2782carAAQIxcwY=
-----END CERTIFICATE-----
`

func withCA(ca CA) Fleet {
	f := Fleet{APIVersion: APIVersion, Kind: Kind, Metadata: Metadata{Name: "prod"}, Spec: Spec{CA: ca, Clusters: []Cluster{
		{Name: "east", Network: "e", Kubeconfig: Kubeconfig{Path: "east"}}, {Name: "west", Network: "w", Kubeconfig: Kubeconfig{Path: "west"}}}}}
	f.SetDefaults()
	return f
}

func TestIssuer_EachMistake_IsOneSentence(t *testing.T) {
	no := false
	at := func(url string) Issuer { return Issuer{CFSSL: CFSSL{URL: url}} }
	good := at("https://cfssl.example.com:8888")
	signs := CertManager{Cluster: "east", Name: "fleet-ca"}
	by := func(change func(*CertManager)) CA {
		m := signs
		change(&m)
		return CA{Issuer: Issuer{CertManager: m, Root: aRootCA}}
	}
	for problem, ca := range map[string]CA{
		"spec.ca.issuer: name the issuer: cfssl, or certManager":                                        {Issuer: Issuer{Root: aRootCA}},
		"spec.ca.issuer: name one issuer":                                                               {Issuer: Issuer{CFSSL: good.CFSSL, CertManager: signs, Root: aRootCA}},
		"spec.ca.issuer.root: is required with certManager":                                             {Issuer: Issuer{CertManager: signs}},
		"spec.ca.issuer.cfssl.url: is required":                                                         {Issuer: Issuer{CFSSL: CFSSL{Profile: "x"}}},
		`spec.ca.issuer.certManager.cluster: no cluster of this fleet is called "x"`:                    by(func(m *CertManager) { m.Cluster = "x" }),
		`spec.ca.issuer.certManager.cluster: is required`:                                               by(func(m *CertManager) { m.Cluster = "" }),
		`spec.ca.issuer.certManager.name: "" is not a name`:                                             by(func(m *CertManager) { m.Name = "" }),
		`spec.ca.issuer.certManager.group: "a/b" is not a name`:                                         by(func(m *CertManager) { m.Group, m.Kind = "a/b", "X" }),
		`spec.ca.issuer.certManager.kind: want ClusterIssuer or Issuer, got "X"`:                        by(func(m *CertManager) { m.Kind = "X" }),
		`spec.ca.issuer.certManager.namespace: "A" is not a DNS label`:                                  by(func(m *CertManager) { m.Namespace = "A" }),
		"spec.ca.intermediateLifetime: a CA certificate must live for at least":                         {Issuer: Issuer{CertManager: signs, Root: aRootCA}, IntermediateLifetime: Duration(time.Hour)},
		`spec.ca.issuer.cfssl.url: want a URL such as https://cfssl.example.com:8888, got "cfssl:8888"`: {Issuer: at("cfssl:8888")},
		`got "ftp://cfssl"`:                                         {Issuer: at("ftp://cfssl")},
		`got "https://cfssl?x=1"`:                                   {Issuer: at("https://cfssl?x=1")},
		`got "…@cfssl?x"`:                                           {Issuer: at("https://me:HIDDEN@cfssl?x")},
		"must hold no password":                                     {Issuer: at("https://me:HIDDEN@cfssl")},
		"with http nobody vouches":                                  {Issuer: at("http://cfssl.example.com:8888")},
		"spec.ca.issuer.root: want":                                 {Issuer: Issuer{CFSSL: good.CFSSL, Root: "x"}},
		"spec.ca.issuer.cfssl.serverCA: want certificates in PEM":   {Issuer: Issuer{CFSSL: CFSSL{URL: good.CFSSL.URL, ServerCA: "x"}}},
		"spec.ca.root: is for a root that Landbridge makes":         {Issuer: good, Root: RootStore{Cluster: "east"}},
		"spec.ca.commonName: is for a root that Landbridge makes":   {Issuer: good, CommonName: "Root"},
		"spec.ca.rootLifetime: is for a root that Landbridge makes": {Issuer: good, RootLifetime: Duration(time.Hour)},
		"spec.ca.intermediateLifetime: is for the server's profile": {Issuer: good, IntermediateLifetime: Duration(time.Hour)},
		"spec.ca.issuer: is for intermediates that a rollout has":   {Issuer: good, Manage: &no},
	} {
		f := withCA(ca)
		err := f.Validate()
		require.ErrorContains(t, err, problem)
		require.NotContains(t, err.Error(), "HIDDEN")
		var invalid *InvalidError
		require.ErrorAs(t, err, &invalid)
		require.Len(t, invalid.Problems, 1, problem)
	}
}

func TestIssuer_LeavesOutWhatIsNotTheFleets(t *testing.T) {
	for _, issuer := range []Issuer{{CFSSL: CFSSL{URL: "https://cfssl.example.com/pki/"}}, {CFSSL: CFSSL{URL: "http://cfssl:8888"}, Root: aRootCA}} {
		f := withCA(CA{Issuer: issuer})
		f.Spec.Credentials.Tokens.Lifetime = Duration(720 * time.Hour)
		require.NoError(t, f.Validate())
		require.Equal(t, DefaultTaskQueue, f.Spec.CA.Issuer.CFSSL.TaskQueue)
		require.Equal(t, RSA4096, f.Spec.CA.KeyAlgorithm)
		require.Equal(t, CA{Organization: "prod", KeyAlgorithm: RSA4096, Issuer: f.Spec.CA.Issuer}, f.Spec.CA)
		require.False(t, f.Spec.CA.KeepsRoot())
		again := f
		again.SetDefaults()
		require.Equal(t, f, again)
	}
	f := withCA(CA{Issuer: Issuer{CertManager: CertManager{Cluster: "east", Name: "fleet-ca"}, Root: aRootCA}})
	require.NoError(t, f.Validate())
	require.Equal(t, CertManager{Cluster: "east", Name: "fleet-ca", Kind: "ClusterIssuer", Group: "cert-manager.io", Namespace: "cert-manager"}, f.Spec.CA.Issuer.CertManager)
	require.Equal(t, CFSSL{}, f.Spec.CA.Issuer.CFSSL)
	require.Equal(t, CA{Organization: "prod", KeyAlgorithm: RSA4096, IntermediateLifetime: Duration(8760 * time.Hour), Issuer: f.Spec.CA.Issuer}, f.Spec.CA)
	own := withCA(CA{})
	require.True(t, own.Spec.CA.KeepsRoot())
}
