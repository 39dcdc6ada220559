// Command lab brings up real control planes on this machine for Landbridge's
// tests and demo, and removes them again.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/test/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		stop()
		os.Exit(1)
	}
}

func root() *cobra.Command {
	var dir string
	cmd := &cobra.Command{Use: "lab", Short: "Real Kubernetes control planes on this machine, for tests and the demo",
		SilenceUsage: true, SilenceErrors: true}
	cmd.PersistentFlags().StringVar(&dir, "dir", ".lab", "directory of the lab; it must not be in use by another one")
	cmd.AddCommand(up(&dir), down(&dir), status(&dir), behave(&dir), load(&dir), rebuild(&dir), controllers(&dir), hold(&dir), networkPolicies(&dir), pace(), credential(&dir))
	return cmd
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "lab: "+format+"\n", args...) }

// behaviourFlags adds the flags that up and behave share.
func behaviourFlags(cmd *cobra.Command, b *lab.Behaviour) {
	f := cmd.Flags()
	f.DurationVar(&b.Cloud.Delay, "cloud-delay", time.Second, "how long the cloud takes to give an address and to take it back")
	f.IntVar(&b.Cloud.Failures, "cloud-failures", 0, "how many tries of the cloud fail with SyncLoadBalancerFailed first")
	f.BoolVar(&b.Cloud.Never, "cloud-never", false, "the cloud never gives an address")
	f.StringVar(&b.Cloud.Address, "cloud-address", "ip", "what the cloud gives: ip or hostname")
	f.IntVar(&b.Cloud.Generation, "cloud-generation", 0, "another number makes the cloud change every address")
	f.StringVar(&b.Cloud.Only, "cloud-only", "", "limit the cloud's failures to this cluster")
	f.DurationVar(&b.Sail.Delay, "sail-delay", time.Second, "how long Istio takes to become healthy")
	f.DurationVar(&b.Sail.Lag, "sail-lag", time.Second, "how long Sail takes to get round to a change or a deletion, once to four times")
	f.StringVar(&b.Sail.Away, "sail-away", "", "stop the Sail operator: all, or after-seeing (it has seen a change, and installs nothing)")
	f.StringVar(&b.Sail.Error, "sail-error", "", "the message with which every installation by Sail fails")
	f.BoolVar(&b.Sail.Older, "sail-older", false, "the Sail operator is that of the release before, which lacks the newest patches")
	f.StringSliceVar(&b.Platform, "platform", nil, "what the platform does to every namespace: copies, policies, inventions, flicker, stale-api, quota, unenforced")
	f.StringSliceVar(&b.Admission, "admission", nil, "what admission makes of writes: resources, labels, sidecars, tolerations, images; or how it refuses a LoadBalancer Service: refuse, policy, down")
	f.StringVar(&b.Plugin.Fault, "plugin", "", "what is wrong with the exec plugin of the kubeconfigs in plugin/: late, silent, wrong, refused, fails or gone")
	f.IntVar(&b.Plugin.Generation, "plugin-generation", 0, "another number revokes the credentials that the plugin gave, and it has new ones")
	f.StringVar(&b.Sail.Only, "sail-only", "", "limit Sail's error and an older Sail to this cluster")
}

func up(dir *string) *cobra.Command {
	o := lab.Options{Progress: progress}
	cmd := &cobra.Command{Use: "up", Args: cobra.NoArgs, Short: "Bring up a lab, and write its kubeconfigs and a fleet.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Clusters < 1 || o.Clusters > 50 {
				return fmt.Errorf("--clusters: want 1 to 50, got %d", o.Clusters)
			}
			if o.Nodes != lab.NodesKWOK && o.Nodes != lab.NodesReal && o.Nodes != lab.NodesAuto {
				return fmt.Errorf("--nodes: want kwok, real or auto, got %q", o.Nodes)
			}
			if err := o.Behaviour.Validate(); err != nil {
				return err
			}
			exe, err := os.Executable()
			if err != nil {
				return err
			}
			o.Dir, o.Exe = *dir, exe
			_, err = lab.Up(cmd.Context(), o)
			return err
		}}
	cmd.Flags().IntVar(&o.Clusters, "clusters", 2, "how many clusters")
	cmd.Flags().StringVar(&o.Nodes, "nodes", lab.NodesKWOK, "kwok: pods are said to run and run nothing; real: they run (Linux, root); auto: real where it can be")
	cmd.Flags().StringSliceVar(&o.TwoNodes, "two-nodes", nil, "clusters that get two nodes, where nodes are real")
	cmd.Flags().StringVar(&o.IPFamilies, "ip-families", lab.IPFamilies[0], "of the networks of real nodes, as Kubernetes spells them: "+strings.Join(lab.IPFamilies, " or "))
	behaviourFlags(cmd, &o.Behaviour)
	return cmd
}

