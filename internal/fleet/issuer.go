package fleet

import (
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strings"
)

// Issuer names the CA of others that signs the clusters' intermediates, in place of a root
// that Landbridge makes and keeps.
type Issuer struct {
	// CFSSL names a cfssl server (cfssl serve) that signs.
	CFSSL CFSSL `json:"cfssl,omitzero"`
	// Root holds the certificate, in PEM, of the root at which everything that the issuer
	// signs ends. Default: the CA of the server, where that is self-signed.
	Root string `json:"root,omitempty"`
}

// CFSSL names a cfssl server. The key with which a worker proves to it who asks is in the
// worker's file (--cfssl-auth-key-file).
type CFSSL struct {
	// URL of the server, such as https://cfssl.example.com:8888. With http, root is needed:
	// nobody vouches for what such a server says.
	URL string `json:"url,omitempty"`
	// Profile of the server's configuration that signs: it says how long an intermediate
	// lives. Default: the server's default profile.
	Profile string `json:"profile,omitempty"`
	// ServerCA holds the CA of the server's own certificate, in PEM. Default: the CAs of the
	// worker's machine.
	ServerCA string `json:"serverCA,omitempty"`
	// TaskQueue of the workers that have its key and reach it. Default: the fleet's.
	TaskQueue string `json:"taskQueue,omitempty"`
}

// Given says whether the fleet file names an issuer.
func (i Issuer) Given() bool { return i != Issuer{} }

// KeepsRoot says whether Landbridge makes the root and keeps its key.
func (c CA) KeepsRoot() bool { return c.Managed() && !c.Issuer.Given() }

// setDefaults fills in what the root and the intermediates look like. Of an issuer's root
// nothing is assumed, nor how long it signs for.
func (c *CA) setDefaults(f *Fleet) {
	or(&c.Organization, f.Metadata.Name)
	or(&c.KeyAlgorithm, RSA4096)
	if c.Issuer.Given() {
		or(&c.Issuer.CFSSL.TaskQueue, f.Spec.TaskQueue)
		return
	}
	or(&c.CommonName, "Root CA")
	or(&c.RootLifetime, tenYears)
	or(&c.IntermediateLifetime, tenYears)
	if keeper, ok := f.Cluster(c.Root.Cluster); ok {
		or(&c.Root.TaskQueue, keeper.TaskQueue)
	}
	or(&c.Root.TaskQueue, f.Spec.TaskQueue)
}

func validateIssuer(ca CA, ps *problems) {
	const at = "spec.ca.issuer"
	if ca.Manage != nil && !*ca.Manage {
		ps.add(at, "is for intermediates that a rollout has issued; leave it out where the clusters' CAs exist already (spec.ca.manage: false)")
	}
	for _, field := range []struct {
		name string
		set  bool
	}{{"root", ca.Root != RootStore{}}, {"commonName", ca.CommonName != ""}, {"rootLifetime", ca.RootLifetime != 0}} {
		if field.set {
			ps.add("spec.ca."+field.name, "is for a root that Landbridge makes and keeps; an issuer has its own (spec.ca.issuer)")
		}
	}
	if ca.IntermediateLifetime != 0 {
		ps.add("spec.ca.intermediateLifetime", "is for the server's profile to say (spec.ca.issuer.cfssl.profile); leave it out")
	}
	validateURL(at+".cfssl.url", ca.Issuer, ps)
	if root := ca.Issuer.Root; root != "" && !isCertificate(root) {
		ps.add(at+".root", "want the certificate of one root CA in PEM (-----BEGIN CERTIFICATE-----)")
	}
	if own := ca.Issuer.CFSSL.ServerCA; own != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(own)) {
		ps.add(at+".cfssl.serverCA", "want certificates in PEM (-----BEGIN CERTIFICATE-----)")
	}
}

func validateURL(at string, i Issuer, ps *problems) {
	u, err := url.Parse(i.CFSSL.URL)
	switch {
	case i.CFSSL.URL == "":
		ps.add(at, "is required")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "":
		ps.add(at, "want a URL such as https://cfssl.example.com:8888, got %q", withoutUser(i.CFSSL.URL))
	case u.User != nil:
		ps.add(at, "must hold no password: the key is in the worker's file (--cfssl-auth-key-file)")
	case u.Scheme == "http" && i.Root == "":
		ps.add(at, "with http nobody vouches for the root that the server names; use https, or give the root's certificate in spec.ca.issuer.root")
	}
}

// withoutUser drops what may be a password from a URL that is shown.
func withoutUser(u string) string {
	if at := strings.LastIndex(u, "@"); at >= 0 {
		return "…" + u[at:]
	}
	return u
}

// isCertificate says whether a text holds one CA certificate and nothing else. Whether it
// is valid now is for a worker to say.
func isCertificate(text string) bool {
	block, rest := pem.Decode([]byte(text))
	if block == nil || strings.TrimSpace(string(rest)) != "" {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	return err == nil && cert.IsCA
}
