package fleet

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTokens_LifetimesThatCannotBe_AreRefused(t *testing.T) {
	for life, problem := range map[time.Duration]string{
		0:                "",
		10 * time.Minute: "",
		720 * time.Hour:  "",
		9 * time.Minute:  "spec.credentials.tokens.lifetime: Kubernetes gives tokens that live for at least 10m, got 9m0s",
		-time.Hour:       "spec.credentials.tokens.lifetime: Kubernetes gives tokens that live for at least 10m, got -1h0m0s",
		8761 * time.Hour: "spec.credentials.tokens.lifetime: 8761h0m0s is longer than the 8760h0m0s of the clusters' certificates (spec.ca.intermediateLifetime)",
	} {
		f := Fleet{APIVersion: APIVersion, Kind: Kind, Metadata: Metadata{Name: "prod"}, Spec: Spec{Clusters: []Cluster{
			{Name: "east", Network: "e", Kubeconfig: Kubeconfig{Path: "east"}}, {Name: "west", Network: "w", Kubeconfig: Kubeconfig{Path: "west"}}}}}
		f.Spec.Credentials.Tokens.Lifetime = Duration(life)
		f.SetDefaults()
		err := f.Validate()
		if problem == "" {
			require.NoError(t, err, life)
			continue
		}
		require.ErrorContains(t, err, problem)
	}
}

func TestReaderTokenNumber_OfOtherNames_IsNone(t *testing.T) {
	for name, want := range map[string]int{"landbridge-reader-east-1": 1, "landbridge-reader-east-12": 12, "landbridge-reader-east-0": 0, "landbridge-reader-east-01": 0,
		"landbridge-reader-east": 0, "landbridge-reader-west-1": 0, "istio-remote-secret-token-east": 0, "landbridge-reader-east-x": 0} {
		require.Equal(t, want, ReaderTokenNumber("east", name), name)
	}
}

func TestRotationEvery_OfATokenThatSomebodyMadeEnd_IsNeverNothing(t *testing.T) {
	for _, life := range []time.Duration{-time.Hour, 0, time.Second, time.Minute} {
		require.Equal(t, time.Minute, RotationEvery(life))
	}
}

func TestRotationEvery_LeavesRoomForASecondTry(t *testing.T) {
	for _, life := range []time.Duration{10 * time.Minute, 24 * time.Hour, 720 * time.Hour} {
		from := time.Now()
		ends := from.Add(life)
		require.LessOrEqual(t, 2*RotationEvery(life), ends.Sub(TokenDue(from, ends)), life)
		require.Positive(t, RotationEvery(life))
	}
}
