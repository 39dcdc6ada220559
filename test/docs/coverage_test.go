package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// word is a word of a script's line, with its quotes, or a comment.
var word = regexp.MustCompile(`(?:'(?:[^']|'')*'|[^\s'#])+|#.*`)

// words splits a line of a script as testscript does.
func words(line string) (out []string) {
	for _, w := range word.FindAllString(line, -1) {
		if w[0] == '#' {
			break
		}
		out = append(out, strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(w, "''", "\x00"), "'", ""), "\x00", "'"))
	}
	return out
}

// scripts returns the files of the scripts.
func scripts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// run returns the commands that the scripts run, each behind its page.
func run(t *testing.T) map[string]bool {
	t.Helper()
	all, found := documented(t), map[string]bool{}
	for _, script := range scripts(t) {
		archive, err := txtar.ParseFile(script)
		require.NoError(t, err)
		for n, text := range strings.Split(string(archive.Comment), "\n") {
			w := words(strings.TrimPrefix(text, "! "))
			require.NotEqual(t, "stop", strings.Join(w, " "), "%s:%d: testscript's stop ends a script as passed; end ends its programs", script, n+1)
			if len(w) == 0 || w[0] != "doc" {
				continue
			}
			l, err := parse(w[1:])
			require.NoError(t, err, "%s:%d", script, n+1)
			require.Empty(t, l.lacking(all), "%s:%d: these pages do not have the command %q any more", script, n+1, l.command)
			_, err = l.shell()
			require.NoError(t, err, "%s:%d", script, n+1)
			for _, page := range l.pages {
				found[page+" | "+l.command] = true
			}
		}
	}
	return found
}

// notRun returns the commands that no script runs, each behind its page, with the reasons.
func notRun(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "notrun.txt"))
	require.NoError(t, err)
	reasons := map[string]string{}
	for n, entry := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if strings.HasPrefix(entry, "#") {
			continue
		}
		page, rest, _ := strings.Cut(entry, " | ")
		at := strings.LastIndex(rest, " | ")
		require.Positive(t, at, "notrun.txt:%d: want PAGE | COMMAND | REASON, got %q", n+1, entry)
		require.Greater(t, len(strings.Fields(rest[at+3:])), 2, "notrun.txt:%d: give a reason", n+1)
		reasons[page+" | "+rest[:at]] = rest[at+3:]
	}
	return reasons
}

func TestEveryCommand_IsRunByAScript_OrHasAReason(t *testing.T) {
	found, reasons, all := run(t), notRun(t), map[string]bool{}
	for page, commands := range documented(t) {
		for _, c := range commands {
			key := page + " | " + c
			all[key] = true
			if found[key] == (reasons[key] != "") {
				t.Errorf("%s: want a doc line in one of testdata/*.txtar, or else an entry of testdata/notrun.txt", key)
			}
		}
	}
	for key := range reasons {
		if !all[key] {
			t.Errorf("notrun.txt: no page has the command of %q any more", key)
		}
	}
	t.Logf("%d commands of the pages: scripts run %d, and %d have a reason", len(all), len(found), len(reasons))
}

// byTest is a reason that names the test which runs the command.
var byTest = regexp.MustCompile(`\bTest[A-Z]\w+`)

// A test that runs a command elsewhere is there.
func TestReasons_NameTestsThatThereAre(t *testing.T) {
	var source strings.Builder
	files, err := filepath.Glob(filepath.Join("..", "*", "*_test.go"))
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		source.Write(text)
	}
	for command, reason := range notRun(t) {
		for _, name := range byTest.FindAllString(reason, -1) {
			require.Contains(t, source.String(), fmt.Sprintf("func %s(", name), command)
		}
	}
}

// A command of ours that nothing runs has at least flags and arguments that the program knows.
func TestNotRun_CommandsOfOurs_AreThoseOfTheProgram(t *testing.T) {
	programs := map[string]string{"landbridge": "./starter", "landbridge-worker": "./worker"}
	dir := t.TempDir()
	for command := range notRun(t) {
		_, command, _ = strings.Cut(command, " | ")
		for _, part := range regexp.MustCompile(`&&|\|`).Split(command, -1) {
			w := strings.Fields(strings.TrimPrefix(strings.TrimSpace(part), "bin/"))
			at := slices.IndexFunc(w, func(s string) bool { return s == "&" || s == "…" })
			if at >= 0 {
				w = w[:at]
			}
			source, ours := programs[w[0]]
			if !ours {
				continue
			}
			program := filepath.Join(dir, w[0])
			if _, err := os.Stat(program); err != nil {
				build := exec.Command("go", "build", "-o", program, source)
				build.Dir = root
				out, err := build.CombinedOutput()
				require.NoError(t, err, "%s", out)
			}
			out, err := exec.Command(program, append(w[1:], "--help")...).CombinedOutput()
			require.NoError(t, err, "%s: %s", part, out)
		}
	}
}

func TestLine_IsReadAsTheScriptsHaveIt(t *testing.T) {
	l, err := parse(words(`-code 3 -with FLEET=prod -with '…=a ''b''' -args --yes a.md,b.md 'landbridge x FLEET … east#admin' # why`))
	require.NoError(t, err)
	require.Equal(t, []string{"a.md", "b.md"}, l.pages)
	command, err := l.shell()
	require.NoError(t, err)
	require.Equal(t, "landbridge x prod a 'b' east#admin --yes", command)
	require.Equal(t, []string{"b.md"}, l.lacking(map[string][]string{"a.md": {l.command}}))
	_, err = line{command: "landbridge x", with: []string{"FLEET=prod"}}.shell()
	require.ErrorContains(t, err, `has no "FLEET"`)
	for _, wrong := range []string{"operate.md landbridge x", "-code x a.md y", "-what y a.md z"} {
		_, err = parse(words(wrong))
		require.Error(t, err, wrong)
	}
}
