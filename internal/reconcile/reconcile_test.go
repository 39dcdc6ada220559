package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/resource"
)

// world is a management cluster with the Fleet prod, and a Temporal. The API server of the tests
// on real clusters counts generations; here the test does.
type world struct {
	t          *testing.T
	kubernetes client.Client
	temporal   *fakeTemporal
	Reconciler
}

var prod = types.NamespacedName{Namespace: "fleets", Name: "prod"}

func newWorld(t *testing.T, spec map[string]any) *world {
	scheme := runtime.NewScheme()
	u := newResource()
	scheme.AddKnownTypeWithName(kind, u)
	scheme.AddKnownTypeWithName(kind.GroupVersion().WithKind("FleetList"), &unstructured.UnstructuredList{})
	u.SetNamespace(prod.Namespace)
	u.SetName(prod.Name)
	u.SetGeneration(1)
	u.Object["spec"] = map[string]any{"clusters": []any{cluster("east"), cluster("west")}}
	for k, v := range spec {
		u.Object["spec"].(map[string]any)[k] = v
	}
	k := fake.NewClientBuilder().WithScheme(scheme).WithObjects(u).WithStatusSubresource(newResource()).Build()
	f := &fakeTemporal{}
	return &world{t, k, f, Reconciler{Kubernetes: k, Temporal: f, UI: func(context.Context, string) string { return "" }, Log: slog.New(slog.DiscardHandler)}}
}

func cluster(name string) map[string]any {
	return map[string]any{"name": name, "network": name, "kubeconfig": map[string]any{"path": name}}
}

// edit changes the Fleet as a person does, by which its generation grows.
func (w *world) edit(change func(spec map[string]any)) {
	w.t.Helper()
	u := w.get()
	change(u.Object["spec"].(map[string]any))
	u.SetGeneration(u.GetGeneration() + 1)
	require.NoError(w.t, w.kubernetes.Update(w.t.Context(), u))
}

func (w *world) annotate(key, value string) {
	w.t.Helper()
	u := w.get()
	u.SetAnnotations(map[string]string{key: value})
	require.NoError(w.t, w.kubernetes.Update(w.t.Context(), u))
}

func (w *world) get() *unstructured.Unstructured {
	w.t.Helper()
	u := newResource()
	require.NoError(w.t, w.kubernetes.Get(w.t.Context(), prod, u))
	return u
}

// reconcile does it once.
func (w *world) reconcile() error {
	_, err := w.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: prod})
	return err
}

// now reconciles, and returns the status.
func (w *world) now() resource.Status {
	w.t.Helper()
	require.NoError(w.t, w.reconcile())
	o, err := read(w.get())
	require.NoError(w.t, err)
	return o.status
}

// requireCondition fails where a condition is another one.
func (w *world) requireCondition(s resource.Status, typ, want string) metav1.Condition {
	w.t.Helper()
	c := meta.FindStatusCondition(s.Conditions, typ)
	require.NotNil(w.t, c, typ)
	require.Equal(w.t, want, string(c.Status)+" "+c.Reason, "%s: %s", typ, c.Message)
	return *c
}

func done() api.FleetResult {
	return api.FleetResult{Fleet: "prod", Clusters: []api.ClusterDone{{Name: "east"}, {Name: "west"}}, Links: []string{"east.west", "west.east"}, Proven: 2}
}

// rolledOut is a world whose Fleet is rolled out.
func rolledOut(t *testing.T, spec map[string]any) *world {
	w := newWorld(t, spec)
	w.now()
	w.temporal.ends(done(), nil)
	w.now()
	return w
}

