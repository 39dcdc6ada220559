// Package redact keeps secrets out of what people read: errors, logs and what
// clusters answer may quote any of them.
package redact

import "regexp"

// shapes match PEM keys (finished or cut off), JWTs, age identities and long base64.
var shapes = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]+|AGE-SECRET-KEY-[A-Z0-9]+|[A-Za-z0-9+/]{120,}={0,2}`)

// Secrets replaces everything in the text that looks like a secret.
func Secrets(text string) string { return shapes.ReplaceAllString(text, "(redacted)") }
