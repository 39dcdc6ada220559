// Package notify sends notifications to webhooks. It knows them by the names of channels,
// from a file that only a worker reads: the URL of a webhook is a secret, and so is the key
// that signs what is sent. No error of this package has either.
package notify

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The formats of a notification.
const (
	// formatJSON sends a Notification.
	formatJSON = "json"
	// formatSlack sends one text, as an incoming webhook of Slack takes it.
	formatSlack = "slack"
)

// keyPrefix begins a key, as the Standard Webhooks have it.
const keyPrefix = "whsec_"

// How long a key is, in bytes, by the Standard Webhooks.
const (
	leastKey = 24
	mostKey  = 64
)

// leastHidden is the length, in bytes, from which a part of a URL is hidden in what a
// webhook answers. Shorter ones are words such as "api".
const leastHidden = 6

// Channels holds the webhooks that a worker knows, by the names of their channels.
type Channels map[string]*Channel

// Channel is one webhook.
type Channel struct {
	url    *url.URL
	format string
	// sign signs what is sent; nil where the file has no key.
	sign *standardwebhooks.Webhook
	// hidden lists what no error may have, the longest first.
	hidden []string
}

// String hides the webhook from whoever prints it.
func (c *Channel) String() string { return "(webhook)" }

// GoString hides the webhook from whoever prints it.
func (c *Channel) GoString() string { return c.String() }

// newChannel makes a channel of what a file has. The error repeats no value.
func newChannel(address, format, key string) (*Channel, error) {
	c := &Channel{format: format}
	var err error
	if c.url, err = parseURL(address); err != nil {
		return nil, err
	}
	switch format {
	case "":
		c.format = formatJSON
	case formatJSON, formatSlack:
	default:
		return nil, fmt.Errorf("format: want %s or %s", formatJSON, formatSlack)
	}
	if key != "" {
		if c.sign, err = parseKey(key); err != nil {
			return nil, err
		}
	}
	c.hide(address, key)
	return c, nil
}

func parseURL(address string) (*url.URL, error) {
	if address == "" {
		return nil, fmt.Errorf("url: is required; want https://HOST/…")
	}
	u, err := url.Parse(address) // its error has the URL
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("url: want https://HOST/…")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("url: want https://HOST/…; http is for this machine only (localhost), since whoever is on the way could read the URL")
	}
	return u, nil
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func parseKey(key string) (*standardwebhooks.Webhook, error) {
	text, ok := strings.CutPrefix(key, keyPrefix)
	secret, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(secret) < leastKey || len(secret) > mostKey {
		return nil, fmt.Errorf("key: want %s and %d to %d bytes in base64; `echo %[1]s$(openssl rand -base64 32)` makes one", keyPrefix, leastKey, mostKey)
	}
	return standardwebhooks.NewWebhookRaw(secret)
}

// hide notes what no error may have: the URL and its parts, but for the host, and the key.
func (c *Channel) hide(address, key string) {
	parts := []string{address, c.url.String(), c.url.RequestURI(), c.url.EscapedPath(), c.url.Path, c.url.RawQuery, key, strings.TrimPrefix(key, keyPrefix)}
	parts = append(parts, strings.Split(c.url.Path, "/")...)
	parts = append(parts, strings.Split(c.url.EscapedPath(), "/")...)
	for name, values := range c.url.Query() {
		parts = append(append(parts, name), values...)
	}
	if user := c.url.User; user != nil {
		password, _ := user.Password()
		parts = append(parts, user.String(), user.Username(), password)
	}
	for _, p := range parts {
		if len(p) >= leastHidden {
			c.hidden = append(c.hidden, p)
		}
	}
	slices.SortFunc(c.hidden, func(a, b string) int { return len(b) - len(a) })
}

// without returns a text without what no error may have.
func (c *Channel) without(text string) string {
	for _, secret := range c.hidden {
		text = strings.ReplaceAll(text, secret, "(redacted)")
	}
	return text
}
