package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/landbridge/landbridge/internal/fleet"
	"github.com/landbridge/landbridge/internal/redact"
)

const (
	// patience limits one request to a webhook.
	patience = 10 * time.Second
	// maxAnswer limits what an error has of the answer, in bytes, and maxRead what is read of
	// it: what hides secrets has to see them whole.
	maxAnswer = 200
	maxRead   = 64 << 10
)

// RefusedError reports a webhook that refuses a notification and would do so again: its
// answer is a 4xx that is no request to come back later.
type RefusedError struct{ reason string }

func (e *RefusedError) Error() string { return e.reason }

// FailedError reports a webhook that could not be reached, or that may take the
// notification at the next try.
type FailedError struct{ reason string }

func (e *FailedError) Error() string { return e.reason }

// client follows no redirect: a notification goes to the host that the file names, and
// nowhere else.
var client = &http.Client{
	Timeout:       patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Send sends a notification. The ID is the same for each try, so that a receiver can tell a
// second try from a second notification. The error is a *RefusedError, a *FailedError, or that
// of a context that ended.
func (c *Channel) Send(ctx context.Context, id string, n Notification) error {
	request, err := c.request(ctx, id, n)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return &FailedError{fmt.Sprintf("the webhook at %s does not answer: %s", c.url.Host, c.without(reason(err)))}
	}
	defer answer.Body.Close()
	return c.judge(answer)
}

// request makes the request, signed where the channel has a key.
func (c *Channel) request(ctx context.Context, id string, n Notification) (*http.Request, error) {
	body, err := n.body(c.format)
	if err != nil {
		return nil, fmt.Errorf("write the notification: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, &FailedError{"the request to " + c.url.Host + " cannot be made"} // the cause has the URL
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "landbridge")
	if c.sign == nil {
		return r, nil
	}
	now := time.Now()
	signature, err := c.sign.Sign(id, now, body)
	if err != nil {
		return nil, &FailedError{"the notification cannot be signed"}
	}
	r.Header.Set(standardwebhooks.HeaderWebhookID, id)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, fmt.Sprint(now.Unix()))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return r, nil
}

// later lists the answers of 4xx that ask to come back.
var later = []int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}

// judge returns nil where the webhook took the notification.
func (c *Channel) judge(answer *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRead))
	is := func(hundred int) bool { return answer.StatusCode/100 == hundred }
	said := fmt.Sprintf("the webhook at %s answers %d", c.url.Host, answer.StatusCode)
	switch {
	case is(2):
		return nil
	case is(3):
		return &FailedError{said + "; redirects are not followed: write the address to which it leads into the file of --notify-file"}
	}
	if brief := c.brief(string(text)); brief != "" {
		said += ": " + brief
	}
	if is(4) && !slices.Contains(later, answer.StatusCode) {
		return &RefusedError{said}
	}
	return &FailedError{said}
}

// brief returns the beginning of an answer on one line, without secrets.
func (c *Channel) brief(text string) string {
	return fleet.Brief(fleet.OneLine(redact.Secrets(c.without(text))), maxAnswer)
}

// reason returns why a request failed, without its URL.
func reason(err error) string {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	if strings.Contains(err.Error(), "proxy address") { // it may have a password
		return "the proxy that the worker's environment names has no valid address"
	}
	return err.Error()
}
