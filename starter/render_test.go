package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const marked = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: gateway
  labels: {app: gateway, landbridge.dev/fleet: prod, app.kubernetes.io/managed-by: landbridge}
  annotations: {landbridge.dev/applied: abc}
spec:
  template:
    metadata:
      labels: {app: gateway, landbridge.dev/fleet: prod}
`

func TestRender_RemovesLandbridgesMarks_AndNamesTheSecretsThatAreMissing(t *testing.T) {
	out, err := renderedFiles([]api.PlannedUnit{
		{Unit: api.Member("east"), Changes: []fleet.Change{
			{Action: fleet.Create, Kind: "Deployment", Namespace: "istio-system", Name: "gateway", Cluster: "east", Manifest: marked},
			{Action: fleet.Create, Kind: "Secret", Namespace: "istio-system", Name: "cacerts", Cluster: "east"},
			{Action: fleet.Create, Kind: "Helm release", Namespace: "istio-system", Name: "gateway"}}},
		{Unit: api.LinkOf(fleet.Link{From: "west", To: "east"}), Changes: []fleet.Change{
			{Action: fleet.Keep, Kind: "AuthorizationPolicy", Namespace: "istio-system", Name: "from-west", Cluster: "east", Manifest: "kind: AuthorizationPolicy\n"},
			{Action: fleet.Create, Kind: "Secret", Namespace: "istio-system", Name: "istio-remote-secret-east", Cluster: "west"},
			{Action: fleet.Create, Kind: "Secret", Namespace: "istio-system", Name: "landbridge-reader-west-1", Cluster: "east"}}},
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"east/istio-system-deployment-gateway.yaml": renderedBy + `apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    app: gateway
  name: gateway
spec:
  template:
    metadata:
      labels:
        app: gateway
`,
		"east/istio-system-authorizationpolicy-from-west.yaml": renderedBy + "kind: AuthorizationPolicy\n",
		"east/kustomization.yaml": renderedBy + `# Not rendered, since it holds keys (cluster east): Secret istio-system/cacerts
# Not rendered, since it holds keys (link west -> east): Secret istio-system/landbridge-reader-west-1
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- istio-system-deployment-gateway.yaml
- istio-system-authorizationpolicy-from-west.yaml
`}, out.files)
	require.NoError(t, out.incomplete())
}

// What is written can be applied: no object has an address that is made up.
func TestRender_AGatewayWithoutAnAddress_LeavesOutWhatNeedsIt(t *testing.T) {
	out, err := renderedFiles([]api.PlannedUnit{{Unit: api.LinkOf(fleet.Link{From: "west", To: "east"}), Changes: []fleet.Change{
		{Action: fleet.Create, Kind: "ServiceEntry", Namespace: "istio-system", Name: "east", Cluster: "west", Manifest: "spec: {endpoints: [{address: " + fleet.AddressLater + "}]}\n"},
		{Action: fleet.Create, Kind: "Gateway", Namespace: "istio-system", Name: "east", Cluster: "west", Manifest: "kind: Gateway\n"}}}})
	require.NoError(t, err)
	require.NotContains(t, out.files, "west/istio-system-serviceentry-east.yaml")
	require.NotContains(t, out.files["west/kustomization.yaml"], "serviceentry")
	require.Contains(t, out.files, "west/istio-system-gateway-east.yaml")
	err = out.incomplete()
	require.Equal(t, exitPartly, err.(*exitError).code)
	require.EqualError(t, err, "not written, since the east-west gateway of east has no address yet: ServiceEntry istio-system/east of west\n"+
		"apply what is written, wait until the gateways have addresses, and render again")
}

func TestRender_TakesAwayOnlyWhatItWrote(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	require.NoError(t, replaceFiles(dir, map[string]string{"east/a.yaml": renderedBy, "west/b.yaml": renderedBy}))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("mine"), 0o644))
	require.NoError(t, replaceFiles(dir, map[string]string{"east/a.yaml": renderedBy + "new"}))
	require.NoFileExists(t, filepath.Join(dir, "west", "b.yaml"))
	require.FileExists(t, filepath.Join(dir, "README.md"))

	require.ErrorContains(t, replaceFiles(dir, map[string]string{"README.md": renderedBy}), "was not written by render")
	require.FileExists(t, filepath.Join(dir, "east", "a.yaml"), "nothing is removed before it is known that all can be written")
	require.ErrorContains(t, mayRender(filepath.Join(dir, "README.md")), "is not a directory")
}
