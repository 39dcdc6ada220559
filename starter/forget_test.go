package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func TestForgetAndRevoke_BadUsage_IsOneSentence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fleet.yaml")
	require.NoError(t, os.WriteFile(file, []byte("apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\nspec:\n  clusters:\n"+
		"  - {name: east, network: east, kubeconfig: {path: east}}\n  - {name: west, network: west, kubeconfig: {path: west}}\n"), 0o600))
	for args, want := range map[string]string{
		"forget -f FILE --reason x":                                 `required flag(s) "cluster" not set`,
		"forget -f FILE --cluster north":                            `required flag(s) "reason" not set`,
		"forget -f FILE --cluster north --reason=":                  "--reason is empty; give the reason, which is kept with the run",
		"forget staging -f FILE --cluster north --reason x":         "is that of the fleet prod, not of staging",
		"forget -f FILE --cluster north --reason x":                 "there is no terminal to ask on: give --yes",
		"revoke -f FILE --reason x":                                 "at least one of the flags in the group [cluster link] is required",
		"revoke -f FILE --reason x --link east.west --cluster east": "none of the others can be",
		"revoke -f FILE --reason x --link east":                     `--link: want FROM.TO, got "east"`,
		"revoke -f FILE --reason x --link east.south":               `the fleet prod has no cluster "south"`,
		"revoke -f FILE --reason x --link east.west":                "there is no terminal to ask on: give --yes",
	} {
		var out, errs strings.Builder
		code := Main(strings.Fields(strings.ReplaceAll(args, "FILE", file)), &out, &errs)
		require.Equal(t, exitUsage, code, args)
		require.Contains(t, errs.String(), want, args)
	}
}

// Every other cluster may let a source in: by a link of the file, or by one that left it.
func TestRevoke_AWholeSource_IsShutOutByEveryOther(t *testing.T) {
	f := fleet.Fleet{Spec: fleet.Spec{Clusters: []fleet.Cluster{{Name: "east"}, {Name: "north"}, {Name: "west"}}}}
	for source, want := range map[string][]fleet.Link{
		"east":  {{From: "east", To: "north"}, {From: "east", To: "west"}},
		"south": {{From: "south", To: "east"}, {From: "south", To: "north"}, {From: "south", To: "west"}}, // it left the file
	} {
		got, err := revoked(f, source, "")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestForget_TheOutput_TellsWhatIsLeftAndWhatIsNotRevoked(t *testing.T) {
	var b strings.Builder
	printForgotten(&b, api.ForgetResult{Fleet: "prod", Cluster: "north", Clusters: []string{"east", "west"}, Removed: 14, Revoked: []string{"east"}, Unrevoked: []string{"west"},
		There: []api.StillThere{{Unit: api.Member("north"), Steps: []string{"cacerts", "istio"}}}, KeptRoot: true}, 2*time.Second)
	for _, want := range []string{"fleet prod: north is forgotten by east, west, 14 objects removed in 2s", "revoked: its tokens for east", "not revoked: the tokens of west for it",
		"north may still have:\n  cluster north: cacerts, istio", "it kept the fleet's root", "take north out of the fleet file"} {
		require.Contains(t, b.String(), want)
	}
	b.Reset()
	printRevoked(&b, api.RevokeResult{Fleet: "prod", StillCan: []string{api.StillCan("east")}, Links: []api.RevokedLink{{Link: "east -> west", Removed: 2, Refused: true, After: 9 * time.Second}, {Link: "east -> north", Note: "there was no token of the source"}}}, time.Second)
	for _, want := range []string{"refused by the API server, 9s after it went", "there was no token of the source", "fleet prod: 2 links shut in 1s", "whoever has the CA of east can still make a certificate for any identity", "makes the links anew"} {
		require.Contains(t, b.String(), want)
	}
}
