package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/inventory"
)

func TestInventory_ItIsReadLockedAndReleased(t *testing.T) {
	w := newWorld(t, "west")
	none, err := w.acts.CheckInventory(t.Context(), api.CheckInventoryInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Nil(t, none.Inventory, "there is none yet")

	w.withInventory()
	got, err := w.acts.CheckInventory(t.Context(), api.CheckInventoryInput{ClusterRef: w.ref})
	require.NoError(t, err)
	require.Equal(t, "prod", got.Inventory.Metadata.Name)
	for _, want := range []bool{true, false} { // a second release has nothing to do
		released, err := w.acts.ReleaseInventory(t.Context(), api.ReleaseInventoryInput{ClusterRef: w.ref})
		require.NoError(t, err)
		require.Equal(t, want, released.Released)
	}
}

func TestInventory_OfAnotherFleet_OrLockedByAnotherTemporal_IsRefused(t *testing.T) {
	w := newWorld(t, "west").withInventory()
	check := func() error {
		_, err := w.acts.CheckInventory(t.Context(), api.CheckInventoryInput{ClusterRef: w.ref})
		return err
	}
	ours := w.ref
	w.ref.Fleet = "other"
	var other *inventory.OtherFleetError
	require.ErrorAs(t, check(), &other)
	_, err := w.acts.EnsureInventory(t.Context(), w.inventory())
	require.ErrorAs(t, err, &other)

	w.ref = ours
	w.acts.Temporal = "elsewhere/default"
	w.by("run-2")
	var locked *inventory.LockedError
	require.ErrorAs(t, check(), &locked)
	_, err = w.acts.EnsureExposure(t.Context(), api.EnsureExposureInput{ClusterRef: w.ref, Gateways: guideGateways().Gateways})
	require.ErrorAs(t, err, &locked)
	require.NotContains(t, w.snapshot(), "Gateway istio-system/east-west")

	w.ref.TakeOver = true
	require.NoError(t, check())
	_, err = w.acts.EnsureExposure(t.Context(), api.EnsureExposureInput{ClusterRef: w.ref, Gateways: guideGateways().Gateways})
	require.NoError(t, err)
}
