package sizes

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
	"github.com/landbridge/landbridge/standalone/server"
	"github.com/landbridge/landbridge/workflows"
	"github.com/landbridge/landbridge/workflows/workflowtest"
)

// world is a real Temporal with a worker whose clusters are not there: they remember what a rollout
// tells them, and answer at once.
type world struct {
	t *testing.T
	client.Client

	mu sync.Mutex
	// remembers has each member's part of the fleet.
	remembers map[string]memory
}

type memory struct {
	part   fleet.Fleet
	memory fleet.Memory
}

func newWorld(t *testing.T) *world {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	s, err := server.Start(t.Context(), server.Options{Dir: t.TempDir(), Port: port, SearchAttributes: connect.SearchAttributes()})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	o := client.Options{Logger: silent{}}
	(&codec.Keys{}).Use(&o)
	c, err := s.Dial(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w := &world{t: t, Client: c, remembers: map[string]memory{}}
	work := worker.New(c, fleet.DefaultTaskQueue, worker.Options{DisableRegistrationAliasing: true, MaxConcurrentActivityExecutionSize: 50, DeadlockDetectionTimeout: 10 * time.Second})
	workflows.Register(work)
	w.members(work)
	(&workflowtest.Activities{Answer: w.answer, Called: w.called}).Register(work)
	require.NoError(t, work.Start())
	t.Cleanup(work.Stop)
	return w
}

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// members replaces the workflows below the fleet's, which do not grow with the fleet: a mesh of 200 has
// 39,800 links.
func (w *world) members(work worker.Worker) {
	as := func(name string) workflow.RegisterOptions {
		return workflow.RegisterOptions{Name: name, DisableAlreadyRegisteredCheck: true}
	}
	work.RegisterWorkflowWithOptions(func(_ workflow.Context, in api.ClusterInput) (api.ClusterResult, error) {
		w.remember(in.ClusterRef, memory{in.Part, in.Memory})
		return api.ClusterResult{Address: fleet.Address{Hostname: in.ClusterRef.Cluster + ".elb.eu-central-1.amazonaws.com"}, Recipient: "age1" + in.ClusterRef.Cluster,
			Changes: changed(in.ClusterRef, 30)}, nil
	}, as(api.RolloutCluster))
	work.RegisterWorkflowWithOptions(func(_ workflow.Context, in api.LinksInput) (out api.LinksResult, err error) {
		if in.Source.DryRun {
			out.Changes = map[string]fleet.Changes{}
		}
		for _, target := range in.Targets {
			id := fleet.Link{From: in.Source.Cluster, To: target.ClusterRef.Cluster}.ID()
			out.Done, out.Proven = append(out.Done, id), out.Proven+1
			if in.Source.DryRun {
				out.Changes[id] = changed(in.Source, 11).WithoutFields()
			}
		}
		return out, nil
	}, as(api.RolloutLinks))
	work.RegisterWorkflowWithOptions(func(_ workflow.Context, in api.VerifyLinksInput) (out []api.CheckLinkResult, err error) {
		for _, target := range in.Targets {
			out = append(out, api.CheckLinkResult{Link: fleet.Link{From: in.Source.Cluster, To: target}.ID(), Proven: true})
		}
		return out, nil
	}, as(api.VerifyLinks))
}

// changed returns as many changes as a real cluster or link has. A plan has fields of each.
func changed(ref api.ClusterRef, n int) (out fleet.Changes) {
	for i := range n {
		c := fleet.Change{Action: fleet.Create, Kind: "Deployment", Namespace: "istio-system", Name: fmt.Sprintf("kube-apiserver-%s-%d", ref.Cluster, i)}
		if ref.DryRun {
			c.Fields = []fleet.Field{{Path: "spec.replicas", To: c.Name}, {Path: "spec.template.spec.containers[0].image", To: "auto"}}
		}
		out.Changes = append(out.Changes, c)
	}
	return out
}

func (w *world) remember(ref api.ClusterRef, m memory) {
	if ref.DryRun {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remembers[ref.Cluster] = m
}

func (w *world) called(c workflowtest.Call) {
	if in, ok := c.In.(api.EnsureInventoryInput); ok {
		w.remember(c.Ref, memory{in.Part, in.Memory})
	}
	if c.Name == "RemoveInventory" && !c.Ref.DryRun {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.remembers, c.Ref.Cluster)
	}
}

// answer has each cluster tell what it remembers.
func (w *world) answer(c workflowtest.Call, result any) {
	w.mu.Lock()
	m, known := w.remembers[c.Ref.Cluster]
	w.mu.Unlock()
	if !known {
		return
	}
	switch r := result.(type) {
	case *api.CheckClusterResult:
		r.Inventory, r.Memory, r.Root = &m.part, m.memory, "sha256:0"
	case *api.CheckInventoryResult:
		r.Inventory, r.Memory = &m.part, m.memory
	}
}

// run runs an operation on the fleet to its end.
func (w *world) run(ctx context.Context, typ string, in api.FleetInput, out any) (client.WorkflowRun, error) {
	switch typ {
	case api.PlanFleet, api.VerifyFleet, api.DriftFleet:
		return runs.Look(ctx, w, typ, in, out)
	}
	want, err := runs.NewChange(typ, in)
	if err != nil {
		return nil, err
	}
	run, err := runs.Start(ctx, w, func(string) {}, want)
	if err != nil {
		return nil, err
	}
	return run, runs.Outcome(ctx, run, out)
}
