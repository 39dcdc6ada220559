package activities

import (
	"context"
	"fmt"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// issuer signs in place of a root that Landbridge keeps.
type issuer interface {
	// root returns the certificate of the root at which what it signs ends, or why it
	// cannot sign.
	root(ctx context.Context) ([]byte, error)
	// sign returns the certificate for a CSR, and the CAs between it and that root. It was
	// checked with certs.CheckIssued.
	sign(ctx context.Context, csr, root []byte, spec certs.IntermediateSpec) ([]byte, error)
}

func (a *Activities) issuer(ctx context.Context, in api.RootRef) (issuer, error) {
	if in.Issuer.ByCertManager() {
		w, err := a.writerWithoutInventory(ctx, in.ClusterRef, componentRequest, "")
		return certManager{w, in.Issuer}, err
	}
	i := in.Issuer.CFSSL
	key := a.CFSSLKeys.For(i.URL)
	if key == nil {
		// It asks none that its file does not name: whoever starts a workflow could else send
		// it anywhere.
		return nil, &certs.IssuerError{Reason: fmt.Sprintf("this worker has no key for the cfssl server %s; add it to the file of --cfssl-auth-key-file, or name the task queue of the workers that have it (spec.ca.issuer.cfssl.taskQueue)", i.URL)}
	}
	return cfsslServer{certs.CFSSL{URL: certs.TrimURL(i.URL), Profile: i.Profile, ServerCA: []byte(i.ServerCA), Key: key}, in.Issuer.Root}, nil
}

// cfsslServer asks a cfssl server.
type cfsslServer struct {
	certs.CFSSL
	// pinned holds the root of the fleet file, where it has one.
	pinned string
}

func (s cfsslServer) root(ctx context.Context) ([]byte, error) {
	if s.pinned != "" {
		return []byte(s.pinned), nil
	}
	return s.CA(ctx)
}

func (s cfsslServer) sign(ctx context.Context, csr, root []byte, spec certs.IntermediateSpec) ([]byte, error) {
	return s.Sign(ctx, csr, root, spec)
}

// keptByIssuer tells where the root of an issuer is.
func keptByIssuer(i fleet.Issuer) string {
	if m := i.CertManager; i.ByCertManager() {
		return fmt.Sprintf("by cert-manager's %s %s in cluster %s", m.Kind, m.Name, m.Cluster)
	}
	return "by the cfssl server " + i.CFSSL.URL
}

// rootOfIssuer reads the root at which what an issuer signs ends.
func (a *Activities) rootOfIssuer(ctx context.Context, in api.RootRef) ([]byte, error) {
	i, err := a.issuer(ctx, in)
	if err != nil {
		return nil, err
	}
	root, err := i.root(ctx)
	if err == nil {
		_, err = certs.IssuerRoot(root)
	}
	return root, err
}

// issuerRoot does the part of EnsureRoot that an issuer leaves: it reads the root, and
// refuses another one than the members know.
func (a *Activities) issuerRoot(ctx context.Context, in api.EnsureRootInput) (api.EnsureRootResult, error) {
	kept := keptByIssuer(in.Issuer)
	out := api.EnsureRootResult{Kept: kept, Changes: fleet.Changes{Changes: []fleet.Change{{Action: fleet.Keep, Kind: "Root", Name: in.Fleet, Note: kept}}}}
	root, err := a.rootOfIssuer(ctx, in.RootRef)
	if err != nil {
		return out, err
	}
	facts, err := certs.Describe(root)
	if err != nil {
		return out, err
	}
	if len(in.Known) > 0 && in.Known[0].Fingerprint != facts.Fingerprint {
		return out, &RootError{fmt.Sprintf("the fleet has the root %s (cluster %s), and what is signed %s ends at %s: name an issuer under the fleet's root; a fleet that is to begin anew is cleaned up first",
			in.Known[0].Fingerprint, in.Known[0].Cluster, kept, facts.Fingerprint)}
	}
	out.CertPEM, out.Facts = string(root), api.CertificateFacts(facts)
	return out, nil
}

// checkIssuerRoot does CheckRoot for the root of an issuer.
func (a *Activities) checkIssuerRoot(ctx context.Context, in api.RootRef) (api.CheckRootResult, error) {
	out := api.CheckRootResult{Kept: keptByIssuer(in.Issuer)}
	root, err := a.rootOfIssuer(ctx, in)
	if is[*certs.IssuerError](err) {
		out.Why = err.Error()
		return out, nil
	}
	if err != nil {
		return out, err
	}
	facts, err := certs.Describe(root)
	out.Facts = api.CertificateFacts(facts)
	return out, err
}

// signByIssuer has the issuer sign the CSR of a cluster.
func (a *Activities) signByIssuer(ctx context.Context, in api.SignIntermediateInput) (api.SignIntermediateResult, error) {
	i, err := a.issuer(ctx, in.RootRef)
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	bundle, err := i.sign(ctx, []byte(in.CSR), []byte(in.RootPEM), certSpec(in.Spec))
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	facts, err := certs.Describe(bundle)
	return api.SignIntermediateResult{CertPEM: string(bundle), Facts: api.CertificateFacts(facts)}, err
}
