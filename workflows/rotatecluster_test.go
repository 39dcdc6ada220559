package workflows

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// eastRenewed has east's intermediate renewed, with a link each way.
func eastRenewed(skipProof bool) api.RotateClusterInput {
	f := testFleet("east", "west")
	f.Spec.Rollout.SkipProof = skipProof
	in := api.RotateClusterInput{ClusterRef: testRef("east"), Root: clusterInput().Root, RootPEM: "root", Spec: intermediateOf(testRef("east"), f.Spec.CA), Anew: true, Rollout: f.Spec.Rollout}
	if !skipProof {
		in.Links = []api.VerifyLinksInput{{Source: testRef("east"), Targets: []string{"west"}, MaxParallel: 1}, {Source: testRef("west"), Targets: []string{"east"}, MaxParallel: 1}}
	}
	return in
}

// signing has the root sign what it is asked for, and proofs name their links.
func signing(c fakeCall, result any) {
	switch r := result.(type) {
	case *api.SignIntermediateResult:
		r.CertPEM, r.Facts = "the new one", api.CertificateFacts{Fingerprint: "sha256:new"}
	case *api.CheckLinkResult:
		r.Link = c.in.(api.CheckLinkInput).Link.String()
	}
}

// withoutLooks leaves the proofs out.
func withoutLooks(c fakeCall) bool { return c.name != "CheckLink" }

var renewal = []string{"EnsureIntermediateKey east", "SignIntermediate", "EnsureCACerts east", "WaitIntermediate east", "RetireCACerts east"}

func TestRotateCluster_TheNewOne_IsProvenBeforeTheOldOneGoes(t *testing.T) {
	f := newFake(t)
	f.answer = signing
	require.NoError(t, f.run(RotateCluster, eastRenewed(false)))
	require.Equal(t, renewal, f.names(withoutLooks))
	all := f.names(nil)
	proof := []string{"CheckLink east (east.west)", "CheckLink west (west.east)"}
	require.ElementsMatch(t, proof, all[1:3], "what carries before is noted")
	require.ElementsMatch(t, proof, all[6:8], "the proof comes when istiod works with the new one, and before the one before goes")
	var r api.RotateClusterResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.True(t, r.Renewed)
	require.Equal(t, 2, r.Proven)
	require.Equal(t, "sha256:new", r.Certificate.Fingerprint)
	for _, c := range f.calls {
		if in, ok := c.in.(api.EnsureCACertsInput); ok {
			require.True(t, in.KeepBefore)
			require.Equal(t, "the new one", in.CertPEM)
		}
	}
}

func TestRotateCluster_NotDue_DoesNothing(t *testing.T) {
	f := newFake(t)
	f.action = "keep"
	f.answer = func(_ fakeCall, result any) {
		if r, ok := result.(*api.EnsureIntermediateKeyResult); ok {
			r.Current, r.Facts = true, api.CertificateFacts{Fingerprint: "sha256:old"}
		}
	}
	in := eastRenewed(false)
	in.Anew = false
	require.NoError(t, f.run(RotateCluster, in))
	require.Equal(t, []string{"EnsureIntermediateKey east"}, f.names(nil))
	var r api.RotateClusterResult
	require.NoError(t, f.GetWorkflowResult(&r))
	require.False(t, r.Renewed)
	require.Equal(t, "sha256:old", r.Certificate.Fingerprint)
}

func TestRotateCluster_WithoutProofs_NobodyLooks(t *testing.T) {
	f := newFake(t)
	require.NoError(t, f.run(RotateCluster, eastRenewed(true)))
	require.Equal(t, []string{"EnsureIntermediateKey east", "SignIntermediate", "EnsureCACerts east", "RetireCACerts east"}, f.names(nil))
}

