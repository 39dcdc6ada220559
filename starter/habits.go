package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/fleet"
)

// program names the command in its usage.
const program = "landbridge"

// calledAs has the usage name the command as somebody typed it: as a plugin of kubectl it is a
// file of another name.
func calledAs(file string) map[string]string {
	if filepath.Base(file) != "kubectl-"+program {
		return nil
	}
	return map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl " + program}
}

// aliases are words of other tools that mean the same here, by command.
var aliases = map[string][]string{"rollout": {"apply"}, "plan": {"diff"}, "list": {"ls"}}

// suggestions are words of other tools that lead to a command without running it: those of
// other tools that remove something ask for less, and `get` means two things here.
var suggestions = map[string][]string{
	"cleanup": {"uninstall", "delete", "destroy", "down", "remove"},
	"list":    {"get", "fleets"},
	"status":  {"get", "describe"},
	"check":   {"preflight", "doctor"},
	"report":  {"logs", "audit"},
	"cancel":  {"abort", "stop"},
}

// habits has the words that people know from kubectl, helm and others lead somewhere, and the
// examples name the command as it is called.
func habits(root *cobra.Command) {
	for _, c := range root.Commands() {
		c.Aliases, c.SuggestFor = aliases[c.Name()], suggestions[c.Name()]
	}
	if name := root.DisplayName(); name != program {
		spellExamples(root, name)
	}
	nameArguments(root)
}

// noArgument says what to do with an argument of a command that takes none.
func noArgument(cmd *cobra.Command, arg string) error {
	way := fmt.Sprintf("`%s --help` has examples", cmd.CommandPath())
	if cmd.Flags().Lookup("file") != nil {
		way = "-f FILE names a fleet file, and the fleet is the one in it"
	}
	return fmt.Errorf("`%s` takes no argument, got %q; %s", cmd.CommandPath(), arg, way)
}

// nameArguments has each command say which arguments it takes where it gets another number of
// them: cobra only counts.
func nameArguments(cmd *cobra.Command) {
	if count := cmd.Args; count != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := count(cmd, args)
			if err != nil && strings.HasPrefix(err.Error(), "unknown command ") && !cmd.HasSubCommands() {
				return usage(noArgument(cmd, args[0]))
			}
			if err == nil || !strings.HasPrefix(err.Error(), "accepts ") {
				return err
			}
			return usage(fmt.Errorf("want `%s %s`, got %s; `%s --help` has examples", cmd.Parent().CommandPath(), cmd.Use, fleet.Count(len(args), "argument"), cmd.CommandPath()))
		}
	}
	for _, c := range cmd.Commands() {
		nameArguments(c)
	}
}

// spellExamples has each example call the command by this name.
func spellExamples(cmd *cobra.Command, name string) {
	cmd.Example = strings.ReplaceAll(cmd.Example, "  "+program+" ", "  "+name+" ")
	for _, c := range cmd.Commands() {
		spellExamples(c, name)
	}
}
