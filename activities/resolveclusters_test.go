package activities

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kube"
)

// argo writes a cluster Secret of Argo CD into the world.
func (w *world) argo(name, calls string) {
	w.Put(&corev1.Secret{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "argocd", Name: name, Labels: map[string]string{"argocd.argoproj.io/secret-type": "cluster"}},
		Data:       map[string][]byte{"name": []byte(calls), "server": []byte("https://192.0.2.1"), "config": []byte(`{"bearerToken":"very-secret"}`)}})
}

func TestResolveClusters_ArgoCD_OnlyReferencesLeaveTheWorker(t *testing.T) {
	w := newWorld(t, "hub")
	in := api.ResolveClustersInput{ClusterRef: w.ref, Fleet: fleet.Fleet{APIVersion: fleet.APIVersion, Kind: fleet.Kind, Metadata: fleet.Metadata{Name: "prod"},
		Spec: fleet.Spec{ClustersFrom: []fleet.ClusterSource{{Source: fleet.SourceArgoCD, Namespace: "argocd"}}}}}
	in.Fleet.SetDefaults()
	_, err := w.acts.ResolveClusters(t.Context(), in)
	require.ErrorContains(t, err, "this worker was started without --management-kubeconfig")
	require.Equal(t, api.TypeKubeconfig, typeOf(err))

	file := filepath.Join(t.TempDir(), "hub")
	require.NoError(t, os.WriteFile(file, w.server.Kubeconfig(), 0o600))
	w.acts.Access.Management = kube.Management{Kubeconfig: file}
	_, err = w.acts.ResolveClusters(t.Context(), in)
	require.ErrorContains(t, err, "a fleet needs at least one cluster")
	require.Equal(t, api.TypeInvalid, typeOf(err))

	w.argo("a", "west")
	w.argo("b", "east")
	out, err := w.acts.ResolveClusters(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, out.Clusters, 2)
	require.Equal(t, "east", out.Clusters[0].Name, "in the order of their names")
	require.Equal(t, fleet.KubeconfigSecret{Namespace: "argocd", Name: "b", Format: fleet.FormatArgoCD}, out.Clusters[0].Kubeconfig.Secret)
	text, err := json.Marshal(out)
	require.NoError(t, err)
	require.NotContains(t, string(text), "very-secret")

	in.Fleet.Spec.Links = fleet.Links{List: []fleet.Link{{From: "east", To: "south"}}}
	_, err = w.acts.ResolveClusters(t.Context(), in)
	require.ErrorContains(t, err, `what spec.clustersFrom lists cannot be rolled out: spec.links[0].to: no cluster of this fleet is called "south"`)
	require.Equal(t, api.TypeInvalid, typeOf(err))
}
