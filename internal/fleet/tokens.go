package fleet

import (
	"strconv"
	"strings"
	"time"
)

// Credentials says how long the sources' credentials live.
type Credentials struct {
	// Tokens of the accounts with which sources read their targets.
	Tokens Tokens `json:"tokens,omitzero"`
}

// Tokens says how long a source's token for a target lives.
type Tokens struct {
	// Lifetime of a token, at least 10m. Each rollout renews a token in the last third of its
	// life, and so does a schedule of its own that the rollout sets up. A cluster may shorten
	// it, and the schedule follows. Default: a token lives until its link is removed.
	Lifetime Duration `json:"lifetime,omitempty"`
}

// leastTokenLifetime is Kubernetes' own limit.
const leastTokenLifetime = 10 * time.Minute

// AnnotationTokenEnds says, on the Secret of a token that ends, when it does (RFC 3339).
const AnnotationTokenEnds = Domain + "/token-ends"

// ReaderToken names the Secret, in the target, with the nth token of one source.
func ReaderToken(source string, n int) string { return Reader(source) + "-" + strconv.Itoa(n) }

// ReaderTokenNumber returns which token of a source a Secret has, or 0.
func ReaderTokenNumber(source, name string) int {
	digits, _ := strings.CutPrefix(name, Reader(source)+"-")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || ReaderToken(source, n) != name {
		return 0
	}
	return n
}

// TokenDue returns when a token is renewed that lives from one moment to another: in the last
// third of its life, as certificates are.
func TokenDue(from, ends time.Time) time.Time {
	return ends.Add(-ends.Sub(from) / 3)
}

// RotationEvery returns how often tokens of a lifetime are looked at, so that in the last third
// of its life each is renewed, and once more where that failed. It is a minute at least: nothing
// would mean no schedule, and somebody may have made a token end within seconds.
func RotationEvery(lifetime time.Duration) time.Duration {
	return max(time.Minute, (lifetime / 6).Truncate(time.Second))
}

// RotationID returns the ID of the schedule that renews a fleet's tokens and intermediates.
func RotationID(fleet string) string { return WorkflowID(fleet) + ".rotation" }

func validateCredentials(f *Fleet, ps *problems) {
	const at = "spec.credentials.tokens.lifetime"
	switch life := f.Spec.Credentials.Tokens.Lifetime.Std(); {
	case life == 0:
	case life < leastTokenLifetime:
		ps.add(at, "Kubernetes gives tokens that live for at least 10m, got %s", life)
	case f.Spec.CA.Managed() && f.Spec.CA.IntermediateLifetime != 0 && ps.sound("spec.ca.intermediateLifetime") && life > f.Spec.CA.IntermediateLifetime.Std():
		ps.add(at, "%s is longer than the %s of the clusters' certificates (spec.ca.intermediateLifetime)", life, f.Spec.CA.IntermediateLifetime.Std())
	}
}
