package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/runs"
)

// watch returns the command that shows the progress of a rollout or cleanup which
// somebody started before.
func (a *app) watch() *cobra.Command {
	cmd := &cobra.Command{
		Use: "watch" + fleetArg, Args: cobra.MaximumNArgs(1),
		Short: "Show the progress of a rollout or cleanup until it ends",
		Long: "Show the progress of a fleet's rollout or cleanup until it ends: on a terminal as a picture that\n" +
			"changes, elsewhere with a line for every change, with -o json on stdout and as JSON. Ctrl-C stops\n" +
			"the watching and nothing else. The exit code is that of the rollout or cleanup.",
		Example: "  landbridge watch prod\n  landbridge watch prod 2>&1 | tee rollout.log\n  landbridge watch prod -o json | jq -r 'select(.unit.state == \"failed\").unit.message'",
		RunE:    a.runWatch,
	}
	a.fileFlag(cmd)
	a.formatFlag(cmd, "default: text for people", outputJSON)
	a.temporal.Bind(cmd.Flags())
	waitFlag(cmd)
	return cmd
}

func (a *app) runWatch(cmd *cobra.Command, args []string) error {
	name, err := a.fleetName(cmd, args)
	if err != nil {
		return err
	}
	c, err := a.temporal.Dial(cmd.Context(), nil, nil)
	if err != nil {
		return failed(err)
	}
	defer c.Close()
	last, err := runs.Last(cmd.Context(), c, name)
	if err != nil {
		return failed(err)
	}
	events := &changes{w: cmd.OutOrStdout(), fleet: name, run: last.RunID, seen: map[string]string{}}
	if last.Running() {
		if last.Paused != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "the %s is %s\n", runs.Noun(last.Type), last.Paused)
		}
		var show shower = events
		if a.output == "" {
			show = newShower(cmd.Context(), cmd.ErrOrStderr(), last.Type)
		}
		_ = follow(cmd.Context(), c, c.GetWorkflow(cmd.Context(), last.ID, last.RunID), show)
		if cmd.Context().Err() != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "\ndetached: the %s goes on\n", runs.Noun(last.Type))
			return &exitError{exitDetached, nil}
		}
	}
	out, err := readStatus(cmd.Context(), c, name)
	if err != nil {
		return failed(err)
	}
	if a.output == outputJSON {
		events.progress(out.Fleet)
		events.ended(out)
	} else {
		printStatus(coloured(cmd.OutOrStdout()), out)
	}
	return silently(out.end)
}

// changes prints a line of JSON for every change of a status.
type changes struct {
	w          io.Writer
	fleet, run string
	// seen has what was printed last, by what it is about.
	seen map[string]string
}

// changeLine tells of one change: one of the last fields is set.
type changeLine struct {
	At    time.Time `json:"at"`
	Fleet string    `json:"fleet"`
	Run   string    `json:"run"`
	// Phase that the run entered.
	Phase string `json:"phase,omitempty"`
	// Waits tells what the run waits for, and which commands let it go on. It is empty when the
	// run goes on.
	Waits *[]string `json:"waits,omitempty"`
	// Decision that somebody made.
	Decision *api.Decision `json:"decision,omitempty"`
	// Unit as it is now.
	Unit *unitProgress `json:"unit,omitempty"`
	// Status says how the run ended: done, failed, canceled or terminated. Error tells why.
	Status string `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
}

func (c *changes) close() {}

func (c *changes) progress(p progress) {
	c.tell("phase", changeLine{Phase: p.Phase})
	if waits := p.holds(); len(waits) > 0 || c.seen["waits"] != "" {
		if waits == nil {
			waits = []string{}
		}
		c.tell("waits", changeLine{Waits: &waits})
	}
	for i, d := range p.Decisions {
		c.tell(fmt.Sprint("decision ", i), changeLine{Decision: &d})
	}
	for _, u := range p.Units {
		if u.State != api.Pending || c.seen[u.Unit.String()] != "" {
			c.tell(u.Unit.String(), changeLine{Unit: &u})
		}
	}
}

// ended tells how the run ended.
func (c *changes) ended(s statusOutput) {
	if s.Closed != nil {
		c.tell("end", changeLine{Status: s.Status, Error: s.Error})
	}
}

// tell prints a line, unless the last one about this said the same.
func (c *changes) tell(about string, line changeLine) {
	said, err := json.Marshal(line)
	if err != nil || c.seen[about] == string(said) {
		return
	}
	c.seen[about] = string(said)
	line.At, line.Fleet, line.Run = time.Now().UTC(), c.fleet, c.run
	e := json.NewEncoder(c.w)
	e.SetEscapeHTML(false)
	_ = e.Encode(line) // who reads it may be gone
}
