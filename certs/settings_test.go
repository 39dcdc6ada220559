package certs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoot_Unlike_NamesEachSettingThatTheFileChanged(t *testing.T) {
	made := RootSpec{CommonName: "Root CA", Organization: "my-company.org", KeyAlgorithm: ECDSAP256, Lifetime: 30 * day}
	root, err := NewRoot(made)
	require.NoError(t, err)
	require.Empty(t, root.Unlike(made))
	for want, change := range map[string]func(*RootSpec){
		"its key is ECDSA-P256, not RSA-4096":                     func(s *RootSpec) { s.KeyAlgorithm = RSA4096 },
		`its common name is "Root CA", not "Other"`:               func(s *RootSpec) { s.CommonName = "Other" },
		`its organization is "my-company.org", not "example.org"`: func(s *RootSpec) { s.Organization = "example.org" },
		"its lifetime is 720h, not 48h":                           func(s *RootSpec) { s.Lifetime = 2 * day },
	} {
		now := made
		change(&now)
		require.Equal(t, []string{want}, root.Unlike(now))
	}
}

func TestCheckIntermediate_SettingsThatTheFileChanged_AreABadOne(t *testing.T) {
	root, spec := newRoot(t, ECDSAP256), west(ECDSAP256)
	spec.Lifetime = 30 * day
	set := issue(t, root, spec)
	require.NoError(t, CheckIntermediate(set.CACert, root.CertPEM, spec))
	other := spec
	other.KeyAlgorithm = RSA4096
	require.EqualError(t, CheckIntermediate(set.CACert, root.CertPEM, other), "its key is ECDSA-P256, want RSA-4096")
	other = spec
	other.Lifetime = 60 * day
	require.ErrorContains(t, CheckIntermediate(set.CACert, root.CertPEM, other), "it ends at ")

	// The root's end is the latest, whatever a file asks for.
	long, longer := spec, spec
	long.Lifetime, longer.Lifetime = 200*365*day, 250*365*day
	set = issue(t, root, long)
	require.NoError(t, CheckIntermediate(set.CACert, root.CertPEM, longer))
}

func TestKeyIs(t *testing.T) {
	set := issue(t, newRoot(t, ECDSAP256), west(ECDSAP256))
	for algorithm, want := range map[string]bool{ECDSAP256: true, RSA4096: false} {
		is, err := KeyIs(set.CAKey, algorithm)
		require.NoError(t, err)
		require.Equal(t, want, is)
	}
	_, err := KeyIs([]byte("secret bytes"), ECDSAP256)
	require.EqualError(t, err, "the key is not a private key in PEM")
}
