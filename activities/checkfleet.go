package activities

import (
	"context"

	"github.com/landbridge/landbridge/internal/api"
)

// CheckFleet says what is wrong in a fleet file, as the command does before it sends one.
// It reaches no cluster.
func (a *Activities) CheckFleet(_ context.Context, in api.CheckFleetInput) (api.CheckFleetResult, error) {
	if err := in.Fleet.Validate(); err != nil {
		return api.CheckFleetResult{Wrong: err.Error()}, nil //nolint:nilerr // trying again does not mend a file
	}
	return api.CheckFleetResult{}, nil
}
