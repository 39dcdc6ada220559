package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// knowing has every member know a root.
func knowing(f *fake) *fake {
	f.answer = func(c fakeCall, result any) {
		switch r := result.(type) {
		case *api.CheckIntermediateResult:
			r.Known = fleet.KnownRoot{Fingerprint: "sha256:0", Kept: "there"}
		case *api.SealRootResult:
			r.Sealed, r.Kept = "sealed", "there"
		}
	}
	return f
}

func moveInput() api.FleetInput {
	return api.FleetInput{Fleet: testFleet("east", "west"), Root: api.RootChange{To: fleet.RootStore{Cluster: "west"}}}
}

func anyCall(fakeCall) bool { return true }

func TestMoveRoot_KeepsItThereBeforeItRemovesItHere(t *testing.T) {
	f := knowing(newFake(t))
	require.NoError(t, f.run(MoveRoot, moveInput()))
	require.Equal(t, []string{"OfferRoot west", "SealRoot", "ReceiveRoot west"}, f.names(anyCall)[2:5])
	calls := f.names(anyCall)
	require.ElementsMatch(t, []string{"RememberRoot east", "RememberRoot west"}, calls[5:7])
	require.Equal(t, "RemoveRoot", calls[7])
	require.ElementsMatch(t, []string{"ReleaseInventory east", "ReleaseInventory west"}, calls[8:])
}

// Wherever a move fails, the root stays where it was, and the same command goes on.
func TestMoveRoot_EachStepFails_TheRootStays(t *testing.T) {
	for _, failing := range []string{"OfferRoot west", "SealRoot", "ReceiveRoot west", "RememberRoot east"} {
		t.Run(failing, func(t *testing.T) {
			f := knowing(newFake(t))
			f.on = func(c fakeCall) error {
				if c.String() == failing {
					return broken(c)
				}
				return nil
			}
			err := f.run(MoveRoot, moveInput())
			require.Equal(t, api.TypeFailed, errorType(t, err))
			require.ErrorContains(t, err, "the same command goes on from here")
			require.NotContains(t, f.names(anyCall), "RemoveRoot")
			require.Contains(t, f.names(anyCall), "ReleaseInventory east")
		})
	}
}

func TestImportRoot_IsKeptInThePlaceOfTheFile(t *testing.T) {
	f := knowing(newFake(t))
	in := api.FleetInput{Fleet: testFleet("east"), Root: api.RootChange{Sealed: "sealed"}}
	require.NoError(t, f.run(ImportRoot, in))
	require.Equal(t, []string{"CheckIntermediate east", "ReceiveRoot", "RememberRoot east", "ReleaseInventory east"}, f.names(anyCall))
	require.Equal(t, []api.MemberRoot{{Cluster: "east", KnownRoot: fleet.KnownRoot{Fingerprint: "sha256:0", Kept: "there"}}}, f.calls[1].in.(api.ReceiveRootInput).Known)
}

func TestImportRoot_ThePlaceRefusesIt_SaysThatItIsNotImported(t *testing.T) {
	f := knowing(newFake(t))
	f.on = failing("ReceiveRoot", "", 1)
	err := f.run(ImportRoot, api.FleetInput{Fleet: testFleet("east"), Root: api.RootChange{Sealed: "sealed"}})
	require.Equal(t, api.TypeFailed, errorType(t, err))
	require.ErrorContains(t, err, "the root is not imported; the same command goes on from here")
}

func TestInspectCA_WhatCannotBeRead_IsToldAndTheRestIsShown(t *testing.T) {
	for _, failing := range []string{"CheckIntermediate west", "CheckRoot"} {
		t.Run(failing, func(t *testing.T) {
			f := knowing(newFake(t))
			f.on = func(c fakeCall) error {
				if c.String() == failing {
					return broken(c)
				}
				return nil
			}
			require.NoError(t, f.run(InspectCA, api.FleetInput{Fleet: testFleet("east", "west")}))
			var out api.CAResult
			require.NoError(t, f.GetWorkflowResult(&out))
			require.Equal(t, "sha256:0", out.Clusters[0].Known.Fingerprint)
			require.Equal(t, failing == "CheckRoot", out.Root.Why != "")
			require.Equal(t, failing != "CheckRoot", out.Clusters[1].Why != "")
		})
	}
}

func TestRoot_OfferAndExport_ReturnWhatThePlaceSays(t *testing.T) {
	f := knowing(newFake(t))
	require.NoError(t, f.run(ExportRoot, api.FleetInput{Fleet: testFleet("east"), Root: api.RootChange{Recipients: []string{"age1x"}}}))
	var out api.ExportRootResult
	require.NoError(t, f.GetWorkflowResult(&out))
	require.Equal(t, "sealed", out.Sealed)
	for _, workflow := range []any{ExportRoot, OfferRoot} {
		f := newFake(t)
		f.on = func(c fakeCall) error {
			if c.name == "SealRoot" || c.name == "OfferRoot" {
				return broken(c)
			}
			return nil
		}
		require.Equal(t, api.TypeFailed, errorType(t, f.run(workflow, api.FleetInput{Fleet: testFleet("east")})))
	}
}
