package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/landbridge/landbridge/internal/fleet"
)

const (
	exampleHeader   = "apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: prod}\n"
	exampleClusters = "  clusters:\n  - {name: east, network: east, kubeconfig: {path: east}}\n  - {name: west, network: west, kubeconfig: {path: west}}\n" +
		"  - {name: north, network: north, kubeconfig: {path: north}}\n"
)

// fleetFile completes an example that shows a part of a fleet file. It returns
// nothing for YAML of another kind.
func fleetFile(example string) string {
	switch {
	case strings.Contains(example, "kind: Fleet"):
		return example
	case !strings.HasPrefix(example, "spec:\n"):
		return ""
	case !strings.Contains(example, "\n  clusters:"):
		example += exampleClusters
	}
	return exampleHeader + example
}

func TestExamples_OfFleetFiles_AreValid(t *testing.T) {
	checked, crd := 0, definition(t)
	for _, name := range files(t, root, ".md") {
		for _, example := range blocks(read(t, root, name), "yaml") {
			if file := fleetFile(example); file != "" {
				_, err := fleet.Parse(name, []byte(file))
				require.NoError(t, err, file)
				crd.takes(t, file)
				checked++
			}
		}
	}
	require.Greater(t, checked, 5)
	_, err := fleet.Parse("example", []byte(fleetFile("spec:\n  istio: {vershun: v1.31.3}\n")))
	require.ErrorContains(t, err, "vershun: unknown field")
}

var (
	useField   = regexp.MustCompile(`Use:\s+"([a-z]+)`)
	updateName = regexp.MustCompile(`\bUpdate[A-Z]\w+\s+=\s+"([a-z]+)"`)
	flagName   = regexp.MustCompile(`Var[P]?\([^"\n]+, "([a-z-]+)", `)
	call       = regexp.MustCompile(`\blandbridge ([a-z]+)\b`)
	aFlag      = regexp.MustCompile(`(?:^|\s)--([a-z-]+)`)
	// builtIn are cobra's.
	builtIn = []string{"help", "completion", "version"}
)

// names returns what a pattern finds in the source of our programs.
func names(t *testing.T, pattern *regexp.Regexp) (out []string) {
	t.Helper()
	for _, name := range files(t, root, ".go") {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "test/") {
			continue
		}
		for _, m := range pattern.FindAllStringSubmatch(read(t, root, name), -1) {
			out = append(out, m[1])
		}
	}
	require.NotEmpty(t, out)
	return out
}

// unknown returns the commands and flags in a line of code that our programs do
// not have. A line that runs another program may have any flag.
func unknown(line string, commands, flags []string) (out []string) {
	line, _, _ = strings.Cut(line, " #")
	at := strings.Index(line, "landbridge")
	if strings.Contains(line, "=\"--") || at > 0 && !strings.HasSuffix(line[:at], "bin/") && !strings.HasSuffix(line[:at], "$ ") {
		return nil
	}
	if at >= 0 {
		for _, m := range call.FindAllStringSubmatch(line[at:], -1) {
			if !slices.Contains(commands, m[1]) {
				out = append(out, "landbridge "+m[1])
			}
		}
	} else if !strings.HasPrefix(line, "--") && !strings.HasPrefix(line, "rollout ") {
		return nil
	}
	line, _, _ = strings.Cut(line, "|")
	for _, m := range aFlag.FindAllStringSubmatch(line, -1) {
		if !slices.Contains(flags, m[1]) {
			out = append(out, "--"+m[1])
		}
	}
	return out
}

func TestExamples_OfCommands_NameWhatThereIs(t *testing.T) {
	commands := slices.Concat(names(t, useField), names(t, updateName), builtIn)
	flags := slices.Concat(names(t, flagName), builtIn)
	for _, name := range files(t, root, ".md") {
		if past.MatchString(name) || name == "docs/generated/sessions.md" {
			continue // sessions were run, mistakes too
		}
		doc := read(t, root, name)
		code := spans(doc)
		for _, b := range blocks(doc, "", "shell") {
			code = append(code, strings.Split(strings.ReplaceAll(b, "\\\n", " "), "\n")...)
		}
		for _, line := range code {
			for _, u := range unknown(strings.TrimSpace(line), commands, flags) {
				t.Errorf("%s: there is no %s (%s)", name, u, line)
			}
		}
	}
	require.Equal(t, []string{"landbridge destroy", "--quickly"}, unknown("landbridge destroy --quickly --detach", commands, flags))
	require.Empty(t, unknown("kubectl apply --nothing", commands, flags))
}

// symptom is the code in the first column of a table.
var symptom = regexp.MustCompile("(?m)^\\| `([^`]+)`")

// TestExamples_OfMessages_AreOurs looks for what docs/troubleshooting.md quotes in
// the source of our programs.
func TestExamples_OfMessages_AreOurs(t *testing.T) {
	var source strings.Builder
	for _, name := range files(t, root, ".go") {
		if !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, "test/") {
			source.WriteString(read(t, root, name))
		}
	}
	checked := 0
	for _, m := range symptom.FindAllStringSubmatch(read(t, "troubleshooting.md"), -1) {
		for _, part := range strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune("…()", r) }) {
			if part = strings.Trim(part, " :"); strings.Contains(part, " ") {
				checked++
				if !strings.Contains(source.String(), part) {
					t.Errorf("no program of ours prints %q", part)
				}
			}
		}
	}
	require.Greater(t, checked, 10)
}
