package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func (a *app) ca() *cobra.Command {
	cmd := &cobra.Command{Use: "ca", Short: "Show, move, export and import the root CA of a fleet",
		Long: "Show the certificates of a fleet's CA, or move, export or import its root. The root's key leaves\n" +
			"its place only encrypted with age: to the place that is to keep it, or to the recipients of an\n" +
			"export. Temporal's history shows who did what, when and why."}
	a.temporal.Bind(cmd.PersistentFlags())
	cmd.AddCommand(a.caShow(), a.caMove(), a.caExport(), a.caImport())
	return cmd
}

func (a *app) caShow() *cobra.Command {
	cmd := &cobra.Command{Use: "show [FLEET]", Args: cobra.MaximumNArgs(1), Short: "Show the root and the intermediates: fingerprints, ends, and where the root is kept",
		Long: "Show the root CA of a fleet and the intermediate of each of its clusters: subjects, fingerprints,\n" +
			"ends, and where the root is kept. It changes nothing.\n\n" +
			fleetOrFile + "\n\n" +
			"Exit code 3: something could not be read, or the clusters know different roots.",
		Example: "  landbridge ca show prod\n  landbridge ca show -f fleet.yaml\n  landbridge ca show -o json | jq -r .root.facts.fingerprint",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.fleetToChange(cmd, args)
			if err != nil {
				return err
			}
			var r api.CAResult
			if err := a.look(cmd.Context(), api.InspectCA, api.FleetInput{Fleet: *f}, &r, nil); err != nil {
				return err
			}
			if err := a.print(cmd.OutOrStdout(), r, func(w io.Writer) { printCA(w, r) }); err != nil {
				return err
			}
			return caError(r, f.Spec.CA.Managed())
		}}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	waitFlag(cmd)
	return cmd
}

func printCA(w io.Writer, r api.CAResult) {
	t := newTable(w, "CERTIFICATE", "SUBJECT", "FINGERPRINT", "ISSUED BY ROOT", "ENDS")
	row := func(of string, f api.CertificateFacts, issuer string) {
		ends := "-"
		if !f.NotAfter.IsZero() {
			ends = f.NotAfter.Local().Format(time.DateOnly)
		}
		t.row(of, cmp.Or(f.Subject, "-"), cmp.Or(f.Fingerprint, "-"), cmp.Or(issuer, "-"), ends)
	}
	row("root", r.Root.Facts, "")
	for _, c := range r.Clusters {
		issuer := c.Root
		if c.Known.Next.Done { // two roots are trusted, and the first of them may not sign any more
			issuer = c.Known.Signer()
		}
		row(c.Name, c.Intermediate, issuer)
	}
	t.flush()
	if r.Root.Why == "" {
		fmt.Fprintf(w, "\nthe root is kept %s\n", r.Root.Kept)
	} else {
		fmt.Fprintf(w, "\nno root can be used here: %s\n", r.Root.Why)
	}
	for _, c := range r.Clusters {
		switch {
		case c.Why != "":
			fmt.Fprintf(w, "cluster %s could not be read: %s\n", c.Name, c.Why)
		case c.Known.Next.Fingerprint != "":
			fmt.Fprintf(w, "cluster %s: the root is being changed to %s: %s%s\n", c.Name, c.Known.Next.Fingerprint, c.Known.Next.Phase, unfinished(c.Known.Next))
		case c.Known.Fingerprint != "" && c.Known.Fingerprint != r.Root.Facts.Fingerprint:
			fmt.Fprintf(w, "cluster %s knows the root %s, kept %s\n", c.Name, c.Known.Fingerprint, c.Known.Kept)
		}
	}
}

// unfinished says so of a phase that has not ended in a cluster.
func unfinished(n fleet.NextRoot) string {
	if n.Done {
		return ""
	}
	return " (not finished)"
}

// caError returns an error where the picture is not whole.
func caError(r api.CAResult, managed bool) error {
	roots, unread := map[string]bool{}, 0
	note := func(fingerprint string) {
		if fingerprint != "" {
			roots[fingerprint] = true
		}
	}
	if managed && r.Root.Why != "" {
		unread++
	}
	note(r.Root.Facts.Fingerprint)
	for _, c := range r.Clusters {
		note(c.Root)
		note(c.Known.Fingerprint)
		if c.Why != "" {
			unread++
		}
	}
	switch {
	case len(roots) > 1:
		return &exitError{exitPartly, fmt.Errorf("the fleet knows %d different roots", len(roots))}
	case unread > 0:
		return &exitError{exitPartly, fmt.Errorf("%s could not be read", fleet.Count(unread, "place"))}
	}
	return nil
}

// The places that `ca move --to` knows.
const (
	toDirectory = "directory"
	toCluster   = "cluster"
	toSealed    = "sealed"
)

