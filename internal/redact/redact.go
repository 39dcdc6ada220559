// Package redact keeps secrets out of what people read: errors, logs and what
// clusters answer may quote any of them.
package redact

import (
	"regexp"
	"strings"
)

// shapes match PEM keys (finished or cut off), JWTs, age identities, long base64, and the
// opaque tokens of platforms: OpenShift's, EKS' (which is a signed address), Google's,
// DigitalOcean's and Rancher's, the keys and addresses of webhooks, and what follows the word
// Bearer in a header.
var shapes = regexp.MustCompile(`(?s)` + strings.Join([]string{
	`-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`,
	`eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_.-]+`,
	`AGE-SECRET-KEY-[A-Z0-9]+`,
	`sha256~[A-Za-z0-9_-]{20,}`,
	`k8s-aws-v1\.[A-Za-z0-9_=-]{20,}`,
	`ya29\.[A-Za-z0-9_.-]{20,}`,
	`do[opr]_v1_[a-f0-9]{32,}`,
	`(kubeconfig-[a-z0-9-]+|token-[a-z0-9]{5}):[a-z0-9]{40,}`,
	`whsec_[A-Za-z0-9+/]{20,}=*`,
	`hooks\.slack\.com/[A-Za-z]+/[A-Za-z0-9/_-]+`,
	`\bBearer [A-Za-z0-9~+/._:-]{20,}=*`,
	`[A-Za-z0-9+/]{120,}={0,2}`,
}, "|"))

// Secrets replaces everything in the text that looks like a secret.
func Secrets(text string) string { return shapes.ReplaceAllString(text, "(redacted)") }
