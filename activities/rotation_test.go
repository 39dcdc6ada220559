package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/api"
)

// A look at some of the links knows nothing of a cluster that shortened the others' tokens.
func TestInterval_OfALookAtSome_OnlyGetsShorter(t *testing.T) {
	every := func(d time.Duration) *client.ScheduleSpec {
		return &client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: d}}}
	}
	for name, c := range map[string]struct {
		partly bool
		have   *client.ScheduleSpec
		want   time.Duration
	}{
		"some, shorter before": {true, every(4 * time.Hour), 4 * time.Hour},
		"some, longer before":  {true, every(120 * time.Hour), 24 * time.Hour},
		"some, and nothing":    {true, &client.ScheduleSpec{}, 24 * time.Hour},
		"all, shorter before":  {false, every(4 * time.Hour), 24 * time.Hour},
		"all, longer before":   {false, every(120 * time.Hour), 24 * time.Hour},
	} {
		require.Equal(t, c.want, interval(api.SetRotationInput{Every: 24 * time.Hour, Partly: c.partly}, c.have), name)
	}
}
