package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
)

// inMesh has two pods of a shop in north's mesh, and north in every inventory.
func inMesh(f *fake) {
	f.answer = func(c fakeCall, result any) {
		remember(testFleet("east", "north", "west"), c, result)
		if r, ok := result.(*api.CheckWorkloadsResult); ok && c.ref.Cluster == "north" {
			r.Workloads = []api.Workloads{{Cluster: "north", Namespace: "shop", Pods: 2}}
		}
	}
}

const shopInMesh = "namespace shop of north (2 pods); take them out of the mesh first, or give --force"

func TestWorkloads_InTheMeshOfAControlPlaneThatGoes_NothingIsRemovedUnlessForced(t *testing.T) {
	for name, c := range map[string]struct {
		workflow any
		in       api.FleetInput
	}{"cleanup": {CleanupFleet, api.FleetInput{}}, "prune": {RolloutFleet, api.FleetInput{Prune: true}}} {
		t.Run(name, func(t *testing.T) {
			f, in := newFake(t), c.in
			in.Fleet = testFleet("east", "west")
			inMesh(f)
			err := f.run(c.workflow, in)
			require.Equal(t, api.TypePreflight, errorType(t, err))
			require.ErrorContains(t, err, shopInMesh)
			require.Empty(t, f.names(removes))
			require.NotContains(t, f.names(nil), "EndSchedule")

			f = newFake(t)
			inMesh(f)
			in.Force = true
			require.NoError(t, f.run(c.workflow, in))
			require.Contains(t, f.names(removes), "RemoveIstio north")
		})
	}
}

func TestWorkloads_AreSaidByPlanAndDryRun(t *testing.T) {
	f := newFake(t)
	inMesh(f)
	require.NoError(t, f.run(CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west"), DryRun: true}))
	var cleanup api.CleanupResult
	require.NoError(t, f.GetWorkflowResult(&cleanup))
	require.Contains(t, cleanup.Refused, shopInMesh)
	require.Len(t, cleanup.Workloads, 1)

	f = newFake(t)
	inMesh(f)
	require.NoError(t, f.run(PlanFleet, api.FleetInput{Fleet: testFleet("east", "west"), DryRun: true}))
	var plan api.FleetResult
	require.NoError(t, f.GetWorkflowResult(&plan))
	var notes []string
	for _, u := range plan.Plan {
		for _, c := range u.Changes {
			notes = append(notes, c.Note)
		}
	}
	require.Contains(t, notes, "left the fleet file; --prune removes it; 2 pods of namespace shop in its mesh: needs --force")
}

// Where pods may not be listed, nobody knows who needs the control plane. A cluster that
// does not answer keeps nothing: it cannot be changed either.
func TestWorkloads_CannotBeSeen(t *testing.T) {
	for failure, want := range map[string]string{api.TypeForbidden: api.TypePreflight, api.TypeUnreachable: ""} {
		f := newFake(t)
		f.on = func(c fakeCall) error {
			if c.name == "CheckWorkloads" {
				return withType(broken(c), failure)
			}
			return nil
		}
		err := f.run(CleanupFleet, api.FleetInput{Fleet: testFleet("east", "west")})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, want, errorType(t, err))
		require.Empty(t, f.names(removes))
	}
}

// An Istio that somebody else installed stays, and whoever uses it is not looked for.
func TestWorkloads_OfAnIstioThatStays_AreNoMatter(t *testing.T) {
	f, in := newFake(t), api.FleetInput{Fleet: testFleet("east", "west")}
	no := false
	in.Fleet.Spec.Istio.Manage = &no
	require.NoError(t, f.run(CleanupFleet, in))
	require.NotContains(t, f.names(nil), "CheckWorkloads east")
}
