package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// helpWidth limits a line of help, in characters, so that it fits beside a second window.
const helpWidth = 100

// wrapHelp wraps the usages of flags, of this command and of those below it.
func wrapHelp(cmd *cobra.Command) {
	cmd.SetUsageTemplate(strings.ReplaceAll(cmd.UsageTemplate(), ".FlagUsages ", ".FlagUsagesWrapped "+strconv.Itoa(helpWidth)+" "))
}

// addGroup adds commands under a title of their own, in the help of cmd.
func addGroup(cmd *cobra.Command, title string, commands ...*cobra.Command) {
	cmd.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range commands {
		c.GroupID = title
		cmd.AddCommand(c)
	}
}
