package kube_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/restmapper"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/kinds"
	"github.com/landbridge/landbridge/internal/kube"
	"github.com/landbridge/landbridge/internal/kube/kubetest"
)

// discoveries opens clusters as the activities of runs do, and counts the requests for what
// a cluster is.
func discoveries(t *testing.T) (open func(run string) *kube.Cluster, asked func() int32) {
	t.Helper()
	var n atomic.Int32
	dir, runs, ref := t.TempDir(), &kube.Runs{}, fleet.Kubeconfig{Path: "k"}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "k"), kubetest.Listen(t, kubetest.New("west")).Kubeconfig(), 0o600))
	access := kube.Access{Dirs: []string{dir}, Wrap: func(rt http.RoundTripper) http.RoundTripper {
		return kube.RoundTripper(func(req *http.Request) (*http.Response, error) {
			if !strings.Contains(req.URL.Path, "/namespaces/") {
				n.Add(1)
			}
			return rt.RoundTrip(req)
		})
	}}
	return func(run string) *kube.Cluster {
		c, err := access.Open(t.Context(), "west", ref)
		require.NoError(t, err)
		runs.Share(c, run, ref)
		return c
	}, func() int32 { return n.Swap(0) }
}

func TestKnown_StepsOfOneRun_AskOnce(t *testing.T) {
	open, asked := discoveries(t)
	version, err := open("run-1").Version(t.Context())
	require.NoError(t, err)
	require.Equal(t, int32(1), asked())
	same, err := open("run-1").ServerVersion()
	require.NoError(t, err)
	require.Equal(t, version, same.GitVersion)
	require.Zero(t, asked())

	require.True(t, open("run-1").Has(kinds.ServiceEntries))
	require.NotZero(t, asked())
	require.True(t, open("run-1").Has(kinds.DestinationRules))
	require.False(t, open("run-1").Has(kinds.ServiceExports))
	require.Zero(t, asked())

	require.True(t, open("run-2").Has(kinds.ServiceEntries))
	require.NotZero(t, asked(), "another run asks for itself")
	open("run-2").Version(t.Context())
	require.Equal(t, int32(1), asked(), "the preflight always asks whether the API server answers")
}

func TestKnown_AKindIsNotFound_IsAskedForOnceMore(t *testing.T) {
	open, asked := discoveries(t)
	require.True(t, open("run-1").Has(kinds.Services))
	asked()
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(open("run-1").Kinds())
	_, err := mapper.RESTMapping(kinds.Services.GroupVersion().WithKind(kinds.Services.Kind).GroupKind())
	require.NoError(t, err)
	require.Zero(t, asked())
	_, err = mapper.RESTMapping(kinds.ServiceExports.GroupVersion().WithKind(kinds.ServiceExports.Kind).GroupKind())
	require.Error(t, err)
	require.NotZero(t, asked())
}
