package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/help"
)

// everyCommand calls check for each command of landbridge that is ours.
func everyCommand(check func(*cobra.Command)) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		check(cmd)
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root())
}

func TestHelp_OfEveryCommand_FitsItsWidth(t *testing.T) {
	everyCommand(func(cmd *cobra.Command) {
		var out bytes.Buffer
		line := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		require.Zero(t, Main(line, &out, &out))
		for _, l := range strings.Split(out.String(), "\n") {
			if n := utf8.RuneCountInString(l); n > help.Width {
				t.Errorf("%s has a line of %d characters: %s", strings.Join(line, " "), n, l)
			}
		}
	})
}

// The first words in backquotes become the placeholder of a flag's value.
func TestHelp_OfEveryFlag_HasAPlaceholderOfOneWord(t *testing.T) {
	everyCommand(func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			placeholder, usage := pflag.UnquoteUsage(f)
			require.NotContains(t, placeholder, " ", "%s --%s", cmd.CommandPath(), f.Name)
			require.NotEmpty(t, usage, "%s --%s", cmd.CommandPath(), f.Name)
		})
	})
}

// Each line of an example is a command that would be accepted: it names a command, with
// its flags and as many arguments as it takes.
func TestHelp_OfEveryExample_IsACommandWithItsFlags(t *testing.T) {
	n := 0
	everyCommand(func(cmd *cobra.Command) {
		if cmd.Example == "" {
			return
		}
		for _, l := range strings.Split(cmd.Example, "\n") {
			for _, part := range strings.Split(strings.Split(l, " # ")[0], "|") {
				words := strings.Fields(part)
				if words[0] != "landbridge" {
					continue
				}
				if at := strings.Index(part, "2>&1"); at >= 0 {
					words = strings.Fields(part[:at])
				}
				found, rest, err := root().Find(words[1:])
				require.NoError(t, err, l)
				require.NoError(t, found.ParseFlags(rest), l)
				require.NoError(t, found.ValidateArgs(found.Flags().Args()), l)
				require.NoError(t, found.ValidateRequiredFlags(), l)
				n++
			}
		}
	})
	require.Greater(t, n, 20)
}

func TestHelp_EveryCommandHasAGroupAndExamples(t *testing.T) {
	for _, c := range root().Commands() {
		require.NotEmpty(t, c.GroupID, c.Name())
	}
	everyCommand(func(cmd *cobra.Command) {
		if cmd.Runnable() {
			require.Contains(t, cmd.Example, "  "+cmd.CommandPath(), cmd.CommandPath())
		}
	})
}

// A backquote in a usage would make its word the flag's placeholder: only a word in capitals
// or one that tells the kind of a value may be that.
func TestHelp_OfEveryFlag_BackquotesOnlyItsPlaceholder(t *testing.T) {
	everyCommand(func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			switch parts := strings.Split(f.Usage, "`"); len(parts) {
			case 1:
			case 3:
				require.Regexp(t, `^([A-Z.=]+|name|file|directory)$`, parts[1], "%s --%s", cmd.CommandPath(), f.Name)
			default:
				t.Errorf("%s --%s has backquotes around more than its placeholder: %s", cmd.CommandPath(), f.Name, f.Usage)
			}
		})
	})
}

// Where a command waits for a run, a person or a pipeline can say how long.
func TestHelp_EveryCommandThatWaits_HasATimeout(t *testing.T) {
	waits := map[string]bool{}
	everyCommand(func(cmd *cobra.Command) { waits[cmd.CommandPath()] = cmd.Flags().Lookup("timeout") != nil })
	for _, name := range []string{"init", "approve", "pause", "resume", "skip", "cancel", "check", "plan", "render", "rollout", "cleanup", "rotate", "forget", "revoke", "restart", "retry", "status", "watch", "verify", "drift", "gather",
		"ca show", "ca move", "ca export", "ca import"} {
		require.True(t, waits["landbridge "+name], name)
	}
}

// Who gives an argument to a command that takes none reads that, and where the file goes; cobra
// alone would call the argument an unknown command.
func TestHelp_OfACommandWithoutArguments_SaysSoWhenItGetsOne(t *testing.T) {
	n := 0
	everyCommand(func(cmd *cobra.Command) {
		if cmd.HasSubCommands() || cmd.Args == nil || len(cmd.ValidArgs) > 0 || cmd.ValidateArgs(nil) != nil || cmd.ValidateArgs([]string{"fleet.yaml"}) == nil {
			return
		}
		err := cmd.ValidateArgs([]string{"fleet.yaml"})
		require.ErrorContains(t, err, "`"+cmd.CommandPath()+"` takes no argument, got \"fleet.yaml\"; ")
		if cmd.Flags().Lookup("file") != nil {
			require.ErrorContains(t, err, "-f FILE names a fleet file")
		}
		n++
	})
	require.Greater(t, n, 5)
}
