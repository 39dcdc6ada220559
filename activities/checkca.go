package activities

import (
	"context"

	"github.com/landbridge/landbridge/certs"
	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/inventory"
)

// CheckRoot looks for the root in the place that the fleet file names. A root that cannot
// be used, or that is not there, is no error: the result tells why.
func (a *Activities) CheckRoot(ctx context.Context, in api.CheckRootInput) (api.CheckRootResult, error) {
	if in.Issuer.Given() {
		return a.checkIssuerRoot(ctx, in.RootRef)
	}
	store, err := a.rootStore(ctx, in.RootRef)
	if isRootError(err) {
		return api.CheckRootResult{Why: err.Error()}, nil
	}
	if err != nil {
		return api.CheckRootResult{}, err
	}
	out := api.CheckRootResult{Kept: store.describe().Note}
	root, _, err := store.load(ctx)
	switch {
	case isRootError(err):
		out.Why = err.Error()
		return out, nil
	case err != nil:
		return out, err
	case root == nil:
		out.Why = "there is no root here"
		return out, nil
	}
	facts, err := certs.Describe(root.CertPEM)
	out.Facts = api.CertificateFacts(facts)
	return out, err
}

// CheckIntermediate reads the certificate in a cluster's cacerts, and what its inventory
// knows of the root.
func (a *Activities) CheckIntermediate(ctx context.Context, in api.CheckIntermediateInput) (api.CheckIntermediateResult, error) {
	c, err := a.open(ctx, in.ClusterRef)
	if err != nil {
		return api.CheckIntermediateResult{}, err
	}
	var out api.CheckIntermediateResult
	inv, err := inventory.Read(ctx, c)
	if err != nil {
		return out, err
	}
	if inv != nil {
		out.Known = inv.Memory.Root
	}
	live, set, err := readCACerts(ctx, c, in.Namespace)
	if live == nil || err != nil {
		return out, err
	}
	if roots := certs.Fingerprints(set.RootCert); len(roots) > 0 {
		out.Root = roots[0]
	}
	facts, err := certs.Describe(set.CACert)
	out.Intermediate = api.CertificateFacts(facts)
	return out, wrap(err, "read the certificate in Secret %s/cacerts", in.Namespace)
}