func (a *app) caMove() *cobra.Command {
	var to, cluster, queue string
	var why fleet.Request
	var detach bool
	cmd := &cobra.Command{Use: "move [FLEET]", Args: cobra.MaximumNArgs(1), Short: "Move the root to another place",
		Long: "Move the fleet's root from the place that the fleet file names (spec.ca.root) to another one: the\n" +
			"directory of a worker, a Secret of a cluster, or a Secret that is sealed to the workers' identity\n" +
			"(--root-identity-file). It is removed where it was once it is kept there and every member knows.\n\n" +
			"Then change spec.ca.root in the fleet file: the command prints how.\n\n" +
			fleetOrFile,
		Example: "  landbridge ca move --to cluster --cluster east --reason CHG-7\n  landbridge ca move --to sealed --cluster east\n  landbridge ca move --to directory --task-queue west",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.fleetToChange(cmd, args)
			if err != nil {
				return err
			}
			place, err := placeOf(f, to, cluster, queue)
			if err != nil {
				return usage(err)
			}
			if err := requested(&why); err != nil {
				return err
			}
			in := api.FleetInput{Fleet: *f, Root: api.RootChange{To: place}, Request: why}
			return a.change(cmd, api.MoveRoot, in, detach, a.showMoved(place))
		}}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	waitFlag(cmd)
	cmd.Flags().StringVar(&to, "to", "", "directory, cluster or sealed (required)")
	_ = cmd.MarkFlagRequired("to")
	_ = cmd.RegisterFlagCompletionFunc("to", cobra.FixedCompletions([]string{toDirectory, toCluster, toSealed}, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().StringVar(&cluster, "cluster", "", "with --to cluster or sealed: the cluster of the fleet whose Secret keeps the root")
	cmd.Flags().StringVar(&queue, "task-queue", "", "with --to directory: task queue of the worker that keeps the root (default: the fleet's)")
	requestFlags(cmd, &why)
	cmd.Flags().BoolVar(&detach, "detach", false, "start the move and return at once")
	return cmd
}

// placeOf returns the place that the flags of `ca move` name.
func placeOf(f *fleet.Fleet, to, cluster, queue string) (fleet.RootStore, error) {
	place := fleet.RootStore{Cluster: cluster, TaskQueue: queue, Sealed: to == toSealed}
	switch to {
	case toDirectory:
		if cluster != "" {
			return place, fmt.Errorf("--cluster goes with --to cluster or --to sealed; a directory is a worker's (--task-queue)")
		}
		if place.TaskQueue == "" {
			place.TaskQueue = f.Spec.TaskQueue
		}
	case toCluster, toSealed:
		c, ok := f.Cluster(cluster)
		if !ok {
			return place, fmt.Errorf("--cluster: want a cluster of the fleet whose Secret is to keep the root, got %q", cluster)
		}
		if queue != "" {
			return place, fmt.Errorf("--task-queue goes with --to directory; a cluster has its own")
		}
		place.TaskQueue = c.TaskQueue
	default:
		return place, fmt.Errorf("--to: want %s, %s or %s, got %q", toDirectory, toCluster, toSealed, to)
	}
	if err := keepsRoot(f); err != nil {
		return place, err
	}
	if place == f.Spec.CA.Root {
		return place, fmt.Errorf("the fleet file names this place already (spec.ca.root); run the command with the file that names where the root is kept now")
	}
	return place, nil
}

// keepsRoot refuses to handle the root of a fleet of which Landbridge has none.
func keepsRoot(f *fleet.Fleet) error {
	switch {
	case !f.Spec.CA.Managed():
		return fmt.Errorf("the fleet %s has an existing CA (spec.ca.manage: false), so that Landbridge keeps no root of it", f.Metadata.Name)
	case !f.Spec.CA.KeepsRoot():
		return fmt.Errorf("the root of the fleet %s is its issuer's (spec.ca.issuer), so that Landbridge has no key of it", f.Metadata.Name)
	}
	return nil
}

// showMoved prints where the root is now, and what the fleet file must say.
func (a *app) showMoved(place fleet.RootStore) func(io.Writer, func(any) error, time.Duration) error {
	return shows(a, func(w io.Writer, r api.MoveRootResult, took time.Duration) {
		from := ""
		if r.From != "" {
			from = ", and no more " + r.From
		}
		fmt.Fprintf(w, "fleet %s: the root %s is kept %s%s (%s)\n", r.Fleet, r.Facts.Fingerprint, r.To, from, took.Round(100*time.Millisecond))
		if r.From != "" {
			fmt.Fprintf(w, "now set in the fleet file: spec.ca.root: %s\n", inFile(place))
		}
	})
}

// inFile returns a place as the fleet file has it.
func inFile(p fleet.RootStore) string {
	switch {
	case p.Sealed:
		return fmt.Sprintf("{cluster: %s, sealed: true}", p.Cluster)
	case p.Cluster != "":
		return fmt.Sprintf("{cluster: %s}", p.Cluster)
	}
	return fmt.Sprintf("{taskQueue: %s}", p.TaskQueue)
}

// writeNew writes a file that must not be there yet, for its owner only.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
