package main

import (
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/fleet"
)

// takeOverUsage describes --take-over.
const takeOverUsage = "go on where a dead run of another Temporal has locked a cluster"

// requestFlags adds the flags that tell why something is changed, and on whose behalf.
func requestFlags(cmd *cobra.Command, r *fleet.Request) {
	cmd.Flags().StringVar(&r.Reason, "reason", "", "why, such as a change number; shown in Temporal, on the objects and in the report")
	cmd.Flags().StringVar(&r.RequestedBy, "requested-by", "", "who asked for the change (default: you, as user@host)")
}

// requested fills in who asked, and checks both.
func requested(r *fleet.Request) error {
	if r.RequestedBy == "" {
		r.RequestedBy = me()
	}
	if err := r.Validate(); err != nil {
		return usage(err)
	}
	return nil
}

// me returns the user that runs the command, and the machine, as user@host.
func me() string {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}
