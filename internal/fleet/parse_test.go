package fleet

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files and the schema anew")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test -update writes it")
	require.Equal(t, string(want), got)
}

// Each testdata/bad/*.yaml has a golden file with all that is wrong with it.
func TestParse_BadFiles_AllProblemsWithLineAndColumn(t *testing.T) {
	for _, file := range badFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			_, err = Parse("fleet.yaml", data)
			requirePlaces(t, data, err)
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", err.Error()+"\n")
		})
	}
}

func badFiles(t testing.TB) []string {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.Greater(t, len(files), 15)
	return files
}

// A file from Windows, or with a byte order mark, has its problems in the same
// places.
func TestParse_LineEndsOfWindows_SameProblems(t *testing.T) {
	for _, file := range badFiles(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		_, want := Parse("fleet.yaml", data)
		windows := "\uFEFF" + strings.ReplaceAll(string(data), "\n", "\r\n")
		_, got := Parse("fleet.yaml", []byte(windows))
		require.Equal(t, want, got, file)
	}
}

var problemLine = regexp.MustCompile(`^[^\s:]+(:\d+:\d+)?: [^\n]+$`)

// requirePlaces wants every problem on one line that editors parse, and below it
// the line of the file with a caret below the very character.
func requirePlaces(t *testing.T, data []byte, err error) {
	t.Helper()
	var invalid *InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
		t.Fatalf("no problems, but %v", err)
	}
	text := strings.ReplaceAll(strings.TrimPrefix(string(data), "\uFEFF"), "\r\n", "\n")
	lines := strings.Split(text, "\n")
	for _, p := range invalid.Problems {
		one := (&InvalidError{File: "fleet.yaml", Problems: []Problem{p}}).Error()
		shown := strings.Split(one, "\n")
		if !problemLine.MatchString(shown[0]) {
			t.Fatalf("no editor understands %q", shown[0])
		}
		if p.Line == 0 {
			if len(shown) != 1 {
				t.Fatalf("a snippet without a line: %q", one)
			}
			continue
		}
		if len(shown) != 3 || strings.Trim(shown[2], " ") != "^" {
			t.Fatalf("no snippet and caret: %q", one)
		}
		// Past the end of the line, and where there is nothing to see, no character can
		// be compared.
		line, text, caret := []rune(lines[p.Line-1]), []rune(shown[1]), strings.Index(shown[2], "^")
		if p.Column > len(line) || !unicode.IsGraphic(line[p.Column-1]) || line[p.Column-1] == ' ' {
			continue
		}
		if caret >= len(text) || text[caret] != line[p.Column-1] {
			t.Fatalf("the caret is not below %q:\n%s", line[p.Column-1], one)
		}
	}
}

const small = `apiVersion: landbridge.dev/v1alpha1
kind: Fleet
metadata: {name: prod}
spec:
  clusters:
  - {name: east, network: e, kubeconfig: {path: east.kubeconfig}}
  - {name: west, network: w, kubeconfig: {path: west.kubeconfig}}
  - {name: north, network: n, kubeconfig: {context: north}}
`

func parse(t *testing.T, text string) *Fleet {
	t.Helper()
	f, err := Parse("fleet.yaml", []byte(text))
	require.NoError(t, err)
	return f
}

func TestLoad_NoFile_IsTold(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "fleet.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Load(t.TempDir())
	require.ErrorContains(t, err, "is a directory")
}

func TestLoad_NamesTheFileAsItWasGiven(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prod.yaml")
	require.NoError(t, os.WriteFile(path, []byte(small), 0o600))
	f, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, parse(t, small), f)
	require.NoError(t, os.WriteFile(path, []byte("kind: Pod\n"+small), 0o600))
	_, err = Load(path)
	require.ErrorContains(t, err, path+":3:1: kind: is given twice")
}

func TestLoad_HugeFile_IsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk.img")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, maxFileSize+1))
	_, err := Load(path)
	require.EqualError(t, err, path+": the file is larger than 1 MiB; is it a fleet file?")
}

// Whatever is in a file, it is either a fleet that validates, or refused with
// lines that an editor can follow.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("spec: {clusters: {}, links: {hub: 1}}"))
	f.Add([]byte("---\n---\n"))
	f.Add([]byte("? [a]\n: b\r\n\tc: \"d"))
	for _, file := range badFiles(f) {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fleet, err := Parse("x", data)
		if err == nil {
			if fleet.Validate() != nil {
				t.Fatalf("parsed, but does not validate: %v", fleet.Validate())
			}
			return
		}
		requirePlaces(t, data, err)
	})
}
