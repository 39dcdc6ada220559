package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// planKind begins every file of a plan, beside the API version of the fleet file.
const planKind = "Plan"

// planFile holds a plan with all that a rollout of it needs. It has no secret: of a Secret
// that would change, a plan knows the name and a digest.
type planFile struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Input      api.FleetInput `json:"input"`
}

// writePlan keeps a plan in a file that only its owner can read, in place of an older one.
func writePlan(path string, in api.FleetInput) error {
	in.Contract, in.DryRun = api.Contract, false
	data, err := json.MarshalIndent(planFile{fleet.APIVersion, planKind, in}, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".plan-") // made with 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(data, '\n'))
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// readPlan returns the input of the rollout that does what was planned.
func readPlan(path string) (api.FleetInput, error) {
	const again = "`landbridge plan --out` writes one"
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return api.FleetInput{}, usage(fmt.Errorf("there is no plan %s; %s", path, again))
	}
	if err != nil {
		return api.FleetInput{}, usage(err)
	}
	var p planFile
	switch err := json.Unmarshal(data, &p); {
	case err != nil:
		return p.Input, usage(fmt.Errorf("%s is no plan of Landbridge: %w; %s", path, err, again))
	case p.APIVersion != fleet.APIVersion || p.Kind != planKind || p.Input.Plan == nil:
		return p.Input, usage(fmt.Errorf("%s is no plan of Landbridge; %s", path, again))
	case p.Input.Contract > api.Contract:
		return p.Input, usage(fmt.Errorf("the plan %s was made by a newer landbridge; take that one, or plan again", path))
	}
	if err := p.Input.Fleet.Validate(); err != nil {
		return p.Input, usage(fmt.Errorf("the plan %s: %w; plan again", path, err))
	}
	return p.Input, nil
}
