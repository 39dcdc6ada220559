package fleet

import (
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Issuer names the CA of others that signs the clusters' intermediates, in place of a root
// that Landbridge makes and keeps: a cfssl server, or cert-manager.
type Issuer struct {
	// CFSSL names a cfssl server (cfssl serve) that signs.
	CFSSL CFSSL `json:"cfssl,omitzero"`
	// CertManager names an issuer of the cert-manager in one of the fleet's clusters, behind
	// which may be Vault or a cloud's CA.
	CertManager CertManager `json:"certManager,omitzero"`
	// Root holds the certificate, in PEM, of the root at which everything that the issuer
	// signs ends. Required with certManager. Default: the CA of the cfssl server, where that
	// is self-signed.
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

// CertManager names an issuer of the cert-manager in one cluster.
type CertManager struct {
	// Cluster of the fleet in which cert-manager runs.
	Cluster string `json:"cluster,omitempty"`
	// Name of the issuer.
	Name string `json:"name,omitempty"`
	// Kind of the issuer: ClusterIssuer, Issuer, or that of an external issuer. Default:
	// ClusterIssuer.
	Kind string `json:"kind,omitempty"`
	// Group of the issuer's kind. Default: cert-manager.io.
	Group string `json:"group,omitempty"`
	// Namespace in which the CertificateRequests are made: that of the issuer, where it is
	// in one. Default: cert-manager.
	Namespace string `json:"namespace,omitempty"`
}

// CertManagerGroup is the API group of cert-manager's own issuers.
const CertManagerGroup = "cert-manager.io"

// The kinds of cert-manager's own issuers.
const (
	KindClusterIssuer = "ClusterIssuer"
	KindIssuer        = "Issuer"
)

// Given says whether the fleet file names an issuer.
func (i Issuer) Given() bool { return i != Issuer{} }

// ByCertManager says whether the issuer is one of cert-manager's.
func (i Issuer) ByCertManager() bool { return i.CertManager != CertManager{} }

// KeepsRoot says whether Landbridge makes the root and keeps its key.
func (c CA) KeepsRoot() bool { return c.Managed() && !c.Issuer.Given() }

// setDefaults fills in what the root and the intermediates look like. Of an issuer's root
// nothing is assumed, nor how long a cfssl server signs for.
func (c *CA) setDefaults(f *Fleet) {
	or(&c.Organization, f.Metadata.Name)
	or(&c.KeyAlgorithm, RSA4096)
	switch {
	case c.Issuer.ByCertManager():
		m := &c.Issuer.CertManager
		or(&m.Kind, KindClusterIssuer)
		or(&m.Group, CertManagerGroup)
		or(&m.Namespace, "cert-manager")
		or(&c.IntermediateLifetime, aYear)
		return
	case c.Issuer.Given():
		or(&c.Issuer.CFSSL.TaskQueue, f.Spec.TaskQueue)
		return
	}
	or(&c.CommonName, "Root CA")
	or(&c.RootLifetime, tenYears)
	or(&c.IntermediateLifetime, min(aYear, c.RootLifetime))
	if keeper, ok := f.Cluster(c.Root.Cluster); ok {
		or(&c.Root.TaskQueue, keeper.TaskQueue)
	}
	if c.Root.Cluster == "" || len(f.Spec.ClustersFrom) == 0 { // else a source may list the cluster
		or(&c.Root.TaskQueue, f.Spec.TaskQueue)
	}
}

// aYear is how long an intermediate lives where the fleet file says nothing: its key is in a
// cluster, it is renewed without a person, and few CAs sign for more.
const aYear = Duration(365 * 24 * time.Hour)

func validateIssuer(f *Fleet, ps *problems) {
	const at = "spec.ca.issuer"
	ca := f.Spec.CA
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
	if root := ca.Issuer.Root; root != "" && !isCertificate(root) {
		ps.add(at+".root", "want the certificate of one root CA in PEM (-----BEGIN CERTIFICATE-----)")
	}
	server := ca.Issuer.CFSSL
	server.TaskQueue = "" // a default
	switch {
	case ca.Issuer.ByCertManager() && server != CFSSL{}:
		ps.add(at, "name one issuer: cfssl, or certManager")
	case ca.Issuer.ByCertManager():
		validateCertManager(at, f, ps)
	case server == CFSSL{}:
		ps.add(at, "name the issuer: cfssl, or certManager")
	default:
		validateCFSSL(at, ca, ps)
	}
}

func validateCFSSL(at string, ca CA, ps *problems) {
	if ca.IntermediateLifetime != 0 {
		ps.add("spec.ca.intermediateLifetime", "is for the server's profile to say (spec.ca.issuer.cfssl.profile); leave it out")
	}
	validateURL(at+".cfssl.url", ca.Issuer, ps)
	if own := ca.Issuer.CFSSL.ServerCA; own != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(own)) {
		ps.add(at+".cfssl.serverCA", "want certificates in PEM (-----BEGIN CERTIFICATE-----)")
	}
}

func validateCertManager(at string, f *Fleet, ps *problems) {
	m := f.Spec.CA.Issuer.CertManager
	known(f, ps, at+".certManager.cluster", m.Cluster)
	for _, field := range []struct {
		name, value string
		wrong       []string
	}{{"name", m.Name, validation.IsDNS1123Subdomain(m.Name)}, {"group", m.Group, validation.IsDNS1123Subdomain(m.Group)}} {
		if len(field.wrong) > 0 {
			ps.add(at+".certManager."+field.name, "%q is not a name: %s", field.value, reason(field.wrong))
		}
	}
	if m.Group == CertManagerGroup {
		oneOf(ps, at+".certManager.kind", m.Kind, KindClusterIssuer, KindIssuer)
	}
	dnsLabel(ps, at+".certManager.namespace", m.Namespace, 63, "a namespace")
	if f.Spec.CA.Issuer.Root == "" {
		ps.add(at+".root", "is required with certManager: cert-manager does not say at which root its issuers end")
	}
	lifetime(ps, "spec.ca.intermediateLifetime", f.Spec.CA.IntermediateLifetime)
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
