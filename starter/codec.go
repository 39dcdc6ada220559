package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/codec"
)

func codecKeys() *cobra.Command {
	cmd := &cobra.Command{Use: "codec", Short: "Make the keys that encrypt what Temporal keeps",
		Long: "Make the keys with which the command and the workers encrypt what Temporal keeps: inputs, results,\n" +
			"errors, notes. Give their file to each of them with --codec-key-file or " + codec.Variable + ".\n" +
			"Without a key nobody reads what it encrypted."}
	cmd.AddCommand(newKey())
	return cmd
}

func newKey() *cobra.Command {
	var last bool
	cmd := &cobra.Command{Use: "keygen FILE", Args: cobra.ExactArgs(1), Short: "Add a new key to a key file, or make the file",
		Long: "Add a new key to a key file, or make the file. The first key of a file encrypts, all of them open.\n\n" +
			"Where several processes share the keys, first give each a file with the new key at its end\n" +
			"(--last), so that all can open what it encrypts, and then move its line to the top.",
		Example: "  landbridge codec keygen codec.keys\n  landbridge codec keygen codec.keys --last",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := codec.NewKey(args[0], last)
			if err != nil {
				return usage(err)
			}
			does := "it encrypts from now on, and the others still open"
			if last {
				does = "it opens, and encrypts once its line is the first"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: new key %s; %s; keep a copy of the file\n", args[0], id, does)
			return nil
		}}
	cmd.Flags().BoolVar(&last, "last", false, "add it after the others, so that it opens and does not encrypt yet")
	return cmd
}