// Wherever it fails, the intermediate before is in force afterwards, unless the new one is
// proven: then that one stays.
func TestRotateCluster_EachStepFails_AProvenIntermediateIsInForce(t *testing.T) {
	for _, failing := range []string{"EnsureIntermediateKey", "SignIntermediate", "EnsureCACerts", "WaitIntermediate", "CheckLink", "RetireCACerts"} {
		f, looks := newFake(t), 0
		f.answer = signing
		f.on = func(c fakeCall) error {
			if c.name == "CheckLink" {
				looks++
			}
			if c.name == failing && (failing != "CheckLink" || looks > 2) {
				return broken(c)
			}
			return nil
		}
		require.Error(t, f.run(RotateCluster, eastRenewed(false)), failing)
		names := f.names(nil)
		putBack := slices.Index(names, "PutBackCACerts east")
		require.Equal(t, slices.Contains([]string{"EnsureCACerts", "WaitIntermediate", "CheckLink"}, failing), putBack >= 0, "%s: %v", failing, names)
		require.Equal(t, failing == "RetireCACerts", slices.Contains(names, "RetireCACerts east"), failing)
		require.Equal(t, failing != "RetireCACerts", slices.Contains(names, "RemoveIntermediateKey east"), failing)
		if putBack >= 0 {
			require.Less(t, putBack, slices.Index(names, "RemoveIntermediateKey east"), "the newest is undone first")
		}
		var unit *temporal.ApplicationError
		require.ErrorAs(t, f.GetWorkflowError(), &unit)
		require.Len(t, api.Failures(unit), 1)
		want := api.StateUndone
		if failing == "RetireCACerts" {
			want = api.StateKept
		}
		require.Equal(t, want, api.Failures(unit)[0].State, failing)
	}
}

// Only what carried requests before can be broken by a new intermediate.
func TestRotateCluster_ALinkThatWasBrokenBefore_HoldsNothingUp(t *testing.T) {
	for _, brokenSince := range []int{0, 2} {
		f, looks := newFake(t), 0
		f.answer = func(c fakeCall, result any) {
			signing(c, result)
			if r, ok := result.(*api.CheckLinkResult); ok {
				if looks++; looks > brokenSince && c.ref.Cluster == "west" {
					*r = api.CheckLinkResult{Link: "west -> east", Hop: api.HopRoute, Why: "no"}
				}
			}
		}
		err := f.run(RotateCluster, eastRenewed(false))
		if brokenSince == 0 {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "links that carried requests before do not any more: west -> east breaks at "+api.HopRoute+": no")
		require.Contains(t, f.names(nil), "PutBackCACerts east")
	}
}

func TestRotateCluster_TheOneBeforeCannotBePutBack_IsSaid(t *testing.T) {
	f := newFake(t)
	f.on = func(c fakeCall) error {
		if c.name == "WaitIntermediate" || c.name == "PutBackCACerts" {
			return broken(c)
		}
		return nil
	}
	err := f.run(RotateCluster, eastRenewed(false))
	require.Error(t, err)
	require.Equal(t, api.StateLeft, api.Failures(err)[0].State)
	require.Contains(t, api.Failures(err)[0].Left[0], "cacerts")
}

func TestRotateCluster_Canceled_PutsTheOneBeforeBack(t *testing.T) {
	for _, during := range []string{"EnsureIntermediateKey", "SignIntermediate", "EnsureCACerts", "WaitIntermediate"} {
		f := newFake(t)
		f.on = func(c fakeCall) error {
			if c.name == during {
				f.CancelWorkflow()
				return temporal.NewCanceledError()
			}
			return nil
		}
		err := f.run(RotateCluster, eastRenewed(false))
		require.True(t, temporal.IsCanceledError(err), "%s: %v", during, err)
		require.Equal(t, during == "EnsureCACerts" || during == "WaitIntermediate", slices.Contains(f.names(nil), "PutBackCACerts east"), during)
		require.NotContains(t, f.names(nil), "RetireCACerts east", during)
	}
}

// inRotation is a fleet of three whose credentials are renewed.
func inRotation(change func(*lived)) func(fakeCall, any) {
	l := newLived()
	l.Spec.Rollout.SkipProof = false
	change(l)
	return func(c fakeCall, result any) {
		l.answers(c, result)
		renewing(c, result)
		signing(c, result)
	}
}

func TestRotateFleet_Intermediates_OneClusterAfterTheOther(t *testing.T) {
	for name, c := range map[string]struct {
		rotate *api.Rotation
		want   []string
	}{
		"all":         {&api.Rotation{Intermediates: true}, []string{"east", "north", "west"}},
		"one cluster": {&api.Rotation{Intermediates: true, Clusters: []string{"west"}}, []string{"west"}},
	} {
		f, in := newFake(t), byName("east")
		f.answer, in.Rotate = inRotation(func(*lived) {}), c.rotate
		require.NoError(t, f.run(RotateFleet, in), name)
		var r api.FleetResult
		require.NoError(t, f.GetWorkflowResult(&r))
		require.Equal(t, c.want, r.Intermediates, name)
		require.Equal(t, 4*len(c.want), r.Proven, "each has two links each way")
		open := "" // the cluster that is being worked on
		for _, call := range f.calls {
			switch call.name {
			case "EnsureReaderToken", "EnsureRemoteSecret", "EnsureSealingKey", "EnsureIstio":
				t.Errorf("%s: %s has nothing to do with intermediates", name, call)
			case "EnsureRoot":
				require.True(t, call.ref.DryRun, "no root is made")
			case "EnsureIntermediateKey":
				require.Empty(t, open, name)
				open = call.ref.Cluster
				require.True(t, call.in.(api.EnsureIntermediateKeyInput).Anew)
			case "RetireCACerts":
				require.Equal(t, open, call.ref.Cluster)
				open = ""
			}
		}
	}
}

