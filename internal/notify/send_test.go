package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

var waits = Notification{Event: "waiting", Fleet: "prod", What: "rollout", Workflow: "landbridge.prod", Run: "run-1", At: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC),
	Reason: "CHG-7", RequestedBy: "anna", Wave: "rest", Text: "the rollout of the fleet prod waits for the approval of wave rest", Next: "landbridge approve prod --wave rest"}

// receiver is a webhook that keeps what it got, and answers as the test wants.
type receiver struct {
	*httptest.Server
	got    []*http.Request
	bodies [][]byte
	status int
	answer string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.got, r.bodies = append(r.got, q), append(r.bodies, body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

// channel returns the channel of a file whose one webhook is the receiver.
func (r *receiver) channel(t *testing.T, fields string) *Channel {
	channels, err := Parse([]byte(fmt.Sprintf("a: {url: \"%s/services/T0000/B0000/XXXXXXXXXXXX?token=abcdefg\"%s}\n", r.URL, fields)))
	require.NoError(t, err)
	return channels["a"]
}

func TestSend_InJSON_IsTheNotification(t *testing.T) {
	r := newReceiver(t)
	require.NoError(t, r.channel(t, "").Send(t.Context(), "id-1", waits))
	require.JSONEq(t, `{"event": "waiting", "fleet": "prod", "what": "rollout", "workflow": "landbridge.prod", "run": "run-1", "at": "2026-11-30T12:00:00Z",
		"reason": "CHG-7", "requestedBy": "anna", "wave": "rest", "text": "the rollout of the fleet prod waits for the approval of wave rest",
		"next": "landbridge approve prod --wave rest"}`, string(r.bodies[0]))
	require.Equal(t, http.MethodPost, r.got[0].Method)
	require.Equal(t, "application/json", r.got[0].Header.Get("Content-Type"))
	require.Equal(t, "/services/T0000/B0000/XXXXXXXXXXXX?token=abcdefg", r.got[0].URL.String())
	require.Empty(t, r.got[0].Header.Get("webhook-signature"), "without a key nothing is signed")
}

// The library of the Standard Webhooks, which receivers use, takes the signature.
func TestSend_WithAKey_IsSignedAndHasTheSameIDAtEachTry(t *testing.T) {
	r := newReceiver(t)
	c := r.channel(t, ", key: "+key)
	for range 2 {
		require.NoError(t, c.Send(t.Context(), "id-1", waits))
	}
	require.Equal(t, r.bodies[0], r.bodies[1])
	receives, err := standardwebhooks.NewWebhook(key)
	require.NoError(t, err)
	for i, got := range r.got {
		require.Equal(t, "id-1", got.Header.Get("webhook-id"))
		require.NoError(t, receives.Verify(r.bodies[i], got.Header))
		require.Error(t, receives.Verify(append(r.bodies[i], ' '), got.Header))
	}
}

func TestSend_ToSlack_IsOneTextWithItsMarksEscaped(t *testing.T) {
	r := newReceiver(t)
	n := waits
	n.Text, n.Failures, n.Wave, n.Next = "the rollout of <prod> failed & stopped", []string{"link east -> west: no", "cluster west: no"}, "", "landbridge retry prod"
	require.NoError(t, r.channel(t, ", format: slack").Send(t.Context(), "id-1", n))
	var body map[string]string
	require.NoError(t, json.Unmarshal(r.bodies[0], &body))
	require.Equal(t, map[string]string{"text": "the rollout of &lt;prod&gt; failed &amp; stopped\n• link east -&gt; west: no\n• cluster west: no\nrequested by anna: CHG-7\nnext: `landbridge retry prod`"}, body)
}

func TestSend_EachAnswer_IsTakenOrTriedAgainOrFinal(t *testing.T) {
	r := newReceiver(t)
	c := r.channel(t, ", key: "+key)
	for status, final := range map[int]bool{400: true, 401: true, 403: true, 404: true, 405: true, 410: true, 422: true,
		408: false, 425: false, 429: false, 500: false, 502: false, 503: false, 301: false, 302: false, 307: false, 308: false} {
		r.status, r.answer = status, "what the\nwebhook says"
		err := c.Send(t.Context(), "id-1", waits)
		require.ErrorContains(t, err, fmt.Sprintf("the webhook at %s answers %d", strings.TrimPrefix(r.URL, "http://"), status))
		if final {
			require.IsType(t, &RefusedError{}, err)
		} else {
			require.IsType(t, &FailedError{}, err)
		}
		if status >= 400 {
			require.ErrorContains(t, err, ": what the webhook says")
		}
		requireNoSecret(t, err)
	}
	for _, status := range []int{200, 201, 202, 204} {
		r.status, r.answer = status, ""
		require.NoError(t, c.Send(t.Context(), "id-1", waits))
	}
}

// A notification goes to the host of the file only.
func TestSend_ARedirect_IsNotFollowed(t *testing.T) {
	r := newReceiver(t)
	r.status = http.StatusTemporaryRedirect
	err := r.channel(t, "").Send(t.Context(), "id-1", waits)
	require.ErrorContains(t, err, "answers 307; redirects are not followed: write the address to which it leads into the file of --notify-file")
	require.NotContains(t, err.Error(), "elsewhere")
	require.Len(t, r.got, 1)
}

// Frameworks repeat the path in their answer of 404, and some the whole request.
func TestSend_AnAnswerThatRepeatsTheURLOrTheKey_IsShownWithoutThem(t *testing.T) {
	r := newReceiver(t)
	c := r.channel(t, ", key: "+key)
	r.status = http.StatusNotFound
	for answer, want := range map[string]string{
		"Cannot POST /services/T0000/B0000/XXXXXXXXXXXX":                    "Cannot POST (redacted)",
		"no " + r.URL + "/services/T0000/B0000/XXXXXXXXXXXX?token=abcdefg!": "no (redacted)!",
		`{"path": "\/services\/T0000\/B0000\/XXXXXXXXXXXX"}`:                `"\/(redacted)\/T0000\/B0000\/(redacted)"`,
		"token abcdefg is unknown":                                          "token (redacted) is unknown",
		"bad key " + key:                                                    "bad key (redacted)",
		"bad key " + key[len("whsec_"):]:                                    "bad key (redacted)",
		"sorry, Bearer " + strings.Repeat("abc123", 9):                      "sorry, (redacted)",
	} {
		r.answer = answer
		err := c.Send(t.Context(), "id-1", waits)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "XXXXXX")
		require.NotContains(t, err.Error(), key[10:20])
	}
	r.answer = strings.Repeat("a long answer ", 100)
	err := c.Send(t.Context(), "id-1", waits)
	require.Less(t, len(err.Error()), 300)
	r.answer = strings.Repeat("x", 195) + " /services/T0000/B0000/XXXXXXXXXXXX" // cut in the middle
	requireNoSecret(t, c.Send(t.Context(), "id-1", waits))
}

func TestSend_WebhookIsDown_NamesTheHostAndNoMore(t *testing.T) {
	r := newReceiver(t)
	c := r.channel(t, ", key: "+key)
	r.Close()
	err := c.Send(t.Context(), "id-1", waits)
	require.IsType(t, &FailedError{}, err)
	require.ErrorContains(t, err, "the webhook at "+strings.TrimPrefix(r.URL, "http://")+" does not answer: dial tcp")
	requireNoSecret(t, err)
}

func TestSend_TheWorkerStops_IsNoFailureOfTheWebhook(t *testing.T) {
	r := newReceiver(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.channel(t, "").Send(ctx, "id-1", waits), context.Canceled)
}
