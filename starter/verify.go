package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func (a *app) verify() *cobra.Command {
	var (
		junit string
		known knownBy
	)
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that every link carries requests",
		Long: "Prove every link of the fleet, and change nothing. With FLEET these are the links that were rolled\n" +
			"out last. A link is proven where five things hold:\n" +
			"  - every istiod pod of the source that runs lists the target as synced;\n" +
			"  - a request with the CA, the server name and the token of the remote secret goes through the\n" +
			"    egress gateway to the target's API server;\n" +
			"  - the same request without the token is refused;\n" +
			"  - there is no connection for another server name;\n" +
			"  - every istiod pod holds endpoints that the target has now, knows the gateway of its network, and\n" +
			"    may still watch it.\n" +
			"For a link that is broken it names the hop, and tells where to look.\n\n" +
			"Exit codes: 0 every link is proven; 1 none is, or the check failed; 2 bad usage or bad fleet file;\n" +
			"3 some links are proven.",
		Example: "  landbridge verify -f fleet.yaml\n  landbridge verify prod\n  landbridge verify --junit verify.xml   # for CI\n  landbridge verify -o json | jq '.links[] | select(.proven | not)'",
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := a.fleetOf(cmd, args, known)
			if err != nil {
				return err
			}
			var r api.VerifyResult
			if err := a.look(cmd.Context(), api.VerifyFleet, in, &r, nil); err != nil {
				return err
			}
			if err := writeJUnit(junit, proofReport(r).suite()); err != nil {
				return failed(err)
			}
			if err := a.print(cmd.OutOrStdout(), proofReport(r), func(w io.Writer) { printProof(w, r) }); err != nil {
				return err
			}
			return proofError(r)
		},
	}
	a.nameOrFile(cmd, &known)
	a.outputFlag(cmd, outputJUnit)
	waitFlag(cmd)
	a.temporal.Bind(cmd.Flags())
	junitFlag(cmd, &junit)
	return cmd
}

func proven(r api.VerifyResult) (n int) {
	for _, l := range r.Links {
		if l.Proven {
			n++
		}
	}
	return n
}

func proofError(r api.VerifyResult) error {
	n := proven(r)
	err := fmt.Errorf("%d of %s proven", n, fleet.Count(len(r.Links), "link"))
	switch {
	case r.Proven:
		return nil
	case n == 0:
		return failed(err)
	}
	return &exitError{exitPartly, err}
}

// columns lists the checks in the order of the table's columns.
var columns = []string{api.CheckSynced, api.CheckRequest, api.CheckNoToken, api.CheckOtherName, api.CheckHolds}

func printProof(w io.Writer, r api.VerifyResult) {
	t := newTable(w, "LINK", "ISTIOD", "REQUEST", "WITHOUT TOKEN", "OTHER SERVER NAME", "ENDPOINTS", "PROVEN")
	for _, l := range r.Links {
		row := []string{l.Link}
		for _, name := range columns {
			row = append(row, shown(l, name))
		}
		verdict := "yes"
		if !l.Proven {
			verdict = "NO: " + l.Hop
		}
		t.row(append(row, verdict)...)
	}
	t.flush()
	for _, l := range r.Links {
		if !l.Proven {
			fmt.Fprintf(w, "\nlink %s breaks at %s: %s\n  %s\n", l.Link, l.Hop, l.Why, l.Look)
		}
	}
	var open []string
	for _, l := range r.Links {
		if l.Open() {
			open = append(open, "link "+l.Link)
		}
	}
	showOpen(w, strings.Join(open, ", "))
	if len(r.Links) == 0 {
		fmt.Fprintln(w, "the fleet has no links")
	}
}

// shown returns the cell of a check: what was seen, "failed", or "-" where the path
// breaks before it.
func shown(l api.CheckLinkResult, name string) string {
	for _, c := range l.Checks {
		if c.Name != name {
			continue
		}
		if !c.OK {
			return "failed"
		}
		if name == api.CheckRequest {
			return fmt.Sprintf("%d ms, connect %d ms", l.RoundTrip.Milliseconds(), l.Connect.Milliseconds())
		}
		return c.Detail
	}
	return "-"
}

// proofReport prints as JUnit's XML, too.
type proofReport api.VerifyResult

// suite has a test case for each link.
func (r proofReport) suite() testSuite {
	s := newSuite("verify", r.Fleet, r.At)
	for _, l := range r.Links {
		c := testCase{Name: l.Link, Class: s.class, Seconds: (l.Connect + l.RoundTrip).Seconds()}
		if !l.Proven {
			c.Failure = &testFailure{l.Hop + ": " + l.Why, l.Hop, l.Look}
		}
		s.add(c)
	}
	return s
}
