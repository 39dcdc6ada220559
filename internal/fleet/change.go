package fleet

// Action is what a step did, or would do, with an object.
type Action string

// The actions, as plan prints them.
const (
	Create Action = "create"
	Update Action = "update"
	Keep   Action = "keep"
	Adopt  Action = "adopt"
	Remove Action = "remove"
)

// Change is what a step did, or would do, with one object of one cluster. It
// holds names only.
type Change struct {
	Action    Action `json:"action"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Note says why, where that is not plain.
	Note string `json:"note,omitempty"`
}

// Changes is what one step did or would do. Every activity's result embeds it.
type Changes struct {
	Changes []Change `json:"changes,omitempty"`
}

// All returns the changes.
func (c Changes) All() []Change { return c.Changes }

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
