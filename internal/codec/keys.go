// Package codec encrypts what Landbridge gives to Temporal, with keys of a file that
// only Landbridge's own processes read: inputs, results, heartbeats, failures, memos
// and summaries are then nothing but bytes to whoever runs Temporal. What Temporal
// itself must read stays as it is: names, IDs, times and search attributes.
//
// It protects each payload, not the history: who can write into the database can still
// remove, repeat or exchange payloads that the same key encrypted.
package codec

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
)

// Variable names the key file in the environment, for processes without the flag.
const Variable = "LANDBRIDGE_CODEC_KEY_FILE"

// keySize is that of AES-256, in bytes.
const keySize = 32

// form tells how a line of a key file looks.
const form = "want lines of the form `ID KEY`, where KEY is 32 bytes in base64, and comments that begin with #"

// validID keeps IDs short and printable: each payload carries one, in the clear.
var validID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Keys opens payloads with any of its keys, and encrypts with the first. The zero
// value has none: it encrypts nothing, and opens nothing that is encrypted.
type Keys struct {
	file string
	// ids has the order of the file.
	ids  []string
	aead map[string]cipher.AEAD
}

// Load reads a key file. Without a name it returns no keys. The error says what is
// wrong with the file and where, and quotes no key.
func Load(file string) (*Keys, error) {
	if file == "" {
		return &Keys{}, nil
	}
	text, err := ReadPrivate(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%w; `landbridge codec keygen` makes a key file", err)
	case err != nil:
		return nil, err
	}
	keys, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	keys.file = file
	return keys, nil
}

// ReadPrivate reads a file with keys, and refuses one that others may read or write.
func ReadPrivate(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		err = checkMode(file, info)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// checkMode refuses a file that others may read. The group may where root owns the
// file: so Kubernetes gives a Secret to a process that is not root (fsGroup).
func checkMode(file string, info os.FileInfo) error {
	allowed, is := os.FileMode(0o600), info.Mode().Perm()
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid == 0 && os.Getuid() != 0 {
		allowed = 0o640
	}
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file", file)
	case is&^allowed&0o077 != 0:
		return fmt.Errorf("%s has the mode %04o, so that others may read or write the keys: `chmod 600 %[1]s`", file, is)
	}
	return nil
}

// parse reads the lines of a key file.
func parse(text []byte) (*Keys, error) {
	keys := &Keys{aead: map[string]cipher.AEAD{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := keys.add(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("a line is too long; %s", form)
	}
	if len(keys.ids) == 0 {
		return nil, fmt.Errorf("there is no key; `landbridge codec keygen` adds one")
	}
	return keys, nil
}

func (k *Keys) add(line string) error {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return errors.New(form)
	}
	id := fields[0]
	if !validID.MatchString(id) {
		// It may be the key: nothing of it is quoted.
		return errors.New("the ID has 1 to 64 letters, digits, dots, dashes and underscores; " + form)
	}
	if _, there := k.aead[id]; there {
		return fmt.Errorf("the ID %s is there twice: payloads would not tell which key they need; leave one out", id)
	}
	secret, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return fmt.Errorf("the key %s is not base64; %s", id, form)
	}
	if len(secret) != keySize {
		return fmt.Errorf("the key %s has %d bytes; %s", id, len(secret), form)
	}
	aead, err := seal(secret)
	if err != nil {
		return fmt.Errorf("the key %s: %w", id, err)
	}
	k.ids, k.aead[id] = append(k.ids, id), aead
	return nil
}

// seal returns AES-256-GCM that draws a nonce of its own for each payload. By its
// 96 bits a key is good for 2^32 payloads, which is more than a fleet has in its life.
func seal(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Any tells whether there is a key, so that payloads are encrypted.
func (k *Keys) Any() bool { return len(k.ids) > 0 }

// IDs lists the keys in the order of the file. The first one encrypts.
func (k *Keys) IDs() []string { return k.ids }

// String names the keys by their IDs, so that no log shows more of them.
func (k *Keys) String() string { return "keys " + strings.Join(k.ids, ", ") }

// GoString is String.
func (k *Keys) GoString() string { return k.String() }
