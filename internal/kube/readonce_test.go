package kube_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

func TestRead_TheSameObjectAgain_IsAskedForOnceUntilSomethingIsWritten(t *testing.T) {
	fake := kubetest.New("east", owned("one", "east.west", "run-1"))
	server := kubetest.Listen(t, fake)
	c := reach(t, server)
	typed := c.Client.CoreV1().ConfigMaps("istio-system")
	read := func() string {
		one, err := typed.Get(t.Context(), "one", metav1.GetOptions{})
		require.NoError(t, err)
		same, err := c.Get(t.Context(), kinds.ConfigMaps, "istio-system", "one")
		require.NoError(t, err)
		require.Equal(t, one.Annotations, same.GetAnnotations())
		_, err = c.Get(t.Context(), kinds.ConfigMaps, "istio-system", "none")
		require.Error(t, err)
		return one.Annotations["note"]
	}
	require.Empty(t, read())
	require.Empty(t, read())
	require.Equal(t, []string{"get", "get"}, verbsOf(server), "one that is there, and one that is not")

	one, err := typed.Get(t.Context(), "one", metav1.GetOptions{})
	require.NoError(t, err)
	one.Annotations["note"] = "written"
	_, err = typed.Update(t.Context(), one, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.Equal(t, "written", read())
	require.Equal(t, []string{"get", "get", "update", "get", "get"}, verbsOf(server))

	_, err = typed.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	_, err = typed.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"list", "list"}, verbsOf(server)[5:], "a list may tell what is new")

	time.Sleep(1100 * time.Millisecond)
	read()
	require.Equal(t, []string{"get", "get"}, verbsOf(server)[7:], "what was read is old by then")
}

func TestRead_AnotherActivity_ReadsForItself(t *testing.T) {
	fake := kubetest.New("east", owned("one", "east.west", "run-1"))
	server := kubetest.Listen(t, fake)
	for range 2 {
		_, err := reach(t, server).Get(t.Context(), kinds.ConfigMaps, "istio-system", "one")
		require.NoError(t, err)
	}
	require.Equal(t, []string{"get", "get"}, verbsOf(server))
}
