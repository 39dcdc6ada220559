package codec

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// head begins a key file that NewKey makes.
const head = `# Keys of Landbridge's payloads in Temporal, one a line. The first encrypts, all open.
# Keep a copy: without a key nobody reads what it encrypted.
`

// NewKey adds a new key to a key file, before the others or, with last, after them, and
// makes the file where it is not there. It returns the key's ID. The file is replaced at
// once, so that nobody reads half of it.
func NewKey(file string, last bool) (id string, err error) {
	old, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		old = nil
	case err != nil:
		return "", err
	default:
		if _, err := Load(file); err != nil {
			return "", err
		}
	}
	secret, mark := make([]byte, keySize), make([]byte, 4)
	_, _ = rand.Read(secret) // never fails, see crypto/rand
	_, _ = rand.Read(mark)
	id = time.Now().UTC().Format(time.DateOnly) + "-" + hex.EncodeToString(mark)
	line := id + " " + base64.StdEncoding.EncodeToString(secret) + "\n"
	return id, replace(file, with(string(old), line, last))
}

// with returns the text of a key file with another line: before its first key, below the
// comments that begin the file, or at its end.
func with(old, line string, last bool) string {
	if old == "" {
		return head + line
	}
	if last {
		return strings.TrimSuffix(old, "\n") + "\n" + line
	}
	var before strings.Builder
	for text := range strings.Lines(old) {
		if t := strings.TrimSpace(text); t != "" && !strings.HasPrefix(t, "#") {
			break
		}
		before.WriteString(text)
	}
	return before.String() + line + strings.TrimPrefix(old, before.String())
}

// replace writes a file for its owner only, whole or not at all.
func replace(file, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".keys-*") // made with 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return os.Rename(tmp.Name(), file)
}
