package kube_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// verbsOf returns what was asked of ConfigMaps, in order.
func verbsOf(server *kubetest.Server) (out []string) {
	for _, r := range server.Requests() {
		if r.Resource == kinds.ConfigMaps.Resource {
			out = append(out, r.Verb)
		}
	}
	return out
}

func TestRemove_TheAnswerSaysThatItIsGone_AsksNoMore(t *testing.T) {
	fake := kubetest.New("east", owned("one", "east.west", "run-1"), owned("two", "east.west", "run-1"))
	server := kubetest.Listen(t, fake)
	w := &kube.Writer{Cluster: reach(t, server), Owner: writing(fake, "run-1").Owner}
	require.NoError(t, w.Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""))
	require.Equal(t, []string{"list", "delete", "delete"}, verbsOf(server))
}

func TestRemove_TheAnswerHasTheObject_WaitsForItsEnd(t *testing.T) {
	held := owned("one", "east.west", "run-1")
	held.Finalizers = []string{"example.com/hold"}
	fake := kubetest.New("east", held)
	server := kubetest.Listen(t, fake)
	time.AfterFunc(300*time.Millisecond, func() {
		of := fake.Client.CoreV1().ConfigMaps("istio-system")
		if free, err := of.Get(t.Context(), "one", metav1.GetOptions{}); err == nil {
			free.Finalizers = nil
			_, _ = of.Update(t.Context(), free, metav1.UpdateOptions{})
		}
	})
	w := &kube.Writer{Cluster: reach(t, server), Owner: writing(fake, "run-1").Owner}
	require.NoError(t, w.Remove(t.Context(), kinds.ConfigMaps, "istio-system", ""))
	asked := verbsOf(server)
	require.Equal(t, []string{"list", "delete", "get"}, asked[:3])
	require.Equal(t, "get", asked[len(asked)-1], "the API server itself says that it is gone")
}
