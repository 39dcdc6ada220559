package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/runs"
)

// silentAfter tells how old the last request of a worker may be. One that lives asks Temporal at
// least once in 70 s; Temporal lists one that is dead for five minutes.
const silentAfter = 90 * time.Second

// queueWorkers lists the workers of one task queue.
type queueWorkers struct {
	TaskQueue string `json:"taskQueue"`
	// Fleets lists those that need it.
	Fleets  []string  `json:"fleets"`
	Workers []aWorker `json:"workers"`
}

// aWorker describes a process that serves a task queue.
type aWorker struct {
	Identity string `json:"identity"`
	Version  string `json:"version,omitempty"`
	// Serves lists workflows, activities or both.
	Serves   []string  `json:"serves"`
	LastSeen time.Time `json:"lastSeen,omitzero"`
	// Silent says that it asks for no work any more.
	Silent bool `json:"silent,omitempty"`
}

// queueList lists task queues, by name.
type queueList []queueWorkers

func (l queueList) names() (out []string) {
	for _, q := range l {
		for _, w := range q.Workers {
			out = append(out, w.Identity)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// unserved lists the task queues that no worker serves.
func (l queueList) unserved() (out []string) {
	for _, q := range l {
		if !slices.ContainsFunc(q.Workers, func(w aWorker) bool { return !w.Silent }) {
			out = append(out, q.TaskQueue)
		}
	}
	return out
}

func (a *app) workers() *cobra.Command {
	cmd := &cobra.Command{
		Use: "workers" + fleetArg, Args: cobra.MaximumNArgs(1),
		Short: "List the workers of each task queue, with their versions",
		Long: "List the workers that serve the task queues of FLEET or of the fleet file that -f names, or else of\n" +
			"every fleet that this Temporal knows: who they are, their versions, and when each last asked for\n" +
			"work. The exit code is 1 where nobody serves a task queue: what is sent there waits.",
		Example: "  landbridge workers\n  landbridge workers prod\n  landbridge workers -f fleet.yaml -o json | jq '.[].workers[].version'",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.temporal.Dial(cmd.Context(), nil, nil)
			if err != nil {
				return failed(err)
			}
			defer c.Close()
			needs, err := a.queues(cmd, c, args)
			if err != nil {
				return err
			}
			list, err := readWorkers(cmd.Context(), c, needs)
			if err != nil {
				return failed(err)
			}
			if err := a.print(cmd.OutOrStdout(), list, func(w io.Writer) { printWorkers(w, list) }); err != nil {
				return failed(err)
			}
			if none := list.unserved(); len(none) > 0 {
				return failed(fmt.Errorf("no worker serves %s; start one with `landbridge-worker --task-queue`", strings.Join(none, ", ")))
			}
			return nil
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd, outputName)
	a.temporal.Bind(cmd.Flags())
	return cmd
}

// queues returns the fleets that need each task queue: those of one fleet, or of all that
// Temporal knows, and the default one where it knows none.
func (a *app) queues(cmd *cobra.Command, c client.Client, args []string) (map[string][]string, error) {
	names := args
	if len(args) == 0 && cmd.Flags().Changed("file") {
		f, err := a.load()
		if err != nil {
			return nil, err
		}
		return queuesOf(*f), nil
	}
	var err error
	if len(args) == 0 {
		if names, err = knownFleets(cmd.Context(), c); err != nil {
			return nil, failed(err)
		}
	}
	out := map[string][]string{}
	for _, name := range names {
		in, err := runs.LastInput(cmd.Context(), c, name)
		if runs.IsNotFound(err) {
			err = &runs.UnknownError{Fleet: name}
		}
		if err != nil {
			return nil, failed(err)
		}
		for queue, by := range queuesOf(in.Fleet) {
			out[queue] = append(out[queue], by...)
		}
	}
	if len(out) == 0 {
		out[fleet.DefaultTaskQueue] = []string{}
	}
	return out, nil
}

// queuesOf returns the task queues that a fleet needs, each with the fleet's name.
func queuesOf(f fleet.Fleet) map[string][]string {
	by := []string{f.Metadata.Name}
	out := map[string][]string{f.Spec.TaskQueue: by}
	if f.Spec.CA.Managed() {
		out[cmp.Or(f.Spec.CA.Root.TaskQueue, f.Spec.TaskQueue)] = by
	}
	for _, s := range f.Spec.ClustersFrom {
		out[cmp.Or(f.Spec.Management.TaskQueue, f.Spec.TaskQueue)], out[cmp.Or(s.TaskQueue, f.Spec.TaskQueue)] = by, by
	}
	for _, c := range f.Spec.Clusters {
		out[cmp.Or(c.TaskQueue, f.Spec.TaskQueue)] = by
	}
	return out
}

// readWorkers asks Temporal who serves each of the task queues.
func readWorkers(ctx context.Context, c client.Client, needs map[string][]string) (queueList, error) {
	var out queueList
	for queue, fleets := range needs {
		q := queueWorkers{TaskQueue: queue, Fleets: fleets, Workers: []aWorker{}}
		for typ, serves := range map[enumspb.TaskQueueType]string{enumspb.TASK_QUEUE_TYPE_WORKFLOW: "workflows", enumspb.TASK_QUEUE_TYPE_ACTIVITY: "activities"} {
			d, err := c.DescribeTaskQueue(ctx, queue, typ)
			if err != nil {
				return nil, fmt.Errorf("ask who serves the task queue %s: %w", queue, err)
			}
			for _, p := range d.GetPollers() {
				q.add(p, serves)
			}
		}
		slices.SortFunc(q.Workers, func(a, b aWorker) int { return strings.Compare(a.Identity, b.Identity) })
		out = append(out, q)
	}
	slices.SortFunc(out, func(a, b queueWorkers) int { return strings.Compare(a.TaskQueue, b.TaskQueue) })
	return out, nil
}

// add notes a worker, or what else one that is there already serves.
func (q *queueWorkers) add(p *taskqueuepb.PollerInfo, serves string) {
	i := slices.IndexFunc(q.Workers, func(w aWorker) bool { return w.Identity == p.GetIdentity() })
	if i < 0 {
		i = len(q.Workers)
		q.Workers = append(q.Workers, aWorker{Identity: p.GetIdentity()})
	}
	w := &q.Workers[i]
	w.Version = cmp.Or(w.Version, p.GetDeploymentOptions().GetBuildId())
	if seen := p.GetLastAccessTime().AsTime(); seen.After(w.LastSeen) {
		w.LastSeen = seen
	}
	if w.Serves = append(w.Serves, serves); len(w.Serves) > 1 {
		slices.Sort(w.Serves)
		w.Serves = slices.Compact(w.Serves)
	}
	w.Silent = time.Since(w.LastSeen) > silentAfter
}

func printWorkers(w io.Writer, list queueList) {
	t := newTable(w, "TASK QUEUE", "FLEETS", "WORKER", "VERSION", "LAST SEEN")
	for _, q := range list {
		fleets := cmp.Or(strings.Join(q.Fleets, ","), "-")
		if len(q.Workers) == 0 {
			t.row(q.TaskQueue, fleets, "none", "-", "-")
		}
		for _, v := range q.Workers {
			seen := elapsed(time.Since(v.LastSeen)) + " ago"
			if v.Silent {
				seen += ", asks for no work any more"
			}
			t.row(q.TaskQueue, fleets, v.Identity, cmp.Or(v.Version, "unknown"), seen)
		}
	}
	t.flush()
}
