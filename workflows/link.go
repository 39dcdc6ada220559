package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/activities"
	"github.com/landbridge/landbridge/internal/fleet"
)

// LinkSettings is what every link takes from the fleet file.
type LinkSettings struct {
	activities.GatewaySettings
	Rollout fleet.Rollout `json:"rollout"`
}

// Target is what a link needs of the cluster whose API server is read.
type Target struct {
	ClusterRef    activities.ClusterRef `json:"cluster"`
	TLSServerName string                `json:"tlsServerName"`
	Address       activities.Address    `json:"address"`
}

// LinksInput is one source cluster with all its targets.
type LinksInput struct {
	LinkSettings
	Source    activities.ClusterRef `json:"source"`
	Recipient string                `json:"recipient"`
	Targets   []Target              `json:"targets"`
}

// LinksResult is what became of a source's links.
type LinksResult struct {
	Done []string `json:"done,omitempty"`
	// Proven are those of Done whose proof was seen.
	Proven   int       `json:"proven,omitempty"`
	Failures []Failure `json:"failures,omitempty"`
	// Changes by link ID, of a plan only; a rollout's are in each link's result.
	Changes map[string]fleet.Changes `json:"changes,omitempty"`
}

// RolloutLinks rolls out the links of one source, so that the history of the
// fleet does not grow with their number. A link that fails does not stop the
// others; the failures are in the result.
func RolloutLinks(ctx workflow.Context, in LinksInput) (LinksResult, error) {
	status, err := newLinksStatus(ctx, in)
	if err != nil {
		return LinksResult{}, err
	}
	out, gate := LinksResult{}, newGate(ctx)
	results := make([]LinkResult, len(in.Targets))
	errs := make([]error, len(in.Targets))
	parent := workflow.GetInfo(ctx).WorkflowExecution.ID
	inParallel(ctx, len(in.Targets), in.Rollout.MaxParallel, func(ctx workflow.Context, i int) {
		link := fleet.Link{From: in.Source.Cluster, To: in.Targets[i].ClusterRef.Cluster}
		status.set(ctx, i, Running, "")
		errs[i] = ctx.Err()
		if errs[i] == nil {
			errs[i] = gate.runChild(ctx, parent+"."+link.To, "link "+link.String(),
				attributes(FleetKey.ValueSet(in.Source.Fleet), LinkKey.ValueSet(link.ID()), PhaseKey.ValueSet(Running)),
				RolloutLink, LinkInput{in.LinkSettings, link, in.Source, in.Recipient, in.Targets[i]}, &results[i])
		}
		status.finish(ctx, i, errs[i])
	})
	for i, t := range in.Targets {
		link := fleet.Link{From: in.Source.Cluster, To: t.ClusterRef.Cluster}
		if errs[i] != nil {
			out.Failures = append(out.Failures, failureOf("link "+link.String(), errs[i]))
			continue
		}
		out.Done = append(out.Done, link.ID())
		if results[i].Proof != nil {
			out.Proven++
		}
		if in.Source.DryRun {
			if out.Changes == nil {
				out.Changes = map[string]fleet.Changes{}
			}
			out.Changes[link.ID()] = results[i].Changes.WithoutFields()
		}
	}
	return out, ctx.Err()
}

// LinkInput is one direction of access: the source's istiod reads the target.
type LinkInput struct {
	LinkSettings
	Link      fleet.Link            `json:"link"`
	Source    activities.ClusterRef `json:"source"`
	Recipient string                `json:"recipient"`
	Target    Target                `json:"target"`
}

// LinkResult is what a link changed, and its proof.
type LinkResult struct {
	fleet.Changes
	// Proof is nothing where the fleet file skips it, and in a plan.
	Proof *activities.CheckLinkResult `json:"proof,omitempty"`
}

// RolloutLink does the guide's steps 8 (for this source), 10 and 11 for one
// link. What fails is undone; the error is then of TypeUnit.
func RolloutLink(ctx workflow.Context, in LinkInput) (LinkResult, error) {
	l := newCompensation("link "+in.Link.String(), in.Rollout)
	if err := l.status.publish(ctx); err != nil {
		return LinkResult{}, err
	}
	l.gate = newGate(ctx)
	proof, err := rolloutLink(ctx, l, in)
	return LinkResult{fleet.Changes{Changes: l.changes}, proof}, l.settle(ctx, err)
}

func rolloutLink(ctx workflow.Context, l *compensation, in LinkInput) (*activities.CheckLinkResult, error) {
	source := activities.LinkRef{ClusterRef: in.Source, Link: in.Link}
	target := activities.LinkRef{ClusterRef: in.Target.ClusterRef, Link: in.Link}
	port, domain := in.Gateways.APIPort, in.Istio.TrustDomain

	// Step 8. The target's door opens for this source.
	if _, err := step(ctx, l, apiCall(in.Rollout), "8 access", a.EnsureAccess, a.RemoveAccess,
		activities.EnsureAccessInput{LinkRef: target, APIPort: port, TrustDomain: domain, EastWest: in.Gateways.EastWest, SourceNamespace: in.Source.Namespace}); err != nil {
		return nil, err
	}

	// Step 10. Egress gateway in the source, with an identity of its own.
	if _, err := step(ctx, l, helmCall(in.Rollout), "10 egress gateway", a.EnsureEgressGateway, a.RemoveEgressGateway,
		activities.EnsureEgressGatewayInput{LinkRef: source, GatewaySettings: in.GatewaySettings}); err != nil {
		return nil, err
	}

	// Step 11. The way from there to the target's door.
	if _, err := step(ctx, l, apiCall(in.Rollout), "11 egress configuration", a.EnsureEgressConfig, a.RemoveEgressConfig,
		activities.EnsureEgressConfigInput{LinkRef: source, TLSServerName: in.Target.TLSServerName,
			Address: in.Target.Address, APIPort: port, TrustDomain: domain, EastWest: in.Gateways.EastWest}); err != nil {
		return nil, err
	}

	// Step 10, the guide's last. The target's token, sealed, becomes the source's
	// remote secret.
	token, err := step(ctx, l, apiCall(in.Rollout), "10 reader token", a.EnsureReaderToken, a.RemoveReaderToken,
		activities.EnsureReaderTokenInput{LinkRef: target, Recipient: in.Recipient, TLSServerName: in.Target.TLSServerName})
	if err != nil {
		return nil, err
	}
	if _, err = step(ctx, l, apiCall(in.Rollout), "10 remote secret", a.EnsureRemoteSecret, a.RemoveRemoteSecret,
		activities.EnsureRemoteSecretInput{LinkRef: source, Sealed: token.Sealed, TLSServerName: in.Target.TLSServerName}); err != nil {
		return nil, err
	}

	// The proof, which the guide leaves to the reader: a request goes through, and
	// istiod has read the target.
	if in.Rollout.SkipProof || source.DryRun || workflow.GetVersion(ctx, changeProof, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return nil, nil
	}
	proof, err := call(ctx, l, proofCall(in.Rollout.ProofTimeout.Std()), "proof", a.CheckLink,
		activities.CheckLinkInput{LinkRef: source, Patience: in.Rollout.ProofTimeout.Std(), Must: true})
	if err != nil {
		return nil, err
	}
	return &proof, nil
}

// changeProof marks histories in which a link ends with its proof.
const changeProof = "proof of a link"
