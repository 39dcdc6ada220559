package main

import (
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/fleet"
)

// requesterVariable names who asks for changes where no flag does, for pipelines.
const requesterVariable = "LANDBRIDGE_REQUESTED_BY"

// takeOverUsage describes --take-over.
const takeOverUsage = "go on where a dead run of another Temporal has locked a cluster"

// requestFlags adds the flags that tell why something is changed, and on whose behalf.
func requestFlags(cmd *cobra.Command, r *fleet.Request) {
	cmd.Flags().StringVar(&r.Reason, "reason", "", "why, such as a change number; shown in Temporal, on the objects and in the report")
	cmd.Flags().StringVar(&r.RequestedBy, "requested-by", "", "who asked for the change (default: $"+requesterVariable+", or you, as user@host)")
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

// me returns on whose behalf the command runs: the one that the environment names, or the user
// and the machine, as user@host.
func me() string {
	if named := os.Getenv(requesterVariable); named != "" {
		return named
	}
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}
