package activities

import (
	"context"
	"fmt"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// cfssl returns the cfssl server of an issuer. This worker asks none that its file of keys
// does not name: whoever starts a workflow could else send it anywhere.
func (a *Activities) cfssl(i fleet.Issuer) (*certs.CFSSL, error) {
	key := a.CFSSLKeys.For(i.CFSSL.URL)
	if key == nil {
		return nil, &certs.IssuerError{Reason: fmt.Sprintf("this worker has no key for the cfssl server %s; add it to the file of --cfssl-auth-key-file, or name the task queue of the workers that have it (spec.ca.issuer.cfssl.taskQueue)", i.CFSSL.URL)}
	}
	return &certs.CFSSL{URL: certs.TrimURL(i.CFSSL.URL), Profile: i.CFSSL.Profile, ServerCA: []byte(i.CFSSL.ServerCA), Key: key}, nil
}

// keptByIssuer tells where the root of an issuer is.
func keptByIssuer(i fleet.Issuer) string { return "by the cfssl server " + i.CFSSL.URL }

// rootOfIssuer reads the root at which what an issuer signs ends: the fleet file's, or else
// the CA of the server.
func (a *Activities) rootOfIssuer(ctx context.Context, i fleet.Issuer) ([]byte, error) {
	server, err := a.cfssl(i)
	if err != nil {
		return nil, err
	}
	root := []byte(i.Root)
	if len(root) == 0 {
		if root, err = server.CA(ctx); err != nil {
			return nil, err
		}
	}
	_, err = certs.IssuerRoot(root)
	return root, err
}

// issuerRoot does the part of EnsureRoot that an issuer leaves: it reads the root, and
// refuses another one than the members know.
func (a *Activities) issuerRoot(ctx context.Context, in api.EnsureRootInput) (api.EnsureRootResult, error) {
	kept := keptByIssuer(in.Issuer)
	out := api.EnsureRootResult{Kept: kept, Changes: fleet.Changes{Changes: []fleet.Change{{Action: fleet.Keep, Kind: "Root", Name: in.Fleet, Note: kept}}}}
	root, err := a.rootOfIssuer(ctx, in.Issuer)
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
	root, err := a.rootOfIssuer(ctx, in.Issuer)
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
	server, err := a.cfssl(in.Issuer)
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	bundle, err := server.Sign(ctx, []byte(in.CSR), []byte(in.RootPEM), certSpec(in.Spec))
	if err != nil {
		return api.SignIntermediateResult{}, err
	}
	facts, err := certs.Describe(bundle)
	return api.SignIntermediateResult{CertPEM: string(bundle), Facts: api.CertificateFacts(facts)}, err
}
