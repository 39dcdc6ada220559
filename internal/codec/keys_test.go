package codec

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// key returns a key in base64 that is made of one letter.
func key(letter byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{letter}, keySize))
}

func keyFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

func TestLoad_TheOrderOfTheFile_CommentsAndBlankLines(t *testing.T) {
	keys, err := Load(keyFile(t, "# ours\n\n  b\t"+key('b')+"  \r\n#a "+key('x')+"\na "+key('a'), 0o400))
	require.NoError(t, err)
	require.Equal(t, []string{"b", "a"}, keys.IDs())
	require.True(t, keys.Any())
	none, err := Load("")
	require.NoError(t, err)
	require.False(t, none.Any())
}

func TestLoad_AMistake_IsOneSentenceWithoutTheKey(t *testing.T) {
	const form = "want lines of the form `ID KEY`"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "there is no key; `landbridge codec keygen` adds one"},
		{"only comments", "# a " + key('a') + "\n", "there is no key"},
		{"key alone", "\n" + key('a') + "\n", "line 2: " + form},
		{"three fields", "a " + key('a') + " b", "line 1: " + form},
		{"key and ID exchanged", key('/') + " a", "line 1: the ID has 1 to 64 letters"},
		{"long ID", strings.Repeat("a", 65) + " " + key('a'), "line 1: the ID has 1 to 64 letters"},
		{"not base64", "a " + strings.Repeat("!", 44), "line 1: the key a is not base64"},
		{"short", "a " + base64.StdEncoding.EncodeToString([]byte("secretsecret")), "line 1: the key a has 12 bytes"},
		{"long", "a " + base64.StdEncoding.EncodeToString(make([]byte, 33)), "line 1: the key a has 33 bytes"},
		{"twice", "a " + key('a') + "\na " + key('b'), "line 2: the ID a is there twice"},
		{"no text", strings.Repeat("x", 1<<17), "a line is too long"},
	} {
		path := keyFile(t, c.text, 0o600)
		_, err := Load(path)
		require.ErrorContains(t, err, path+": "+c.want, c.name)
		require.NotContains(t, err.Error(), "\n", c.name)
		for _, field := range strings.Fields(c.text) {
			if len(field) > 10 {
				require.NotContains(t, err.Error(), field, c.name)
			}
		}
	}
}

func TestLoad_AFileThatOthersRead_IsRefused(t *testing.T) {
	for mode, fine := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o700: true, 0o640: false, 0o604: false, 0o620: false, 0o602: false, 0o444: false} {
		path := keyFile(t, "a "+key('a'), mode)
		_, err := Load(path)
		if fine {
			require.NoError(t, err, mode)
			continue
		}
		require.ErrorContains(t, err, fmt.Sprintf("%s has the mode %04o, so that others may read or write the keys: `chmod 600 %s`", path, mode, path))
	}
	_, err := Load(t.TempDir())
	require.ErrorContains(t, err, "is no file")
	_, err = Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorContains(t, err, "no such file or directory; `landbridge codec keygen` makes a key file")
	// As Kubernetes mounts a Secret: a link to a file in a directory of its own.
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(keyFile(t, "a "+key('a'), 0o400), link))
	_, err = Load(link)
	require.NoError(t, err)
}

func TestKeys_InALog_AreTheirIDs(t *testing.T) {
	keys, err := Load(keyFile(t, "a "+key('k')+"\nb "+key('l'), 0o600))
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		require.Equal(t, "keys a, b", fmt.Sprintf(format, keys))
	}
}

func TestNewKey_MakesAFileAndAddsKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	first, err := NewKey(path, false)
	require.NoError(t, err)
	require.Regexp(t, `^\d{4}-\d\d-\d\d-[0-9a-f]{8}$`, first)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	second, err := NewKey(path, false)
	require.NoError(t, err)
	third, err := NewKey(path, true)
	require.NoError(t, err)
	keys, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, []string{second, first, third}, keys.IDs())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), head), "comments stay at the top: %s", text)
	require.Len(t, strings.Split(strings.TrimSpace(string(text)), "\n"), 5)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	require.NoError(t, err)
	require.Equal(t, []string{path}, left)
}

func TestNewKey_LeavesWhatItDoesNotUnderstand(t *testing.T) {
	for _, text := range []string{"", "not keys at all\n"} {
		path := keyFile(t, text, 0o600)
		_, err := NewKey(path, false)
		require.ErrorContains(t, err, path)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(after))
	}
	open := keyFile(t, "a "+key('a'), 0o644)
	_, err := NewKey(open, false)
	require.ErrorContains(t, err, "chmod 600")
	_, err = NewKey(filepath.Join(t.TempDir(), "none", "keys"), false)
	require.Error(t, err)
	// A last line without its end is not joined with the new one.
	path := keyFile(t, "a "+key('a'), 0o600)
	_, err = NewKey(path, true)
	require.NoError(t, err)
	keys, err := Load(path)
	require.NoError(t, err)
	require.Len(t, keys.IDs(), 2)
}
