package codec

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/log"
)

// briefly wraps the logger of a worker: that a payload cannot be opened is one line, with
// the workflow and without the stack that the SDK adds to a panic.
func briefly(l log.Logger) log.Logger { return brief{l} }

type brief struct{ log.Logger }

// withStack has the words of the SDK for a panic, with which it logs the stack.
var withStack = map[string]bool{"Workflow panic": true, "Activity panic.": true}

// Error implements log.Logger. It writes a line as it is, unless it is about a payload that
// cannot be opened.
func (b brief) Error(msg string, keyvals ...any) {
	var why string
	var rest []any
	for i := 0; i+1 < len(keyvals); i += 2 {
		said := unreadableIn(fmt.Sprint(keyvals[i+1]))
		switch {
		case strings.Contains(fmt.Sprint(keyvals[i]), "Stack"):
		case said != "":
			why = said
		default:
			rest = append(rest, keyvals[i], keyvals[i+1])
		}
	}
	if why == "" || !withStack[msg] {
		b.Logger.Error(msg, keyvals...)
		return
	}
	b.Logger.Error(why+"; Temporal tries it again", rest...)
}

// With implements log.WithLogger.
func (b brief) With(keyvals ...any) log.Logger { return brief{log.With(b.Logger, keyvals...)} }

// WithCallerSkip implements log.WithSkipCallers.
func (b brief) WithCallerSkip(depth int) log.Logger { return brief{log.Skip(b.Logger, depth)} }
