// Package help shows the flags of a command as users of kubectl know them.
package help

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Width limits a line of help, in characters, so that it fits beside a second window.
const Width = 100

func init() { cobra.AddTemplateFunc("flagUsages", usages) }

// Wrap wraps the usages of flags, of this command and of those below it.
func Wrap(cmd *cobra.Command) {
	text := cmd.UsageTemplate()
	for _, flags := range []string{".LocalFlags", ".InheritedFlags"} {
		text = strings.ReplaceAll(text, flags+".FlagUsages ", "flagUsages "+flags+" ")
	}
	cmd.SetUsageTemplate(text)
}

// usages returns a line for each flag. A flag that is on or off has its name alone: pflag
// would add [=true|false] to each.
func usages(flags *pflag.FlagSet) string {
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	shown.SortFlags = flags.SortFlags
	flags.VisitAll(func(f *pflag.Flag) {
		plain := *f
		if f.Value.Type() == "bool" {
			plain.Value = onOrOff{f.Value}
		}
		shown.AddFlag(&plain)
	})
	return shown.FlagUsagesWrapped(Width)
}

// onOrOff hides from pflag that a flag may stand without a value.
type onOrOff struct{ pflag.Value }
