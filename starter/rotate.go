package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

// rotateFlags say what a rotation renews.
type rotateFlags struct {
	tokens, intermediates, root, undo, takeOver bool
	cluster, link                               string
	lifetime                                    time.Duration
	why                                         fleet.Request
}

func (a *app) rotate() *cobra.Command {
	var flags rotateFlags
	cmd := &cobra.Command{
		Use: "rotate [FLEET] --tokens|--intermediates|--root", Args: cobra.MaximumNArgs(1),
		Short: "Give sources new tokens, clusters new CAs, or the fleet another root",
		Long: "With --tokens, give sources new tokens for their targets. Each link gets a new token beside the one\n" +
			"in force; the source's remote secret gets it, the link is proven, and then the old one is removed.\n\n" +
			"With --intermediates, give clusters new intermediate CAs under the same root, one cluster after the\n" +
			"other. The cluster makes a new key, the root signs its CSR, cacerts gets both, and when every istiod\n" +
			"works with it, the links of the cluster are proven and the old key is removed. Certificates of\n" +
			"before stay valid, and nothing is restarted.\n\n" +
			"With --root, bring the fleet one phase nearer to another root, in every cluster: first both are\n" +
			"trusted, then the new one signs, then the old one is removed. Each cluster accepts the new root only\n" +
			"if its own has signed it. Between two phases workloads must renew their certificates, for which the\n" +
			"command makes you wait. --undo goes back, until the last phase has begun.\n\n" +
			"Where that fails, the old one is put back and stays in force. Nothing else of the fleet is changed.\n" +
			"Without --cluster and --link that is done for the whole fleet.\n\n" +
			"A schedule in Temporal renews tokens and intermediates in the last third of their lives, where they\n" +
			"end; so does each rollout. This command is for at once, and for roots.\n\n" +
			"FLEET is the fleet of the last run in this Temporal that was not refused; with -f it is that of a\n" +
			"fleet file, as far as that says how the clusters are reached: the settings are those of the last\n" +
			"rollout.",
		Example: "  landbridge rotate prod --tokens --reason CHG-7\n  landbridge rotate prod --tokens --link east.west\n  landbridge rotate prod --tokens --cluster east   # the tokens with which east reads the others\n" +
			"  landbridge rotate prod --intermediates --cluster east\n  landbridge rotate prod --root --reason CHG-8",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.wrong(cmd.Flags().Changed("workload-lifetime")); err != nil {
				return usage(err)
			}
			if err := requested(&flags.why); err != nil {
				return err
			}
			f, err := a.fleetToChange(cmd, args)
			if err != nil {
				return err
			}
			in := api.FleetInput{Fleet: *f, FromInventories: true, TakeOver: flags.takeOver, Request: flags.why}
			if in.Rotate, err = flags.rotation(*f); err != nil {
				return usage(err)
			}
			return a.change(cmd, api.RotateFleet, in, false, shows(a, flags.printer()))
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd, outputName)
	waitFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	requestFlags(cmd, &flags.why)
	flags.bind(cmd)
	return cmd
}

func (f *rotateFlags) bind(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.tokens, "tokens", false, "renew the tokens with which sources read their targets")
	cmd.Flags().BoolVar(&f.intermediates, "intermediates", false, "renew the clusters' intermediate CAs")
	cmd.Flags().BoolVar(&f.root, "root", false, "bring the fleet one phase nearer to another root")
	cmd.Flags().BoolVar(&f.undo, "undo", false, "go back one phase of the change of the root")
	cmd.Flags().DurationVar(&f.lifetime, "workload-lifetime", fleet.WorkloadLifetime, "how long certificates of workloads live; 0 where every workload was restarted since the phase before")
	cmd.Flags().BoolVar(&f.takeOver, "take-over", false, takeOverUsage)
	cmd.Flags().StringVar(&f.cluster, "cluster", "", "`name` of the source whose tokens, or of the cluster whose intermediate is renewed")
	cmd.Flags().StringVar(&f.link, "link", "", "link whose token is renewed, as `FROM.TO`")
	cmd.MarkFlagsMutuallyExclusive("cluster", "link")
	cmd.MarkFlagsMutuallyExclusive("tokens", "intermediates", "root")
}

// wrong returns an error where the flags do not fit together.
func (f *rotateFlags) wrong(lifetimeGiven bool) error {
	switch {
	case !f.tokens && !f.intermediates && !f.root:
		return errors.New("say what is to be renewed: --tokens, --intermediates or --root")
	case f.root && (f.cluster != "" || f.link != ""):
		return errors.New("a root is changed in every cluster or in none: leave --cluster and --link out")
	case !f.root && (f.undo || lifetimeGiven):
		return errors.New("--undo and --workload-lifetime belong to --root")
	case f.lifetime < 0:
		return errors.New("--workload-lifetime tells how long certificates of workloads live, and cannot be negative")
	case f.intermediates && f.link != "":
		return errors.New("a link has no intermediate; say whose is to be renewed with --cluster")
	}
	return nil
}

