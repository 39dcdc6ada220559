package main

import (
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/fleet"
)

// requestFlags adds why something is changed, and on whose behalf.
func requestFlags(cmd *cobra.Command, r *fleet.Request) {
	cmd.Flags().StringVar(&r.Reason, "reason", "", "why, such as a change number; found in Temporal, on the objects and in the report")
	cmd.Flags().StringVar(&r.RequestedBy, "requested-by", "", "on whose behalf (default: you, as user@host)")
}

// requested fills in who asks, and checks both.
func requested(r *fleet.Request) error {
	if r.RequestedBy == "" {
		r.RequestedBy = me()
	}
	if err := r.Validate(); err != nil {
		return usage(err)
	}
	return nil
}

// me is the user and the host that the command runs as and on.
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
