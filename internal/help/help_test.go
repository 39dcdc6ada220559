package help

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

func TestWrap_FlagsLookAsInKubectl(t *testing.T) {
	cmd := &cobra.Command{Use: "go", Run: func(*cobra.Command, []string) {}}
	flags := cmd.Flags()
	flags.Bool("force", false, "do it")
	flags.Bool("proof", true, "prove it")
	flags.StringP("file", "f", "fleet.yaml", "fleet file")
	flags.String("plan", "", "what a `plan` says")
	flags.Duration("every", 0, "how often")
	flags.Int("limit", 20, "how many")
	sub := &cobra.Command{Use: "on", Run: func(*cobra.Command, []string) {}}
	cmd.PersistentFlags().Bool("all", false, "all of them")
	cmd.AddCommand(sub)
	Wrap(cmd)
	require.Equal(t, `      --every duration   how often
  -f, --file string      fleet file (default "fleet.yaml")
      --force            do it
      --limit int        how many (default 20)
      --plan plan        what a plan says
      --proof            prove it (default true)
`, usages(cmd.Flags()))
	require.Contains(t, cmd.UsageString(), "\nFlags:\n      --all              all of them\n      --every duration   how often\n")
	require.Contains(t, sub.UsageString(), "\nGlobal Flags:\n      --all   all of them\n")
}
