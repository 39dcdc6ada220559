package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/build"
	"github.com/landbridge/landbridge/internal/fleet"
)

// versions hold what `landbridge version` prints.
type versions struct {
	Client string `json:"client"`
	// Server is nil with --client.
	Server  *serverVersion `json:"server,omitempty"`
	Workers queueList      `json:"workers,omitempty"`
	// Skew lists the workers whose version is another one than the command's.
	Skew []string `json:"skew,omitempty"`
}

// serverVersion describes the Temporal that the command talks to. Error tells why nothing is
// known of it.
type serverVersion struct {
	Address   string `json:"address,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Version   string `json:"version,omitempty"`
	Error     string `json:"error,omitempty"`
}

func (a *app) version() *cobra.Command {
	var alone bool
	cmd := &cobra.Command{
		Use: "version", Args: cobra.NoArgs,
		Short: "Print the versions of the command, of Temporal and of the workers",
		Long: "Print the versions of this command, of the Temporal that it finds, and of the workers by task queue.\n" +
			"It warns where a worker is of another version than the command: an older one refuses what it does\n" +
			"not know.",
		Example: "  landbridge version\n  landbridge version --client\n  landbridge version -o json | jq -r '.skew[]'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := versions{Client: build.Version()}
			if !alone {
				v.look(cmd, a)
			}
			return a.print(cmd.OutOrStdout(), v, v.print)
		},
	}
	a.outputFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	cmd.Flags().BoolVar(&alone, "client", false, "print the version of this command only, and ask nobody")
	return cmd
}

// look asks Temporal. What it cannot tell is no error of the command.
func (v *versions) look(cmd *cobra.Command, a *app) {
	v.Server = &serverVersion{}
	c, err := a.temporal.Dial(cmd.Context(), nil, func(o *client.Options) { v.Server.Address, v.Server.Namespace = o.HostPort, o.Namespace })
	if err == nil {
		defer c.Close()
		err = v.read(cmd.Context(), a, cmd, c)
	}
	if err != nil {
		v.Server.Error = err.Error()
	}
}

func (v *versions) read(ctx context.Context, a *app, cmd *cobra.Command, c client.Client) error {
	info, err := c.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		return err
	}
	v.Server.Version = info.GetServerVersion()
	if v.Server.Namespace == "" {
		v.Server.Namespace = client.DefaultNamespace
	}
	needs, err := a.queues(cmd, c, nil)
	if err != nil {
		return err
	}
	if v.Workers, err = readWorkers(ctx, c, needs); err != nil {
		return err
	}
	v.Skew = skew(v.Client, v.Workers)
	return nil
}

// skew names the workers of another version than the command's.
func skew(own string, list queueList) (out []string) {
	for _, q := range list {
		for _, w := range q.Workers {
			if !w.Silent && w.Version != "" && w.Version != own {
				out = append(out, fmt.Sprintf("%s serves %s with version %s, and this command is %s", w.Identity, q.TaskQueue, w.Version, own))
			}
		}
	}
	slices.Sort(out)
	return out
}

func (v versions) print(w io.Writer) {
	fmt.Fprintln(w, program, v.Client)
	switch s := v.Server; {
	case s == nil:
		return
	case s.Version == "":
		fmt.Fprintln(w, s.Error)
		return
	default:
		fmt.Fprintf(w, "Temporal %s at %s, namespace %s\n", s.Version, s.Address, s.Namespace)
		if s.Error != "" {
			fmt.Fprintln(w, s.Error)
			return
		}
	}
	fmt.Fprintln(w)
	printWorkers(w, v.Workers)
	if len(v.Skew) > 0 {
		fmt.Fprintln(w)
	}
	for _, s := range v.Skew {
		fmt.Fprintln(w, attention.Styled(s))
	}
	if len(v.Skew) > 0 {
		fmt.Fprintf(w, "take the same version for both: docs/upgrade.md tells the order (%s)\n", fleet.Count(len(v.Skew), "worker"))
	}
}
