package fleet

import (
	"strings"
	"unicode/utf8"
)

// Brief is at most n bytes of a message, and valid UTF-8, which Temporal's
// protocol insists on: a failure that is not cannot be reported at all. What is
// cut ends in "…".
func Brief(message string, n int) string {
	const more = "…"
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) <= n {
		return message
	}
	cut := max(n-len(more), 0)
	for cut > 0 && !utf8.RuneStart(message[cut]) {
		cut--
	}
	return message[:cut] + more
}
