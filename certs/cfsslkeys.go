package certs

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/cloudflare/cfssl/auth"
)

// leastAuthKey is the length, in bytes, that cfssl's own documents use.
const leastAuthKey = 16

// authKeyForm tells how a line of a file with keys looks.
const authKeyForm = "want lines of the form `URL KEY`, where URL is a cfssl server's as in spec.ca.issuer.cfssl.url and KEY the one of its auth_keys, 16 bytes or more in hex, and comments that begin with #"

// CFSSLKeys holds the keys that prove to cfssl servers who asks, by the URL of the server.
// A key is used with its own server only: whoever can have a worker ask another one would
// else get a proof that the real one takes.
type CFSSLKeys map[string]auth.Provider

// ParseCFSSLKeys reads a file with keys. The error names the line, and quotes no key.
func ParseCFSSLKeys(text []byte) (CFSSLKeys, error) {
	keys := CFSSLKeys{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		url, key, _ := strings.Cut(line, " ")
		key = strings.TrimSpace(key)
		if data, err := hex.DecodeString(key); err != nil || len(data) < leastAuthKey || !strings.Contains(url, "://") {
			return nil, fmt.Errorf("line %d: %s", n, authKeyForm)
		}
		if keys.For(url) != nil {
			return nil, fmt.Errorf("line %d: %s has a key already", n, url)
		}
		provider, err := auth.New(key, nil)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s", n, authKeyForm)
		}
		keys[TrimURL(url)] = provider
	}
	if lines.Err() != nil {
		return nil, fmt.Errorf("a line is too long; %s", authKeyForm)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("it has no key; %s", authKeyForm)
	}
	return keys, nil
}

// For returns what proves who asks to the server of a URL, or nil.
func (k CFSSLKeys) For(url string) auth.Provider { return k[TrimURL(url)] }

// TrimURL drops the slashes at the end of a URL.
func TrimURL(url string) string { return strings.TrimRight(url, "/") }
