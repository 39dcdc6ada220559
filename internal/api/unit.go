package api

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/landbridge/landbridge/internal/fleet"
)

// Unit names what has a state of its own: a member, a link or the root. The zero
// value stands for the fleet as a whole. Units are comparable and may be map keys.
type Unit struct {
	kind     unitKind
	from, to string // a member's name is in from
}

type unitKind uint8

const (
	wholeFleet unitKind = iota
	rootUnit
	memberUnit
	linkUnit
)

// The words that begin a unit's text.
const (
	fleetWord   = "fleet"
	rootWord    = "root"
	clusterWord = "cluster "
	linkWord    = "link "
	arrow       = " -> "
)

// Root returns the unit of the fleet's root CA.
func Root() Unit { return Unit{kind: rootUnit} }

// Member returns the unit of the cluster that the fleet file calls name.
func Member(name string) Unit { return Unit{kind: memberUnit, from: name} }

// LinkOf returns the unit of a link.
func LinkOf(l fleet.Link) Unit { return Unit{kind: linkUnit, from: l.From, to: l.To} }

// Member returns the name of the cluster, and whether the unit is a member.
func (u Unit) Member() (string, bool) { return u.from, u.kind == memberUnit }

// Link returns the link, and whether the unit is one.
func (u Unit) Link() (fleet.Link, bool) {
	return fleet.Link{From: u.from, To: u.to}, u.kind == linkUnit
}

// Touches tells whether the unit is that member, or a link that begins or ends there.
func (u Unit) Touches(cluster string) bool {
	return u.kind >= memberUnit && u.from == cluster || u.kind == linkUnit && u.to == cluster
}

// String returns "cluster west", "link east -> west", "root" or "fleet".
func (u Unit) String() string {
	switch u.kind {
	case rootUnit:
		return rootWord
	case memberUnit:
		return clusterWord + u.from
	case linkUnit:
		return linkWord + u.from + arrow + u.to
	}
	return fleetWord
}

// ParseUnit reads what String writes.
func ParseUnit(s string) (Unit, error) {
	if name, ok := strings.CutPrefix(s, clusterWord); ok && name != "" {
		return Member(name), nil
	}
	if ends, ok := strings.CutPrefix(s, linkWord); ok {
		if from, to, ok := strings.Cut(ends, arrow); ok && from != "" && to != "" {
			return LinkOf(fleet.Link{From: from, To: to}), nil
		}
	}
	switch s {
	case rootWord:
		return Root(), nil
	case fleetWord:
		return Unit{}, nil
	}
	return Unit{}, fmt.Errorf("%q names no unit; want cluster NAME, link FROM -> TO, or root", s)
}

// MarshalText writes String.
func (u Unit) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (u *Unit) UnmarshalText(text []byte) (err error) {
	*u, err = ParseUnit(string(text))
	return err
}

// Compare orders the fleet, the root, the members by name, and the links by source
// and target.
func (u Unit) Compare(v Unit) int {
	return cmp.Or(cmp.Compare(u.kind, v.kind), cmp.Compare(u.from, v.from), cmp.Compare(u.to, v.to))
}

// WorkflowID returns the ID of the child workflow that works on the unit, below the
// fleet's workflow with the given ID. The root and the fleet have no child: theirs is
// the given one.
func (u Unit) WorkflowID(fleetWorkflow string) string {
	switch u.kind {
	case memberUnit:
		return fleetWorkflow + ".cluster." + u.from
	case linkUnit:
		return LinksWorkflowID(fleetWorkflow, u.from) + "." + u.to
	}
	return fleetWorkflow
}

// LinksWorkflowID returns the ID of the child workflow that starts those of all links
// of one source.
func LinksWorkflowID(fleetWorkflow, source string) string {
	return fleetWorkflow + ".links." + source
}

// JSONSchema describes the text to editors and to readers of a report.
func (Unit) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Description: "cluster NAME, link FROM -> TO, root, or fleet"}
}
