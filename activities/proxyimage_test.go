package activities

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// injects has the istiod of a revision inject by these values.
func (w *world) injects(name, values string) {
	w.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: name}, Data: map[string]string{"values": values}})
}

func TestProxyImage_IsTheOneThatIstioWouldInject(t *testing.T) {
	w := newWorld(t, "west")
	for values, want := range map[string]string{
		`{"global":{"hub":"docker.io/istio","tag":"1.31.3","proxy":{"image":"proxyv2"}}}`:                   "docker.io/istio/proxyv2:1.31.3",
		`{"global":{"hub":"docker.io/istio","tag":"1.31.3","variant":"distroless"}}`:                        "docker.io/istio/proxyv2:1.31.3-distroless",
		`{"global":{"hub":"r.example","tag":1.31}}`:                                                         "r.example/proxyv2:1.31",
		`{"global":{"hub":"x","tag":"1","proxy":{"image":"registry.redhat.io/istio-proxyv2@sha256:0123"}}}`: "registry.redhat.io/istio-proxyv2@sha256:0123",
		`{"global":{"hub":"x"}}`: "",
		`nonsense`:               "",
	} {
		w.injects("istio-sidecar-injector-canary", values)
		c, err := w.acts.open(w.t.Context(), w.ref) // as each activity does
		require.NoError(t, err)
		got, err := proxyImage(t.Context(), c, "istio-system", "canary")
		require.NoError(t, err)
		require.Equal(t, want, got, values)
		got, err = proxyImage(t.Context(), c, "istio-system", "default")
		require.NoError(t, err)
		require.Empty(t, got, "another revision's")
	}
}

// An istiod that moved on under an alias, or to another registry, changes none of our
// values, and yet its gateways are to follow.
func TestGateways_TheirIstiodInjectsAnotherProxy_AreMadeAnew(t *testing.T) {
	const old, moved = "docker.io/istio/proxyv2:1.31.2", "docker.io/istio/proxyv2:1.31.3"
	w := newWorld(t, "west").withInventory()
	link := fleet.Link{From: "west", To: "east"}
	gateways := map[string]func() []fleet.Change{
		"istio-eastwestgateway": func() []fleet.Change {
			changes, err := w.acts.EnsureEastWestGateway(t.Context(), w.eastWest())
			require.NoError(t, err)
			return changes.All()
		},
		"kube-apiserver-east-egress-gateway": func() []fleet.Change {
			changes, err := w.acts.EnsureEgressGateway(t.Context(), api.EnsureEgressGatewayInput{LinkRef: api.LinkRef{ClusterRef: w.ref, Link: link}, GatewaySettings: guideGateways()})
			require.NoError(t, err)
			return changes.All()
		},
	}
	for name, ensure := range gateways {
		at := func() any {
			return field(w.snapshot()["Deployment istio-system/"+name], "spec", "template", "metadata", "annotations", fleet.AnnotationProxy)
		}
		w.injects("istio-sidecar-injector", `{"global":{"hub":"docker.io/istio","tag":"1.31.2"}}`)
		w.by("run-1")
		ensure()
		w.by("run-2")
		require.Equal(t, old, at())
		requireAll(t, ensure(), fleet.Keep)

		w.injects("istio-sidecar-injector", `{"global":{"hub":"docker.io/istio","tag":"1.31.3"}}`)
		w.ref.DryRun = true
		drift := ensure()
		require.Contains(t, actions(drift), "update Deployment istio-system/"+name, "drift tells it")
		require.False(t, isDrift(drift), "and nobody else is to blame")
		require.Contains(t, fields(drift), `values.podAnnotations.landbridge.dev/proxy-image: "`+old+`" -> "`+moved+`"`)
		require.Equal(t, old, at())
		w.ref.DryRun = false

		require.Contains(t, actions(ensure()), "update Deployment istio-system/"+name)
		w.by("run-3")
		require.Equal(t, moved, at())
		requireAll(t, ensure(), fleet.Keep)
	}
}

func isDrift(changes []fleet.Change) bool {
	for _, c := range changes {
		if c.Drift {
			return true
		}
	}
	return false
}

// fields lists the fields that differ, as a person reads them.
func fields(changes []fleet.Change) (out []string) {
	for _, c := range changes {
		for _, f := range c.Fields {
			out = append(out, f.Path+": "+f.From+" -> "+f.To)
		}
	}
	return out
}
