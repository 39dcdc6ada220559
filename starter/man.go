package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/landbridge/landbridge/internal/build"
)

// man writes the man pages, of which a release has a copy.
func man() *cobra.Command {
	return &cobra.Command{
		Use: "man DIRECTORY", Args: cobra.ExactArgs(1),
		Short: "Write a man page for every command",
		Long: "Write a man page for every command into a directory, which is made where it is missing: man1 in a\n" +
			"directory of your MANPATH has `man landbridge-rollout` find them. A release has them in man/man1.",
		Example: "  landbridge man ~/.local/share/man/man1",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return failed(err)
			}
			cmd.Root().DisableAutoGenTag = true
			if err := doc.GenManTree(cmd.Root(), &doc.GenManHeader{Section: "1", Source: "landbridge " + build.Version(), Manual: "Landbridge"}, args[0]); err != nil {
				return failed(fmt.Errorf("cannot write the man pages: %w", err))
			}
			return nil
		},
	}
}
