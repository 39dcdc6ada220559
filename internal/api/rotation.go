package api

import (
	"slices"
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// Rotation says what RotateFleet renews: tokens, intermediates, or the root.
type Rotation struct {
	// Due leaves those as they are that are not in the last third of their life.
	Due bool `json:"due,omitempty"`
	// Links whose sources get new tokens. Empty: all of them.
	Links []fleet.Link `json:"links,omitempty"`
	// Intermediates has those of Clusters renewed, or of all where that is empty, and no token.
	Intermediates bool     `json:"intermediates,omitempty"`
	Clusters      []string `json:"clusters,omitempty"`
	// Root brings the fleet one phase nearer to another root, or back, and renews nothing else.
	Root *RootRotation `json:"root,omitempty"`
}

// The kinds of what a rotation renews, by the flags of `landbridge rotate` that ask for each.
const (
	RenewsTokens        = "tokens"
	RenewsIntermediates = "intermediates"
	RenewsRoot          = "root"
	RenewsRootUndo      = "root --undo"
)

// What returns the kind of what is renewed, or nothing where there is no rotation.
func (r *Rotation) What() string {
	switch {
	case r == nil:
		return ""
	case r.Root != nil && r.Root.Undo:
		return RenewsRootUndo
	case r.Root != nil:
		return RenewsRoot
	case r.Intermediates:
		return RenewsIntermediates
	}
	return RenewsTokens
}

// OfCAs says whether clusters get new intermediates, and no token is looked at.
func (r *Rotation) OfCAs() bool { return r != nil && (r.Intermediates || r.Root != nil) }

// OfRoot says whether the root is changed.
func (r *Rotation) OfRoot() bool { return r != nil && r.Root != nil }

// Has says whether a link's token is looked at.
func (r Rotation) Has(l fleet.Link) bool {
	return !r.OfCAs() && (len(r.Links) == 0 || slices.Contains(r.Links, l))
}

// Touches says whether a cluster's intermediate is looked at, or a token at whose link's end
// the cluster is.
func (r Rotation) Touches(links []fleet.Link, cluster string) bool {
	if r.OfCAs() {
		return len(r.Clusters) == 0 || slices.Contains(r.Clusters, cluster)
	}
	return slices.ContainsFunc(links, func(l fleet.Link) bool { return r.Has(l) && (l.From == cluster || l.To == cluster) })
}

// Tokens sums up the sources' tokens.
type Tokens struct {
	// Unending counts those that do not end by themselves, and Oldest tells when the first of
	// these was issued.
	Unending int       `json:"unending,omitempty"`
	Oldest   time.Time `json:"oldest,omitzero"`
	// Ending counts the others. Ends tells when the first of these ends, and Shortest how long
	// the one with the shortest life lives, which a cluster may have shortened.
	Ending   int           `json:"ending,omitempty"`
	Ends     time.Time     `json:"ends,omitzero"`
	Shortest time.Duration `json:"shortest,omitempty"`
}

// Add counts one more token. One that is still to be issued does not count.
func (t *Tokens) Add(f TokenFacts) {
	switch {
	case f.Issued.IsZero():
	case f.Ends.IsZero():
		t.Merge(Tokens{Unending: 1, Oldest: f.Issued})
	default:
		t.Merge(Tokens{Ending: 1, Ends: f.Ends, Shortest: f.Ends.Sub(f.Issued)})
	}
}

// Merge counts other tokens too.
func (t *Tokens) Merge(o Tokens) {
	if o.Unending > 0 && (t.Unending == 0 || o.Oldest.Before(t.Oldest)) {
		t.Oldest = o.Oldest
	}
	if o.Ending > 0 && (t.Ending == 0 || o.Ends.Before(t.Ends)) {
		t.Ends = o.Ends
	}
	if o.Ending > 0 && (t.Ending == 0 || o.Shortest < t.Shortest) {
		t.Shortest = o.Shortest
	}
	t.Unending, t.Ending = t.Unending+o.Unending, t.Ending+o.Ending
}

// SetRotationInput tells the schedule that renews a fleet's credentials how the clusters are
// reached, and how often it looks. Every is zero where none ends: then there is no such schedule.
type SetRotationInput struct {
	ClusterRef
	Reach fleet.Fleet   `json:"reach"`
	Every time.Duration `json:"every,omitempty"`
	// Partly says that not every link's token was seen: a schedule that looks more often stays
	// so, since another cluster may have given less.
	Partly bool `json:"partly,omitempty"`
}

// SetRotationResult says whether the schedule was another one before.
type SetRotationResult struct {
	Changed bool `json:"changed"`
}

// RotationCheck tells what the schedule of a fleet's credentials found.
type RotationCheck struct {
	Fleet string `json:"fleet"`
	// Busy names what was changing the fleet; then nothing was looked at.
	Busy *LastChange `json:"busy,omitempty"`
	// Renewed counts the links that got a new token.
	Renewed int    `json:"renewed,omitempty"`
	Tokens  Tokens `json:"tokens,omitzero"`
	// Intermediates lists the clusters that got a new one.
	Intermediates []string `json:"intermediates,omitempty"`
}
