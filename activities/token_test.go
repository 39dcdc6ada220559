package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

const day = 24 * time.Hour

func TestGood_ATokenGoesOn_OrIsReplaced(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	unending := readerToken{number: 1, Account: "landbridge-reader-east", Issued: now.Add(-400 * day), credentials: credentials{Token: []byte("t")}}
	ending := unending
	ending.Bound, ending.UID, ending.Issued, ending.Ends = true, "uid", now.Add(-10*day), now.Add(20*day)
	with := func(t readerToken, change func(*readerToken)) readerToken { change(&t); return t }
	life := func(d time.Duration) api.EnsureReaderTokenInput {
		return api.EnsureReaderTokenInput{LinkRef: api.LinkRef{ClusterRef: api.ClusterRef{Run: "run-1"}, Link: toWest[0]}, Lifetime: d}
	}
	renewed := func(d time.Duration) api.EnsureReaderTokenInput { in := life(d); in.IssuedBefore = now; return in }
	for name, c := range map[string]struct {
		token readerToken
		in    api.EnsureReaderTokenInput
		want  bool
	}{
		"one that does not end":                {unending, life(0), true},
		"one that does not end, and shall":     {unending, life(30 * day), false},
		"one that ends, and shall not":         {ending, life(0), false},
		"in the first two thirds of its life":  {ending, life(30 * day), true},
		"in the last third":                    {with(ending, func(t *readerToken) { t.Ends = now.Add(4 * day) }), life(30 * day), false},
		"one that ended":                       {with(ending, func(t *readerToken) { t.Ends = now.Add(-time.Hour) }), life(30 * day), false},
		"one that the cluster has shortened":   {with(ending, func(t *readerToken) { t.Issued, t.Ends = now.Add(-time.Hour), now.Add(23*time.Hour) }), life(30 * day), true},
		"one that lives longer than it shall":  {ending, life(day), false},
		"asked for anew":                       {unending, renewed(0), false},
		"asked for anew, and this run made it": {with(unending, func(t *readerToken) { t.Run = "run-1" }), renewed(0), true},
		"of an account that was made anew":     {with(ending, func(t *readerToken) { t.UID = "another" }), life(30 * day), false},
		"of another account":                   {with(unending, func(t *readerToken) { t.Account = "istio-reader-service-account" }), life(0), false},
		"under a name that is none of ours":    {with(unending, func(t *readerToken) { t.number = 0 }), life(0), false},
		"without its token, of another run":    {with(ending, func(t *readerToken) { t.Token = nil }), life(30 * day), false},
		"without its token, begun by this run": {with(ending, func(t *readerToken) { t.Token, t.Ends, t.Run = nil, time.Time{}, "run-1" }), life(30 * day), true},
		"to be filled by Kubernetes":           {with(unending, func(t *readerToken) { t.Token = nil }), life(0), true},
		"one whose end somebody took off":      {with(ending, func(t *readerToken) { t.Ends = time.Time{} }), life(30 * day), false},
	} {
		require.Equal(t, c.want, c.token.good(c.in, "uid", now), name)
	}
}

// rotations holds one link's target, and looks at it from the outside.
type rotations struct {
	*world
	in api.EnsureReaderTokenInput
}

func newRotations(t *testing.T, lifetime time.Duration) *rotations {
	w := newWorld(t, "west").withInventory()
	w.Put(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: rootCA}, Data: map[string]string{"ca.crt": string(w.server.CA())}})
	w.ensureReader(toWest[0], false)
	r := &rotations{world: w, in: w.readerToken(toWest[0])}
	r.in.Lifetime = lifetime
	return r
}

func (r *rotations) ensure(run string, since time.Time) api.EnsureReaderTokenResult {
	r.t.Helper()
	r.in.Run, r.in.IssuedBefore = run, since
	got, err := r.acts.EnsureReaderToken(r.t.Context(), r.in)
	require.NoError(r.t, err)
	return got
}

// secrets lists the source's tokens.
func (r *rotations) secrets() (names []string) {
	list, err := r.Client.CoreV1().Secrets("istio-system").List(r.t.Context(), metav1.ListOptions{LabelSelector: fleet.LabelComponent + "=" + componentToken})
	require.NoError(r.t, err)
	for _, s := range list.Items {
		names = append(names, s.Name)
	}
	return names
}

func TestReaderToken_Renewed_StandsBesideTheOldOneUntilThatIsRetired(t *testing.T) {
	for name, lifetime := range map[string]time.Duration{"that do not end": 0, "that end": 30 * day} {
		r := newRotations(t, lifetime)
		first := r.ensure("run-1", time.Time{})
		require.Equal(t, "landbridge-reader-east-1", first.Secret, name)
		require.Equal(t, lifetime > 0, !first.Ends.IsZero(), name)
		require.Empty(t, first.Before, "nothing was in force before")
		again := r.ensure("run-2", time.Time{})
		require.Equal(t, first.Secret, again.Secret)
		require.Empty(t, written(again.All()), "%s: a repetition changes nothing", name)

		second := r.ensure("run-3", time.Now().Add(time.Minute))
		require.Equal(t, "landbridge-reader-east-2", second.Secret, name)
		require.NotEmpty(t, second.Before, name)
		require.Equal(t, 1, second.Older, name)
		require.Equal(t, second.Secret, r.ensure("run-3", time.Now().Add(time.Minute)).Secret, "%s: a second try makes no third token", name)
		require.True(t, r.accepts(r.tokenOf(first.Secret)), name)
		require.True(t, r.accepts(r.tokenOf(second.Secret)), name)

		old := r.tokenOf(first.Secret)
		gone, err := r.acts.RetireReaderTokens(t.Context(), api.RetireReaderTokensInput{LinkRef: r.in.LinkRef, Keep: second.Secret})
		require.NoError(t, err)
		require.Len(t, gone.All(), 1)
		require.Equal(t, []string{second.Secret}, r.secrets(), name)
		require.False(t, r.accepts(old), "%s: the old token is refused with its Secret", name)
	}
}

func TestReaderToken_OfAClusterThatShortensIt_TellsItsRealEnd(t *testing.T) {
	r := newRotations(t, 30*day)
	r.server.LongestToken = day
	got := r.ensure("run-1", time.Time{})
	require.WithinDuration(t, time.Now().Add(day), got.Ends, time.Minute)
	require.Empty(t, written(r.ensure("run-2", time.Time{}).All()), "it is not due before the last third of that day")
}

func TestReaderToken_TheUndoOfARenewal_LeavesTheOldOne(t *testing.T) {
	r := newRotations(t, 30*day)
	first := r.ensure("run-1", time.Time{})
	r.ensure("run-2", time.Now().Add(time.Minute))
	_, err := r.acts.RemoveReaderToken(t.Context(), api.RemoveInput{ClusterRef: r.in.ClusterRef, Link: r.in.Link.ID(), OnlyRun: "run-2"})
	require.NoError(t, err)
	require.Equal(t, []string{first.Secret}, r.secrets())
	require.True(t, r.accepts(r.tokenOf(first.Secret)))
}
