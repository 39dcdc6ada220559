package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRenewalEvery_FollowsWhatEndsFirst(t *testing.T) {
	const day = 24 * time.Hour
	no := false
	for name, c := range map[string]struct {
		change func(*CA)
		tokens time.Duration
		want   time.Duration
	}{
		"the defaults":                      {func(*CA) {}, 0, 7 * day},
		"tokens that end before":            {func(*CA) {}, 6 * day, day},
		"tokens that end after":             {func(*CA) {}, 300 * day, 7 * day},
		"short certificates":                {func(ca *CA) { ca.IntermediateLifetime = Duration(6 * day) }, 0, day},
		"certificates that end as the root": {func(ca *CA) { ca.IntermediateLifetime = ca.RootLifetime }, 0, 0},
		"and tokens that end":               {func(ca *CA) { ca.IntermediateLifetime = ca.RootLifetime }, 600 * day, 100 * day},
		"existing CAs":                      {func(ca *CA) { ca.Manage = &no }, 0, 0},
	} {
		f := Fleet{}
		f.SetDefaults()
		c.change(&f.Spec.CA)
		require.Equal(t, c.want, f.RenewalEvery(c.tokens), name)
	}
}

func TestIntermediateLifetime_IsAYearUnlessTheRootEndsBefore(t *testing.T) {
	for root, want := range map[time.Duration]time.Duration{0: 8760 * time.Hour, 48 * time.Hour: 48 * time.Hour} {
		f := Fleet{Spec: Spec{CA: CA{RootLifetime: Duration(root)}}}
		f.SetDefaults()
		require.Equal(t, want, f.Spec.CA.IntermediateLifetime.Std())
	}
}