// rotation returns what the flags ask for of a fleet.
func (f *rotateFlags) rotation(of fleet.Fleet) (out *api.Rotation, err error) {
	out = &api.Rotation{Intermediates: f.intermediates}
	switch {
	case f.root:
		out.Root = &api.RootRotation{Undo: f.undo, WorkloadLifetime: f.lifetime}
	case f.intermediates:
		out.Clusters, err = rotatedClusters(of, f.cluster)
	default:
		out.Links, err = rotated(of, f.cluster, f.link)
	}
	return out, err
}

// printer returns what prints the result.
func (f *rotateFlags) printer() func(io.Writer, api.FleetResult, time.Duration) {
	switch {
	case f.root:
		return printRootChanged
	case f.intermediates:
		return printIntermediates
	}
	return printRotated
}

// rotated lists the links whose tokens are renewed, or nothing for all.
func rotated(f fleet.Fleet, cluster, link string) (out []fleet.Link, err error) {
	switch {
	case link != "":
		l, err := parseLink(link)
		if err == nil && !slices.Contains(f.Links(), l) {
			err = fmt.Errorf("the fleet %s has no link %s", f.Metadata.Name, l)
		}
		return []fleet.Link{l}, err
	case cluster == "":
		return nil, nil
	}
	if _, ok := f.Cluster(cluster); !ok {
		return nil, fmt.Errorf("the fleet %s has no cluster %q", f.Metadata.Name, cluster)
	}
	for _, l := range f.Links() {
		if l.From == cluster {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		err = fmt.Errorf("cluster %s of the fleet %s reads no other cluster", cluster, f.Metadata.Name)
	}
	return out, err
}

// rotatedClusters lists the clusters whose intermediates are renewed, or nothing for all.
func rotatedClusters(f fleet.Fleet, cluster string) ([]string, error) {
	if cluster == "" {
		return nil, nil
	}
	if _, ok := f.Cluster(cluster); !ok {
		return nil, fmt.Errorf("the fleet %s has no cluster %q", f.Metadata.Name, cluster)
	}
	return []string{cluster}, nil
}

func printIntermediates(w io.Writer, r api.FleetResult, took time.Duration) {
	fmt.Fprintf(w, "fleet %s: %s of %s renewed in %s\n", r.Fleet, fleet.Count(len(r.Intermediates), "intermediate"), fleet.Count(len(r.Clusters), "cluster"), took.Round(100*time.Millisecond))
	if r.Proven > 0 {
		fmt.Fprintf(w, "every istiod works with its new one, and %s of links passed\n", fleet.Count(r.Proven, "proof"))
	} else {
		fmt.Fprintln(w, "no link was proven with them")
	}
	for _, c := range r.Clusters {
		fmt.Fprintf(w, "  %-12s %s, ends at %s\n", c.Name, c.Certificate.Fingerprint, c.Certificate.NotAfter.Local().Format(time.RFC3339))
	}
}

func printRotated(w io.Writer, r api.FleetResult, took time.Duration) {
	fmt.Fprintf(w, "fleet %s: %s of %s renewed in %s\n", r.Fleet, fleet.Count(r.Renewed, "token"), fleet.Count(len(r.Links), "link"), took.Round(100*time.Millisecond))
	if r.Proven < len(r.Links) {
		fmt.Fprintf(w, "%d of %s proven; the tokens before stay in force until the next rotation\n", r.Proven, fleet.Count(len(r.Links), "link"))
	} else {
		fmt.Fprintln(w, "every one is proven, and the one before it is removed")
	}
	showTokens(w, r.Tokens)
}

// showTokens tells until when the sources' tokens are good.
func showTokens(w io.Writer, t api.Tokens) {
	showEnding(w, t)
	if t.Unending > 0 {
		verb := "do not end by themselves; the oldest"
		if t.Unending == 1 {
			verb = "does not end by itself; it"
		}
		fmt.Fprintf(w, "%s %s was issued at %s; `landbridge rotate --tokens` renews them\n", fleet.Count(t.Unending, "token"), verb, t.Oldest.Local().Format(time.RFC3339))
	}
}

// showEnding tells of those that end.
func showEnding(w io.Writer, t api.Tokens) {
	if t.Ending > 0 {
		fmt.Fprintf(w, "%s, the first at %s; the schedule renews each before\n", ends(t.Ending), t.Ends.Local().Format(time.RFC3339))
	}
}

func ends(n int) string {
	if n == 1 {
		return "1 token ends"
	}
	return fleet.Count(n, "token") + " end"
}