func TestReconcile_ANewFleet_IsRolledOutOnce(t *testing.T) {
	w := newWorld(t, nil)
	s := w.now()
	w.requireCondition(s, resource.Progressing, "True RollingOut")
	require.Equal(t, "Progressing", s.Phase)
	require.Len(t, w.temporal.runs, 1)
	in := w.temporal.last().in
	require.Equal(t, "Fleet fleets/prod", in.RequestedBy)
	require.Equal(t, fleet.DefaultTaskQueue, in.Fleet.Spec.TaskQueue, "it has its defaults")
	require.False(t, in.Prune)

	w.temporal.last().status = api.Status{Phase: "links", Units: []api.UnitState{{Unit: api.Member("east"), State: api.Done}, {Unit: api.Member("west"), State: api.Running}}}
	c := w.requireCondition(w.now(), resource.Progressing, "True RollingOut")
	require.Equal(t, "the rollout of generation 1 is at links: 1 running, 1 done; `landbridge status prod` tells more", c.Message)

	w.temporal.ends(done(), nil)
	s = w.now()
	w.requireCondition(s, resource.Ready, "True RolledOut")
	w.requireCondition(s, resource.Proven, "True AllProven")
	w.requireCondition(s, resource.Progressing, "False NothingRuns")
	w.requireCondition(s, resource.Drifted, "Unknown NotChecked")
	require.Equal(t, []any{"Ready", 2, 2, 2, int64(1)}, []any{s.Phase, s.Clusters, s.Links, s.Proven, s.ObservedGeneration})
	w.now()
	require.Len(t, w.temporal.runs, 1)
}

// Who edits twice while a rollout runs gets one more rollout, of what was written last.
func TestReconcile_TwoRapidEdits_TheLastOneIsRolledOut(t *testing.T) {
	w := newWorld(t, nil)
	w.now()
	w.edit(func(spec map[string]any) { spec["links"] = map[string]any{"hub": map[string]any{"cluster": "east"}} })
	w.now()
	w.edit(func(spec map[string]any) { spec["istio"] = map[string]any{"version": "v1.31.3"} })
	c := w.requireCondition(w.now(), resource.Ready, "Unknown RollingOut")
	require.Equal(t, "generation 3 is rolled out when the rollout of generation 1 has ended", c.Message)
	w.temporal.ends(done(), nil)
	w.now()
	require.Len(t, w.temporal.runs, 2)
	require.Equal(t, "v1.31.3", w.temporal.last().in.Fleet.Spec.Istio.Version)
	require.EqualValues(t, 3, w.now().Run.Generation)
}

// A worker that ends at any moment leaves nothing that the next one does twice: here it lost what
// it wanted to write into the status.
func TestReconcile_TheWorkerRestarts_JoinsTheRunThatRuns(t *testing.T) {
	w := newWorld(t, nil)
	w.now()
	u := w.get()
	delete(u.Object, "status")
	require.NoError(t, w.kubernetes.Status().Update(t.Context(), u))
	w.now() // it does not know the run
	require.Len(t, w.temporal.runs, 1)
}

func TestReconcile_EachEnd_HasItsReason(t *testing.T) {
	ended := func(typ string) error {
		return temporal.NewNonRetryableApplicationError("1 cluster failed", typ, nil)
	}
	for want, err := range map[string]error{
		"False PartlyFailed":  ended(api.TypePartly),
		"False Refused":       ended(api.TypePreflight),
		"False RolloutFailed": ended(api.TypeFailed),
		"False Stopped":       temporal.NewCanceledError("by anna"),
	} {
		w := newWorld(t, nil)
		w.now()
		w.temporal.ends(nil, err)
		s := w.now()
		c := w.requireCondition(s, resource.Ready, want)
		require.Contains(t, c.Message, resource.RequestedAt, "it says what to do")
		require.Equal(t, "Failed", s.Phase)
		w.now()
		require.Len(t, w.temporal.runs, 1, "it is not tried again by itself")
		w.annotate(resource.RequestedAt, "2026-11-30T18:00:00Z")
		w.now()
		require.Len(t, w.temporal.runs, 2, "it is when somebody asks")
		w.temporal.ends(done(), nil)
		require.Equal(t, "2026-11-30T18:00:00Z", w.now().LastRequestedAt)
		w.now()
		require.Len(t, w.temporal.runs, 2)
	}
}

