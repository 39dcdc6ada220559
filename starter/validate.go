package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/fleet"
)

// verdict holds what `landbridge validate -o json` prints.
type verdict struct {
	File  string `json:"file"`
	Valid bool   `json:"valid"`
	Fleet string `json:"fleet,omitempty"`
	// Clusters and Links count those of a valid file.
	Clusters int `json:"clusters,omitempty"`
	// Sources counts the sources that list more clusters when a run begins.
	Sources  int             `json:"sources,omitempty"`
	Links    int             `json:"links,omitempty"`
	Problems []fleet.Problem `json:"problems,omitempty"`
}

func (a *app) validate() *cobra.Command {
	cmd := &cobra.Command{
		Use: "validate", Args: cobra.NoArgs,
		Short: "Check a fleet file without Temporal and without any cluster",
		Long: "Check a fleet file, all of it at once, without Temporal and without any cluster: for editors,\n" +
			"for pre-commit and for CI. `landbridge plan` asks the clusters, too. The exit code is 2 where the\n" +
			"file is wrong.",
		Example: "  landbridge validate\n  landbridge validate -f fleets/prod.yaml -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := a.load()
			var wrong *fleet.InvalidError
			if err != nil && (a.output == "" || !errors.As(err, &wrong)) {
				return err
			}
			v := verdict{File: spoken(a.file), Valid: err == nil}
			if v.Valid {
				v.Fleet, v.Clusters, v.Links = f.Metadata.Name, len(f.Spec.Clusters), len(f.Links())
				v.Sources = len(f.Spec.ClustersFrom)
			} else {
				v.Problems = wrong.Problems
			}
			if err := a.print(cmd.OutOrStdout(), v, v.print); err != nil {
				return failed(err)
			}
			if !v.Valid {
				return &exitError{exitUsage, nil}
			}
			return nil
		},
	}
	a.fileFlag(cmd)
	a.outputFlag(cmd)
	return cmd
}

// spoken names a fleet file in messages.
func spoken(file string) string {
	if file == "-" {
		return "stdin"
	}
	return file
}

// print tells people of a file that is valid.
func (v verdict) print(w io.Writer) {
	fmt.Fprintf(w, "%s is a valid fleet file: fleet %s, %s, %s\n", v.File, v.Fleet, fleet.Count(v.Clusters, "cluster"), fleet.Count(v.Links, "link"))
	if v.Sources > 0 {
		fmt.Fprintf(w, "%s of spec.clustersFrom is read when a run begins: `landbridge plan` tells which clusters it lists\n", fleet.Count(v.Sources, "source"))
	}
}
