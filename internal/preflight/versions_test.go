package preflight

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/kinds"
)

// runs puts an istiod of a version into the cluster, which Sail made.
func (m *member) runs(image string) {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "istiod", Labels: map[string]string{"app": "istiod", "istio.io/rev": "default"}}}
	p.Spec.Containers = []corev1.Container{{Name: "discovery", Image: image}}
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	m.Put(p)
}

func TestCheck_TellsWhatRunsAndWhatIsWanted(t *testing.T) {
	known := []any{"v1.30-latest", "v1.30.5", "v1.30.4", "v1.29.9", "v1.29.8", "v1.31.0"}
	var names []string
	for _, k := range known {
		names = append(names, k.(string))
	}
	for version, want := range map[string]api.IstioVersions{
		"v1.31.0":      {Wanted: "v1.31.0", Istiod: "v1.28.3", Next: "v1.29.9"},
		"v1.30-latest": {Wanted: "v1.30.5", Alias: "v1.30-latest", Istiod: "v1.28.3", Next: "v1.29.9"},
		"":             {Istiod: "v1.28.3", Next: "v1.29.9"},
	} {
		m := newMember(t)
		m.Put(crd(kinds.Istios, known...))
		m.Put(crd(kinds.IstioCNIs, known...))
		m.runs("docker.io/istio/pilot:1.28.3")
		m.in.IstioVersion = version
		got, err := m.check(t)
		require.NoError(t, err)
		require.Empty(t, got.Problems)
		require.Equal(t, want, got.Istio)
		if version == "" {
			require.Equal(t, names, got.KnownIstio, "the rollout is to choose")
		} else {
			require.Empty(t, got.KnownIstio)
		}
	}
}

// Gateways beside an existing Istio have its version, also while it is restarted.
func TestCheck_AnExistingIstio_HasTheVersionThatItRuns(t *testing.T) {
	m := newMember(t)
	m.withMesh()
	m.in.IstioVersion = ""
	got, err := m.check(t)
	require.NoError(t, err)
	require.Equal(t, api.IstioVersions{Wanted: "v1.31.0"}, got.Istio)
	require.Empty(t, got.KnownIstio)
}
