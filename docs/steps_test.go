package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	activity  = regexp.MustCompile(`(?m)^func \(a \*Activities\) (\w+)\(ctx context.Context, in `)
	component = regexp.MustCompile(`(?m)^(?:const )?\s*[cC]omponent\w*\s+= "([a-z-]+)"`)
	// codeRow is a row of workflows/steps.go, docRow one of docs/guide-to-code.md.
	codeRow = regexp.MustCompile(`(?:define|ask)\(\w+, row\{"(\d*)", "([^"]+)", on(\w+), [^}]*\}, a\.(\w+)(?:, a\.(\w+))?\)`)
	docRow  = regexp.MustCompile(`(?m)^\| ((?:\d+ )?[a-z-]+[^|]*) \| (member|root|source|target) \| ([^|]+) \| [^|]+ \|(?: ([a-z-]+))? \|$`)
	goFile  = regexp.MustCompile(`\w+\.go`)
)

// documented returns the rows of docs/guide-to-code.md: step, place, action and undo.
func documented(t *testing.T) (rows []string, labels []string, in map[string]string) {
	t.Helper()
	in = map[string]string{}
	for _, row := range docRow.FindAllStringSubmatch(read(t, "guide-to-code.md"), -1) {
		names := spans(row[3])
		rows = append(rows, strings.Join(append([]string{row[1], row[2]}, names...), " | "))
		for _, n := range names {
			in[n] = goFile.FindString(row[3])
		}
		if row[4] != "" {
			labels = append(labels, row[4])
		}
	}
	return rows, labels, in
}

func TestGuideToCode_HasTheStepsOfTheCode(t *testing.T) {
	rows, _, _ := documented(t)
	want := []string{"1 preflight | member | CheckCluster"} // it looks before anything begins, and is no step of a unit
	for _, m := range codeRow.FindAllStringSubmatch(read(t, root, "workflows", "steps.go"), -1) {
		row := []string{strings.TrimSpace(m[1] + " " + m[2]), strings.ToLower(m[3]), m[4]}
		if m[5] != "" {
			row = append(row, m[5])
		}
		want = append(want, strings.Join(row, " | "))
	}
	require.Greater(t, len(want), 15)
	require.Equal(t, want, rows)
}

func TestGuideToCode_HasTheFilesAndLabelsOfTheCode(t *testing.T) {
	_, labels, in := documented(t)
	var components []string
	for _, dir := range []string{"activities", "internal/fleet", "internal/inventory"} {
		for _, name := range files(t, root+"/"+dir, ".go") {
			source := read(t, root, dir, name)
			for _, m := range component.FindAllStringSubmatch(source, -1) {
				components = append(components, m[1])
			}
			for _, m := range activity.FindAllStringSubmatch(source, -1) {
				if file, listed := in[m[1]]; listed {
					require.Equal(t, name, file, m[1])
					delete(in, m[1])
				}
			}
		}
	}
	require.Empty(t, in, "activities that docs/guide-to-code.md names and the code does not have")
	slices.Sort(labels)
	slices.Sort(components)
	require.Equal(t, components, slices.Compact(labels))
}

// TestOperate_HasEveryCommand finds a command that docs/operate.md leaves out.
func TestOperate_HasEveryCommand(t *testing.T) {
	doc := read(t, "operate.md")
	for _, c := range slices.Concat(names(t, useField), names(t, updateName)) {
		if c != "landbridge" && !strings.Contains(doc, "`"+c+"`") && !strings.Contains(doc, "schedule "+c) {
			t.Errorf("docs/operate.md has no %s", c)
		}
	}
}
