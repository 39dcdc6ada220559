package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadsSecrets_UnlessTheFileHasIstiodDoWithout(t *testing.T) {
	existing := false
	env := func(value any) map[string]any {
		return map[string]any{"pilot": map[string]any{"env": map[string]any{RemoteCredentials: value}}}
	}
	for name, c := range map[string]struct {
		istio             Istio
		version           string
		reads, cannotDoSo string
	}{
		"by default":              {Istio{}, "v1.31.3", "Istio's default", ""},
		"switched on":             {Istio{Values: env("true")}, "v1.31.3", "Istio's default", ""},
		"switched off":            {Istio{Values: env("false")}, "v1.31.3", "", ""},
		"switched off, a boolean": {Istio{Values: env(false)}, "v1.32.0", "", ""},
		"before there was one":    {Istio{Values: env("false")}, "v1.30.7", "Istio v1.30.7 does not know PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER", ""},
		"the version that panics": {Istio{Values: env("false")}, "v1.31.0", "",
			"istiod v1.31.0 ends with a panic at its first remote secret where PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER is false (spec.istio.values.pilot.env); take the setting out, or roll out another version"},
		"that version, by default": {Istio{}, "v1.31.0", "Istio's default", ""},
		"an alias, not resolved":   {Istio{Values: env("false")}, "v1.31-latest", "Istio v1.31-latest does not know PILOT_ENABLE_REMOTE_CREDENTIALS_CONTROLLER", ""},
		"an existing one":          {Istio{Manage: &existing, Values: env("false")}, "v1.31.3", "its Istio is an existing one", ""},
		"other values":             {Istio{Values: map[string]any{"pilot": "none"}}, "v1.31.3", "Istio's default", ""},
	} {
		require.Equal(t, c.reads, c.istio.ReadsSecrets(c.version), name)
		require.Equal(t, c.cannotDoSo, c.istio.CannotDoWithoutSecrets(c.version), name)
	}
}