func TestReconcile_ASpecThatCannotBeUsed_ChangesNothing(t *testing.T) {
	w := rolledOut(t, nil)
	w.edit(func(spec map[string]any) { spec["clusters"] = []any{cluster("east"), cluster("East")} })
	s := w.now()
	c := w.requireCondition(s, resource.Ready, "False InvalidSpec")
	require.Contains(t, c.Message, "spec.clusters[1].name")
	require.Equal(t, "Invalid", s.Phase)
	require.Len(t, w.temporal.runs, 1)
	w.annotate(resource.Reason, "two\nlines")
	w.edit(func(spec map[string]any) { spec["clusters"] = []any{cluster("east")} })
	require.Contains(t, w.requireCondition(w.now(), resource.Ready, "False InvalidSpec").Message, "must be one line of text")
	require.Len(t, w.temporal.runs, 1)
}

func TestReconcile_Suspended_NothingBegins(t *testing.T) {
	w := newWorld(t, map[string]any{"reconcile": map[string]any{"suspend": true}})
	s := w.now()
	w.requireCondition(s, resource.Ready, "Unknown Suspended")
	require.Equal(t, "Suspended", s.Phase)
	require.Empty(t, w.temporal.runs)
	w.edit(func(spec map[string]any) { delete(spec, "reconcile") })
	w.now()
	require.Len(t, w.temporal.runs, 1)
}

// What people do by the command beside it is seen, and not fought.
func TestReconcile_WhatSomethingElseDoes_IsToldAndNotReverted(t *testing.T) {
	other := fleet.Fleet{Metadata: fleet.Metadata{Name: "prod"}}
	for what, c := range map[string]struct {
		run  fakeRun
		want string
	}{
		"a rollout of another file": {fakeRun{typ: api.RolloutFleet, in: api.FleetInput{Fleet: other, Request: fleet.Request{RequestedBy: "anna"}}}, "False ChangedOutside"},
		"a cleanup":                 {fakeRun{typ: api.CleanupFleet, in: api.FleetInput{Fleet: other}}, "False ChangedOutside"},
		"a self-heal":               {fakeRun{typ: api.RolloutFleet, in: api.FleetInput{Fleet: other, SelfHeal: true}}, "True RolledOut"},
		"a rotation":                {fakeRun{typ: api.RotateFleet}, "True RolledOut"},
	} {
		w := rolledOut(t, nil)
		run := c.run
		run.id, run.run = "landbridge.prod", "other"
		w.temporal.runs = append(w.temporal.runs, &run)
		s := w.now()
		w.requireCondition(s, resource.Progressing, "True OtherRun")
		w.temporal.ends(done(), nil)
		require.NotEmpty(t, w.requireCondition(w.now(), resource.Ready, c.want).Message, what)
		require.Len(t, w.temporal.runs, 2, what)
		w.edit(func(spec map[string]any) { spec["links"] = "mesh" })
		w.now()
		require.Len(t, w.temporal.runs, 3, "%s: the next edit is rolled out", what)
	}
}

// Who retries by the command rolls out what the resource says.
func TestReconcile_ARetryByTheCommand_Counts(t *testing.T) {
	w := newWorld(t, nil)
	w.now()
	w.temporal.ends(nil, temporal.NewNonRetryableApplicationError("1 cluster failed", api.TypePartly, nil))
	w.requireCondition(w.now(), resource.Ready, "False PartlyFailed")
	retried := *w.temporal.last()
	retried.run, retried.err, retried.result = "retried", nil, done()
	w.temporal.runs = append(w.temporal.runs, &retried)
	w.requireCondition(w.now(), resource.Ready, "True RolledOut")
}

func TestReconcile_TemporalDoesNotAnswer_IsToldAndTriedAgain(t *testing.T) {
	w := rolledOut(t, nil)
	w.temporal.silent = errors.New("connection refused")
	require.ErrorContains(t, w.reconcile(), "connection refused")
	o, err := read(w.get())
	require.NoError(t, err)
	w.requireCondition(o.status, resource.Ready, "Unknown NoTemporal")
	w.temporal.silent = nil
	w.requireCondition(w.now(), resource.Ready, "True RolledOut")
}

func TestReconcile_AFleetThatIsGone_IsNoError(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.kubernetes.Delete(t.Context(), w.get()))
	require.NoError(t, w.reconcile())
	require.True(t, apierrors.IsNotFound(w.kubernetes.Get(t.Context(), prod, newResource())))
}
