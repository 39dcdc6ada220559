package fleet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestNames_AreThoseOfTheGuide(t *testing.T) {
	for want, got := range map[string]string{
		"kube-apiserver-west-egress-gateway":                                            EgressGateway("west"),
		"kube-apiserver-east-to-west":                                                   EgressIdentity(Link{"east", "west"}),
		"kube-apiserver-west.istio-system.svc.cluster.local":                            TunnelHost("west", "istio-system"),
		"https://kube-apiserver-west-egress-gateway.istio-system.svc.cluster.local:443": EgressPerLink.Server("west", "istio-system"),
		"istio-remote-secret-west":                                                      RemoteSecret("west"),
		"landbridge-reader-east":                                                        Reader("east"),
		"landbridge-reader-east-2":                                                      ReaderToken("east", 2),
		"landbridge.prod":                                                               WorkflowID("prod"),
	} {
		require.Equal(t, want, got)
	}
}

// The longest names that a fleet file may have still fit where they go.
func TestNames_OfTheLongestCluster_FitIntoKubernetesAndHelm(t *testing.T) {
	a, b := strings.Repeat("a", maxClusterName), strings.Repeat("b", maxClusterName)
	require.LessOrEqual(t, len(EgressGateway(a)), 53, "the name of a Helm release")
	for _, name := range []string{EgressGateway(a), RemoteSecret(a), Reader(a), ReaderToken(a, 999999), EastWestGateway, SystemNamespace, InventoryName} {
		require.Empty(t, validation.IsDNS1123Label(name), name)
	}
	require.Empty(t, validation.IsDNS1123Subdomain(EgressIdentity(Link{a, b})), "a service account may have a longer name")
	require.Empty(t, validation.IsValidLabelValue(Link{a, b}.ID()))
	require.Empty(t, validation.IsValidLabelValue(strings.Repeat("f", maxFleetName)))
	require.Empty(t, validation.IsDNS1123Subdomain(TunnelHost(a, "istio-system")))
}

// No two links share an identity: a name with -to- in it is refused.
func TestNames_OfIdentities_TellLinksApart(t *testing.T) {
	_, err := Parse("fleet.yaml", []byte(strings.ReplaceAll(small, "name: east", "name: a-to-b")))
	require.ErrorContains(t, err, "must not contain -to-")
}

func TestNames_OfLabelsAndAnnotations_AreQualified(t *testing.T) {
	for _, name := range []string{LabelFleet, LabelLink, LabelComponent, LabelManagedBy, LabelNetwork, AnnotationRun, AnnotationApplied,
		AnnotationReason, AnnotationRequestedBy, AnnotationAdopted, AnnotationPort} {
		require.Empty(t, validation.IsQualifiedName(name), name)
	}
	group, version, ok := strings.Cut(APIVersion, "/")
	require.True(t, ok)
	require.Equal(t, Domain, group)
	require.Equal(t, "v1alpha1", version)
}
