package api

import (
	"time"

	"github.com/landbridge/landbridge/internal/fleet"
)

// Plan holds what a rollout may do, and the state of the fleet for which somebody looked
// at it. The rollout is refused where either is another one by now.
type Plan struct {
	At time.Time `json:"at"`
	// Last tells which fleet file had been applied.
	Last fleet.Applied `json:"last,omitzero"`
	// Units lists what would be done. Objects that stay as they are have no change.
	Units []PlannedUnit `json:"units"`
}

// PlanOf returns the plan that PlanFleet made.
func PlanOf(r FleetResult, at time.Time) *Plan {
	p := &Plan{At: at.UTC().Truncate(time.Second), Last: r.Last, Units: []PlannedUnit{}}
	for _, u := range r.Plan {
		if changes := toDo(u.Changes); len(changes) > 0 {
			p.Units = append(p.Units, PlannedUnit{Unit: u.Unit, Changes: changes})
		}
	}
	return p
}

// toDo returns the changes that a rollout would make.
func toDo(changes []fleet.Change) (out []fleet.Change) {
	for _, c := range changes {
		if c.Action != fleet.Keep && c.Action != fleet.Wait {
			out = append(out, c)
		}
	}
	return out
}

// Since tells, for each object, how the new plan differs from this one.
func (p *Plan) Since(now *Plan) (out []Failure) {
	for _, u := range now.Units {
		for _, c := range u.Changes {
			was := p.change(u.Unit, c)
			if was == nil || was.Action != c.Action || was.Drift != c.Drift || was.Digest != c.Digest {
				out = append(out, since(u.Unit, c, was, &c))
			}
		}
	}
	for _, u := range p.Units {
		for _, c := range u.Changes {
			if now.change(u.Unit, c) == nil {
				out = append(out, since(u.Unit, c, &c, nil))
			}
		}
	}
	return out
}

// change returns what the plan does with an object, or nil.
func (p *Plan) change(unit Unit, of fleet.Change) *fleet.Change {
	for _, u := range p.Units {
		if u.Unit != unit {
			continue
		}
		for i, c := range u.Changes {
			if c.Kind == of.Kind && c.Namespace == of.Namespace && c.Name == of.Name {
				return &u.Changes[i]
			}
		}
	}
	return nil
}

// since tells what became of an object.
func since(unit Unit, of fleet.Change, was, is *fleet.Change) Failure {
	object := of.Kind + " " + of.Name
	if of.Namespace != "" {
		object = of.Kind + " " + of.Namespace + "/" + of.Name
	}
	said := object + " was " + would(was) + ", and is now " + would(is)
	if was != nil && is != nil && was.Action == is.Action {
		said = object + " is otherwise now: its fields, or who set them, are not those of the plan"
	}
	return Failure{Unit: unit, Type: TypePreflight, Message: said}
}

// would tells what a plan does with an object.
func would(c *fleet.Change) string {
	if c == nil {
		return "to stay as it is"
	}
	return map[fleet.Action]string{fleet.Create: "to be created", fleet.Update: "to be updated", fleet.Adopt: "to be taken over", fleet.Remove: "to be removed"}[c.Action]
}
