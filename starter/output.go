package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// The words of -o that more than one command knows, beside json and yaml.
const (
	outputJSON = "json"
	outputYAML = "yaml"
	// outputName prints names alone, a line for each, for scripts.
	outputName = "name"
	// outputWide prints more columns, and breaks no line.
	outputWide = "wide"
)

// outputFlag adds -o with json, yaml and what else the command can print.
func (a *app) outputFlag(cmd *cobra.Command, more ...string) {
	a.formatFlag(cmd, "default: text for people", append([]string{outputJSON, outputYAML}, more...)...)
}

// formatFlag adds -o with these words.
func (a *app) formatFlag(cmd *cobra.Command, none string, words ...string) {
	cmd.Flags().VarP(&format{&a.output, words}, "output", "o", fmt.Sprintf("%s (%s)", alternatives(words), none))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// format holds the value of -o: a word that its command knows, or none.
type format struct {
	into  *string
	words []string
}

// Set implements pflag.Value.
func (f *format) Set(word string) error {
	if word != "" && !slices.Contains(f.words, word) {
		return fmt.Errorf("want %s, got %q; leave -o out for the default", alternatives(f.words), word)
	}
	*f.into = word
	return nil
}

// String implements pflag.Value.
func (f *format) String() string {
	if f.into == nil {
		return ""
	}
	return *f.into
}

// Type implements pflag.Value.
func (f *format) Type() string { return "string" }

// alternatives joins words: "json, yaml or name".
func alternatives(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// listing has what -o name prints, a line for each.
type listing interface{ names() []string }

// shows prints the result of a run that has ended, as -o wants it or as people does for people,
// who hear how long it took.
func shows[R any](a *app, people func(w io.Writer, r R, took time.Duration)) func(io.Writer, func(any) error, time.Duration) error {
	return func(w io.Writer, raw func(any) error, took time.Duration) error {
		var r R
		if err := raw(&r); err != nil {
			return err
		}
		return a.print(w, r, func(w io.Writer) { people(w, r, took) })
	}
}

// print writes a result as -o wants it, or has people write it for people.
func (a *app) print(w io.Writer, v any, people func(io.Writer)) error {
	switch a.output {
	case outputJSON:
		return writeJSON(w, v)
	case outputYAML:
		data, err := yaml.Marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	case outputJUnit:
		return printJUnit(w, v.(suited).suite())
	case outputName:
		for _, name := range v.(listing).names() {
			fmt.Fprintln(w, name)
		}
		return nil
	}
	if w = coloured(w); a.output == outputWide {
		w = wide{w}
	}
	people(w)
	return nil
}

// writeJSON writes a value for machines, as people can read it too.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // what people read is no page
	e.SetIndent("", "  ")
	return e.Encode(v)
}
