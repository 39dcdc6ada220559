package fleet

import (
	"slices"
	"time"
)

// Action names what a step did, or would do, with an object.
type Action string

// The actions, as plan prints them.
const (
	Create Action = "create"
	Update Action = "update"
	Keep   Action = "keep"
	Adopt  Action = "adopt"
	Remove Action = "remove"
	// Wait says that an object is as it should be, and does not work yet.
	Wait Action = "wait"
)

// Change tells what a step did, or would do, with one object of one cluster. After
// a rollout it has names only; in a plan it has the fields too.
type Change struct {
	Action    Action `json:"action"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Note says why, where that is not plain.
	Note string `json:"note,omitempty"`
	// Fields are those that a plan would set or change. Of a Secret's values there are
	// only fingerprints.
	Fields []Field `json:"fields,omitempty"`
	// Digest stands for the fields where they are left out, so that two plans can be
	// compared.
	Digest string `json:"digest,omitempty"`
	// Drift says that somebody else changed the object since it was applied; only
	// --force-conflicts overwrites that.
	Drift bool `json:"drift,omitempty"`
	// ChangedBy tells with what that was done, and when, as far as the API server noted it.
	ChangedBy ChangedBy `json:"changedBy,omitzero"`
	// Deleted says of an object to create that it was there after the last rollout.
	Deleted bool `json:"deleted,omitempty"`
	// Cluster and Manifest are set where somebody asked for the manifests: the object
	// as it would be applied, in YAML. A Secret has none.
	Cluster  string `json:"cluster,omitempty"`
	Manifest string `json:"manifest,omitempty"`
}

// ChangedBy names the program with which an object was changed, such as kubectl-edit, and when.
// Kubernetes notes no persons.
type ChangedBy struct {
	With string    `json:"with"`
	At   time.Time `json:"at,omitzero"`
}

// String returns the words for people, or nothing where nobody knows.
func (b ChangedBy) String() string {
	if b.With == "" {
		return ""
	}
	return "with " + b.With + " at " + b.At.Format(time.RFC3339)
}

// Field names one field of an object by its path. Values are JSON, and short.
type Field struct {
	Path string `json:"path"`
	// From is the live value; empty where there is none.
	From string `json:"from,omitempty"`
	To   string `json:"to"`
}

// WithoutFields returns the changes with names and digests only: the history of a parent need
// not hold what the history of its child does.
func (c Changes) WithoutFields() Changes {
	out := Changes{Changes: slices.Clone(c.Changes)}
	for i := range out.Changes {
		if len(out.Changes[i].Fields) > 0 {
			out.Changes[i].Digest = digest(out.Changes[i].Fields)
		}
		out.Changes[i].Fields, out.Changes[i].Manifest = nil, ""
	}
	return out
}

// Changes lists what one step did or would do.
type Changes struct {
	Changes []Change `json:"changes,omitempty"`
}

// All returns the changes.
func (c Changes) All() []Change { return c.Changes }

// Unchanged says whether the step left everything as it was.
func (c Changes) Unchanged() bool {
	return !slices.ContainsFunc(c.Changes, func(ch Change) bool { return ch.Action != Keep })
}

// Created says whether the step made an object that was not there before: only
// then does an undo have something to remove.
func (c Changes) Created() bool {
	for _, ch := range c.Changes {
		if ch.Action == Create || ch.Action == Adopt {
			return true
		}
	}
	return false
}
