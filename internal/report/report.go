// Package report makes one document of what a rollout or cleanup did, from its
// history in Temporal alone: what was asked for, by whom and why, each step with
// its objects, attempts and errors, the decisions, the certificates and the
// proof. It needs no cluster and no worker, and holds no secret, since none is in
// a history.
package report

import (
	_ "embed"
	"encoding/json"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

//go:generate go test . -run TestSchema_FileIsFresh -update

// Schema is the JSON schema of a report.
//
//go:embed schema.json
var Schema []byte

// Report describes what one rollout, cleanup or other workflow of a fleet did.
type Report struct {
	// Fleet, and what was asked for: RolloutFleet, CleanupFleet and so on.
	Fleet string `json:"fleet"`
	Type  string `json:"type"`
	fleet.Request
	// Clusters and Links of the fleet file.
	Clusters []string `json:"clusters"`
	Links    []string `json:"links"`
	// Status is running, done, failed, canceled or terminated; Error is the one
	// that it ended with.
	Status string     `json:"status"`
	Error  string     `json:"error,omitempty"`
	Began  time.Time  `json:"began"`
	Ended  *time.Time `json:"ended,omitempty"`
	// Identity is where all this can be looked up again.
	Identity Identity `json:"identity"`
	// Units are the fleet, its clusters and its links, in the order in which they began.
	Units []UnitReport `json:"units"`
	// Waits tell when the run waited for people.
	Waits []Wait `json:"waits,omitempty"`
	// Decisions that people took meanwhile.
	Decisions    []api.Decision        `json:"decisions"`
	Certificates []Certificate         `json:"certificates"`
	Proofs       []api.CheckLinkResult `json:"proofs"`
	// Made is when the report was, and By which build.
	Made    time.Time `json:"made"`
	Version string    `json:"version"`
}

// Identity is a run in Temporal.
type Identity struct {
	Namespace string `json:"namespace"`
	Workflow  string `json:"workflow"`
	Run       string `json:"run"`
	// Events of its history and of all its children's.
	Events int `json:"events"`
}

// UnitReport is the fleet's own part, a cluster, or a link.
type UnitReport struct {
	Name     string     `json:"name"`
	Workflow string     `json:"workflow"`
	Run      string     `json:"run"`
	State    string     `json:"state"`
	Error    string     `json:"error,omitempty"`
	Began    time.Time  `json:"began"`
	Ended    *time.Time `json:"ended,omitempty"`
	Steps    []Step     `json:"steps"`
}

// The states of a unit or step.
const (
	Running  = "running"
	Done     = "done"
	Failed   = "failed"
	Canceled = "canceled"
)

// Step is one activity.
type Step struct {
	// Step of the guide, and the Cluster it was done on; empty for a worker's root.
	Step     string     `json:"step"`
	Cluster  string     `json:"cluster,omitempty"`
	Activity string     `json:"activity"`
	State    string     `json:"state"`
	Began    time.Time  `json:"began"`
	Ended    *time.Time `json:"ended,omitempty"`
	// Attempts that it took. LastError is how the one before the last ended, Error how
	// the last did.
	Attempts  int            `json:"attempts"`
	LastError string         `json:"lastError,omitempty"`
	Error     string         `json:"error,omitempty"`
	Changes   []fleet.Change `json:"changes,omitempty"`
}

// Certificate is one that the run made, or found good.
type Certificate struct {
	Of string `json:"of"`
	api.CertificateFacts
	seen time.Time
}

// generateSchema makes Schema from the types.
func generateSchema() ([]byte, error) {
	r := &jsonschema.Reflector{ExpandedStruct: true, FieldNameTag: "json"}
	if err := r.AddGoComments("github.com/landbridge/landbridge/internal/report", "."); err != nil {
		return nil, err
	}
	s := r.Reflect(&Report{})
	s.ID = "https://landbridge.dev/v1alpha1/report.json"
	s.Title = "Landbridge report"
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}