func TestRotateFleet_Intermediates_OneThatFails_KeepsItsOldOne_AndTheOthersGetTheirs(t *testing.T) {
	f, in := newFake(t), byName("east")
	f.answer, in.Rotate = inRotation(func(*lived) {}), &api.Rotation{Intermediates: true}
	f.on = func(c fakeCall) error {
		if c.name == "WaitIntermediate" && c.ref.Cluster == "east" {
			return broken(c)
		}
		return nil
	}
	require.ErrorContains(t, f.run(RotateFleet, in), "the rotation is partly done: 2 of 3 clusters and links")
	require.Contains(t, f.names(nil), "PutBackCACerts east")
	for _, other := range []string{"north", "west"} {
		require.Contains(t, f.names(nil), "RetireCACerts "+other)
	}
}

func TestRotateFleet_Intermediates_WithoutARootOfLandbridges_ChangesNothing(t *testing.T) {
	no := false
	for want, c := range map[string]struct {
		change func(*lived)
		on     func(fakeCall) error
	}{
		"the clusters of the fleet test have existing CAs (spec.ca.manage: false); who made them renews them": {func(l *lived) { l.Spec.CA.Manage = &no }, nil},
		"the rotation failed; nothing was changed": {func(*lived) {}, func(c fakeCall) error {
			if c.name == "EnsureRoot" {
				return broken(c)
			}
			return nil
		}},
	} {
		f, in := newFake(t), byName("east")
		f.answer, f.on, in.Rotate = inRotation(c.change), c.on, &api.Rotation{Intermediates: true}
		require.ErrorContains(t, f.run(RotateFleet, in), want)
		require.NotContains(t, f.names(nil), "EnsureIntermediateKey east")
	}
}

func TestCheckTokens_RenewsWhatEnds(t *testing.T) {
	for name, c := range map[string]struct {
		tokens, intermediates time.Duration
		renewed               int
		clusters              []string
	}{
		"both":               {time.Hour, 48 * time.Hour, 6, []string{"east", "north", "west"}},
		"tokens only":        {time.Hour, 3650 * 24 * time.Hour, 6, nil},
		"intermediates only": {0, 48 * time.Hour, 0, []string{"east", "north", "west"}},
	} {
		f := newFake(t)
		f.answer = inRotation(func(l *lived) {
			l.Spec.Credentials.Tokens.Lifetime = fleet.Duration(c.tokens)
			l.Spec.CA.IntermediateLifetime = fleet.Duration(c.intermediates)
		})
		require.NoError(t, f.run(CheckTokens, byName("east")), name)
		var r api.RotationCheck
		require.NoError(t, f.GetWorkflowResult(&r))
		require.Equal(t, c.renewed, r.Renewed, name)
		require.Equal(t, c.clusters, r.Intermediates, name)
		for _, call := range f.calls {
			if in, ok := call.in.(api.EnsureIntermediateKeyInput); ok {
				require.False(t, in.Anew, "only what is due")
			}
		}
	}
}

// A root that cannot be reached holds no token up.
func TestCheckTokens_TheRootIsNotThere_TokensAreRenewedAllTheSame(t *testing.T) {
	f := newFake(t)
	f.answer = inRotation(func(l *lived) {
		l.Spec.Credentials.Tokens.Lifetime = fleet.Duration(time.Hour)
	})
	f.on = func(c fakeCall) error {
		if c.name == "EnsureRoot" {
			return broken(c)
		}
		return nil
	}
	require.ErrorContains(t, f.run(CheckTokens, byName("east")), "the rotation failed")
	tokens := 0
	for _, c := range f.calls {
		if c.name == "EnsureReaderToken" {
			tokens++
		}
	}
	require.Equal(t, 6, tokens)
}
