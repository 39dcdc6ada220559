package preflight

import (
	"testing"

	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/fleet"
)

func TestCheck_EgressGatewaysThatWereFoundOpen_AreNamedByTheirLinks(t *testing.T) {
	m := newMember(t)
	for link, found := range map[string]string{"east.west": "open 2026-11-29T18:00:00Z 1", "east.north": "closed 2026-11-29T18:00:00Z 1", "east.south": ""} {
		m.Put(&networkingv1.NetworkPolicy{TypeMeta: metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: link, Labels: map[string]string{fleet.LabelFleet: "prod", fleet.LabelLink: link},
				Annotations: map[string]string{fleet.AnnotationOtherPods: found}}})
	}
	r, err := m.check(t)
	require.NoError(t, err)
	require.Equal(t, []string{"east.west"}, r.OpenLinks)
}