func down(dir *string) *cobra.Command {
	return &cobra.Command{Use: "down", Args: cobra.NoArgs, Short: "Stop every process of a lab and remove every file that it made",
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(*dir)
			if errors.Is(err, fs.ErrNotExist) {
				progress("%s has no lab", *dir)
				return nil
			}
			if err != nil {
				return err
			}
			return l.Down(cmd.Context(), progress)
		}}
}

func status(dir *string) *cobra.Command {
	var output string
	cmd := &cobra.Command{Use: "status", Args: cobra.NoArgs, Short: "Show a lab's clusters and processes; exit code 1 when one does not run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(*dir)
			if err != nil {
				return fmt.Errorf("%s has no lab; `lab up --dir %s` brings one up", *dir, *dir)
			}
			dead := 0
			for _, p := range l.Processes {
				if !p.Alive() {
					dead++
				}
			}
			if output == "json" {
				if err := json.NewEncoder(os.Stdout).Encode(l); err != nil {
					return err
				}
			} else {
				for _, c := range l.Clusters {
					fmt.Printf("%-8s %s  %s\n", c.Name, c.URL(), l.Kubeconfig(c.Name))
				}
				for _, p := range l.Processes {
					state := "runs"
					if !p.Alive() {
						state = "ended"
					}
					fmt.Printf("  %-32s %7d  %s\n", p.Name, p.PID, state)
				}
			}
			if dead > 0 {
				return fmt.Errorf("%d of %d processes ended; their logs are in %s/logs", dead, len(l.Processes), *dir)
			}
			return nil
		}}
	cmd.Flags().StringVarP(&output, "output", "o", "", "json, or empty for people")
	return cmd
}

func behave(dir *string) *cobra.Command {
	var b lab.Behaviour
	cmd := &cobra.Command{Use: "behave", Args: cobra.NoArgs, Short: "Change how the cloud, the Sail stand-in, the platform, admission and the exec plugin of a running lab act",
		RunE: func(*cobra.Command, []string) error {
			if err := b.Validate(); err != nil {
				return err
			}
			l, err := lab.Open(*dir)
			if err != nil {
				return fmt.Errorf("%s has no lab", *dir)
			}
			return b.Save(l.Dir)
		}}
	behaviourFlags(cmd, &b)
	return cmd
}

func load(dir *string) *cobra.Command {
	var name string
	cmd := &cobra.Command{Use: "load LAYOUT", Args: cobra.ExactArgs(1), Short: "Give a running lab with real nodes the image of an OCI layout, such as dist/image of `make image`",
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := lab.Open(*dir)
			if err != nil {
				return fmt.Errorf("%s has no lab", *dir)
			}
			return l.Load(args[0], name)
		}}
	cmd.Flags().StringVar(&name, "name", "landbridge-worker", "name of the image; the registry and the tag do not matter")
	return cmd
}

func rebuild(dir *string) *cobra.Command {
	return &cobra.Command{Use: "rebuild CLUSTER", Args: cobra.ExactArgs(1), Short: "Replace a cluster with KWOK nodes by a new one under its name, in which nothing of the old one is",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lab.Open(*dir)
			if err != nil {
				return fmt.Errorf("%s has no lab", *dir)
			}
			return l.Rebuild(cmd.Context(), args[0])
		}}
}

func controllers(dir *string) *cobra.Command {
	return &cobra.Command{Use: "controllers", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(*dir)
			if err != nil {
				return err
			}
			return l.Control(cmd.Context())
		}}
}

func credential(dir *string) *cobra.Command {
	var cluster string
	cmd := &cobra.Command{Use: "credential", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(*dir)
			if err != nil {
				return err
			}
			return l.Credential(cmd.Context(), cluster, os.Stdout)
		}}
	cmd.Flags().StringVar(&cluster, "cluster", "", "for which the credential is")
	return cmd
}

func networkPolicies(dir *string) *cobra.Command {
	var cluster string
	var second bool
	cmd := &cobra.Command{Use: "network-policies", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(*dir)
			if err != nil {
				return err
			}
			return l.EnforceNetworkPolicies(cmd.Context(), cluster, second)
		}}
	nodeFlags(cmd, &cluster, &second)
	return cmd
}

// nodeFlags adds the flags that name a node.
func nodeFlags(cmd *cobra.Command, cluster *string, second *bool) {
	cmd.Flags().StringVar(cluster, "cluster", "", "whose node")
	cmd.Flags().BoolVar(second, "second", false, "its second one")
}

func hold(dir *string) *cobra.Command {
	var cluster string
	var second bool
	cmd := &cobra.Command{Use: "hold", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cluster == "" { // only its network counts
				<-cmd.Context().Done()
				return nil
			}
			l, err := lab.Open(*dir)
			if err != nil {
				return err
			}
			return l.Hold(cmd.Context(), cluster, second)
		}}
	nodeFlags(cmd, &cluster, &second)
	return cmd
}
