package fleet

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxRequest in characters fits into a search attribute of every Temporal.
const maxRequest = 200

// Request is why something is changed, and on whose behalf: a change number, a
// person. It is found in Temporal, on the objects, and in the report.
type Request struct {
	Reason      string `json:"reason,omitempty"`
	RequestedBy string `json:"requestedBy,omitempty"`
}

// Line is one line, for Helm's history and Temporal's UI.
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

// Validate says what of a request is too long, or no line of text.
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
