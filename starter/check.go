package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/landbridge/landbridge/internal/api"
	"github.com/landbridge/landbridge/internal/fleet"
)

func (a *app) check() *cobra.Command {
	var (
		junit        string
		forceVersion bool
		known        knownBy
	)
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Make the preflight of a rollout alone, and change nothing",
		Long: "Make the preflight of a rollout alone: whether each cluster answers, what rights the worker lacks,\n" +
			"which versions run, and what stands in the way, all of it at once, a line for each check. Nothing\n" +
			"is changed. With FLEET, check the fleet as it was rolled out last.\n\n" +
			"Exit codes: 0 a rollout can begin; 1 problems were found, or the check failed; 2 bad usage or bad\n" +
			"fleet file; 3 some clusters do not answer, and a rollout would go on without them.",
		Example: "  landbridge check -f fleet.yaml\n  landbridge check prod\n  landbridge check --junit check.xml   # for CI\n  landbridge check -o json | jq '.problems'",
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := a.fleetOf(cmd, args, known)
			if err != nil {
				return err
			}
			in.ForceVersion = forceVersion
			var r api.PreflightResult
			if err := a.look(cmd.Context(), api.CheckFleet, in, &r, nil); err != nil {
				return err
			}
			if err := writeJUnit(junit, checkSuite(r)); err != nil {
				return failed(err)
			}
			if err := a.print(cmd.OutOrStdout(), checkReport(r), func(w io.Writer) { printCheck(w, r) }); err != nil {
				return failed(err)
			}
			return checkError(r)
		},
	}
	a.nameOrFile(cmd, &known)
	a.outputFlag(cmd, outputJUnit)
	a.temporal.Bind(cmd.Flags())
	waitFlag(cmd)
	forceVersionFlag(cmd, &forceVersion)
	junitFlag(cmd, &junit)
	return cmd
}

// checkReport prints as JUnit's XML, too.
type checkReport api.PreflightResult

func (r checkReport) suite() testSuite { return checkSuite(api.PreflightResult(r)) }

// problemsOf counts what stands in the way.
func problemsOf(r api.PreflightResult) (n int) {
	for _, c := range r.Clusters {
		for _, check := range c.Checks {
			n += len(check.Problems)
		}
	}
	return n + len(r.Problems)
}

// checkError returns an error with the exit code. The output has told why.
func checkError(r api.PreflightResult) error {
	switch {
	case r.Ready:
		return nil
	case problemsOf(r) == len(silentClusters(r)) && len(silentClusters(r)) < len(r.Clusters):
		return &exitError{exitPartly, nil}
	}
	return &exitError{exitFailed, nil}
}

// silentClusters lists those that did not answer: nothing was checked there.
func silentClusters(r api.PreflightResult) (out []string) {
	for _, c := range r.Clusters {
		if len(c.Checks) == 0 {
			out = append(out, c.Name)
		}
	}
	return out
}

func printCheck(w io.Writer, r api.PreflightResult) {
	for _, c := range r.Clusters {
		title := bold.Styled(api.Member(c.Name).String())
		if c.Version != "" {
			title += "  Kubernetes " + c.Version
		}
		fmt.Fprintln(w, title)
		for _, check := range c.Checks {
			printChecked(w, check.Name, check.Problems)
		}
		for _, f := range r.Problems {
			if f.Unit == api.Member(c.Name) {
				printChecked(w, "", []string{f.Message})
			}
		}
	}
	var others []string
	for _, f := range r.Problems {
		if _, member := f.Unit.Member(); !member {
			others = append(others, strings.TrimPrefix(f.String(), (api.Unit{}).String()+": "))
		}
	}
	if len(others) > 0 {
		fmt.Fprintln(w, bold.Styled("fleet "+r.Fleet))
		printChecked(w, "", others)
	}
	fmt.Fprintln(w)
	switch n := problemsOf(r); {
	case r.Ready:
		fmt.Fprintf(w, "fleet %s: nothing stands in the way of a rollout\n", r.Fleet)
	case n == len(silentClusters(r)) && n < len(r.Clusters):
		fmt.Fprintf(w, "fleet %s: a rollout would go on without %s\n", r.Fleet, strings.Join(silentClusters(r), ", "))
	default:
		fmt.Fprintf(w, "fleet %s: %s; a rollout would stop before it changes anything\n", r.Fleet, fleet.Count(n, "problem"))
	}
}

// printChecked writes the line of a check that found nothing, or one for each problem, with
// what to do below it.
func printChecked(w io.Writer, name string, problems []string) {
	if len(problems) == 0 {
		fmt.Fprintf(w, "  %s %s\n", styles[api.Done].Styled(signs[api.Done]), name)
	}
	for _, p := range problems {
		line := strings.TrimPrefix(name+": "+oneLine(p), ": ")
		fmt.Fprintln(w, "  "+styles[api.Failed].Styled(signs[api.Failed])+" "+hanging(w, line, 4))
	}
}

// checkSuite has a test case for each check on each cluster, and for each other problem.
func checkSuite(r api.PreflightResult) testSuite {
	s := newSuite("check", r.Fleet, r.At)
	for _, c := range r.Clusters {
		for _, check := range c.Checks {
			one := testCase{Name: c.Name + ": " + check.Name, Class: s.class}
			if !check.OK() {
				one.Failure = &testFailure{Message: strings.Join(check.Problems, "\n"), Type: check.Name}
			}
			s.add(one)
		}
	}
	for _, f := range r.Problems {
		s.add(testCase{Name: f.Unit.String(), Class: s.class, Failure: &testFailure{Message: f.Message, Type: f.Type}})
	}
	return s
}
