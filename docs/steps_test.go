package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	activity  = regexp.MustCompile(`(?m)^func \(a \*Activities\) ((?:Ensure|Remove|Wait|Sign)\w+|CheckCluster)\(`)
	component = regexp.MustCompile(`(?m)^(?:const )?\s*[cC]omponent\w*\s+= "([a-z-]+)"`)
	stepRow   = regexp.MustCompile("(?m)^\\| \\d+ \\| [^|]+ \\| ([^|]+) \\| [^|]+ \\| ([a-z-]*) ?\\|$")
	goFile    = regexp.MustCompile(`\w+\.go`)
)

// TestSteps_OfGuideToCode_AreThoseOfTheCode compares the table of steps with the
// activities: each is in a row, with the file that has it and the label of its objects.
func TestSteps_OfGuideToCode_AreThoseOfTheCode(t *testing.T) {
	in := map[string]string{}
	var components []string
	for _, name := range files(t, root+"/activities", ".go") {
		source := read(t, root, "activities", name)
		for _, m := range activity.FindAllStringSubmatch(source, -1) {
			in[m[1]] = name
		}
		for _, m := range component.FindAllStringSubmatch(source, -1) {
			components = append(components, m[1])
		}
	}
	require.Greater(t, len(in), 20)
	for _, name := range files(t, root+"/internal/inventory", ".go") {
		for _, m := range component.FindAllStringSubmatch(read(t, root, "internal/inventory", name), -1) {
			components = append(components, m[1])
		}
	}
	var labels []string
	for _, row := range stepRow.FindAllStringSubmatch(read(t, "guide-to-code.md"), -1) {
		listed := goFile.FindAllString(row[1], -1)
		for _, name := range spans(row[1]) {
			require.Contains(t, listed, in[name], "%s is in activities/%s", name, in[name])
			delete(in, name)
		}
		if row[2] != "" {
			labels = append(labels, row[2])
		}
	}
	require.Empty(t, in, "activities that no row of docs/guide-to-code.md names")
	slices.Sort(labels)
	slices.Sort(components)
	require.Equal(t, components, slices.Compact(labels), "component labels")
}

// TestCommands_AreAllInOperate finds a command that docs/operate.md leaves out.
func TestCommands_AreAllInOperate(t *testing.T) {
	doc := read(t, "operate.md")
	for _, c := range slices.Concat(names(t, useField), names(t, updateName)) {
		if c != "landbridge" && !strings.Contains(doc, "`"+c+"`") && !strings.Contains(doc, "schedule "+c) {
			t.Errorf("docs/operate.md has no %s", c)
		}
	}
}
