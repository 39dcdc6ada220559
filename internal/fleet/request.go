package fleet

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRequest in characters fits into a search attribute of every Temporal.
const maxRequest = 200

// Request says why something is changed, and on whose behalf: a change number, a
// person. Temporal, the objects and the report show it.
type Request struct {
	Reason      string `json:"reason,omitempty"`
	RequestedBy string `json:"requestedBy,omitempty"`
}

// Line writes a request on one line, for Helm's history and Temporal's UI.
func (r Request) Line() string {
	parts := []string{}
	if r.RequestedBy != "" {
		parts = append(parts, "requested by "+r.RequestedBy)
	}
	if r.Reason != "" {
		parts = append(parts, r.Reason)
	}
	return strings.Join(parts, ": ")
}

// Validate returns an error where a part is too long, or more than a line of text.
func (r Request) Validate() error {
	for _, flag := range []struct{ name, value string }{{"--reason", r.Reason}, {"--requested-by", r.RequestedBy}} {
		if n := utf8.RuneCountInString(flag.value); n > maxRequest {
			return fmt.Errorf("%s has %s; at most %d are kept", flag.name, Count(n, "character"), maxRequest)
		}
		if strings.ContainsFunc(flag.value, unicode.IsControl) {
			return fmt.Errorf("%s must be one line of text", flag.name)
		}
	}
	return nil
}
