package notify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	// key is that of the Standard Webhooks' own examples.
	key  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	hook = "https://hooks.slack.com/services/T0000/B0000/XXXXXXXXXXXX"
)

func TestParse_AFile_HasItsChannels(t *testing.T) {
	for _, file := range []string{
		"# who is called\noncall: {url: " + hook + ", format: slack}\naudit:\n  url: http://127.0.0.1:8080/hook?token=abcdefg\n  format: json\n  key: " + key + "\n",
		"\"oncall\": {url: '" + hook + "', format: \"slack\"}\r\naudit: {url: \"http://localhost:8080\", key: " + key + "}\r\n",
		"---\noncall: {url: " + hook + ", format: slack}\naudit: {url: \"http://[::1]:8080\", key: \"" + key + "\"}\n",
	} {
		channels, err := Parse([]byte(file))
		require.NoError(t, err, file)
		require.Len(t, channels, 2)
		require.Equal(t, hook, channels["oncall"].url.String())
		require.Equal(t, formatSlack, channels["oncall"].format)
		require.Nil(t, channels["oncall"].sign)
		require.Equal(t, formatJSON, channels["audit"].format)
		require.NotNil(t, channels["audit"].sign)
	}
}

func TestParse_EachMistake_IsOneSentenceWithItsLine(t *testing.T) {
	for file, want := range map[string]string{
		"":                                "it has no channel; want lines of the form `CHANNEL: {url: https://…, format: json, key: whsec_…}`",
		"# nothing\n":                     "it has no channel; ",
		"{}\n":                            "it has no channel; ",
		"[oncall]\n":                      "line 1: want lines of the form",
		hook + "\n":                       "line 1: want lines of the form",
		"a: {\n":                          "line 1: not YAML; look at the indentation and the quotes here",
		"a: b: " + hook:                   "line 1: not YAML",
		"a: " + hook:                      "line 1: channel a: want lines of the form",
		"a: [x]\n":                        "line 1: channel a: want lines of the form",
		"a: {url: [x]}\n":                 "line 1: channel a: url: want a text on one line",
		"\nOncall: {url: " + hook + "}\n": "line 2: the name of a channel has lower case letters",
		hook + ": {url: x}\n":             "line 1: the name of a channel has lower case letters",
		"a: {url: " + hook + "}\na: {url: " + hook + "}\n":            "line 2: the channel a is there twice: leave one out",
		"a: {url: " + hook + ", url: " + hook + "}\n":                 "line 1: channel a: url: is there twice; leave one out",
		"a: {url: " + hook + "}\n---\nb: {url: " + hook + "}\n":       "line 3: a second document begins here",
		"a: {url: " + hook + ", secret: x}\n":                         "line 1: channel a: there is no field \"secret\"; leave it out, or write url, format or key",
		"a: {" + hook + ": x}\n":                                      "line 1: channel a: there is no field; leave it out, or write url, format or key",
		"a: {format: json}\n":                                         "line 1: channel a: url: is required; want https://HOST/…",
		"a: {url: ''}\n":                                              "line 1: channel a: url: want a text on one line",
		"a: {url: hooks.slack.com/services/XXXXXXXXXXXX}\n":           "line 1: channel a: url: want https://HOST/…",
		"a: {url: 'https://hooks.slack.com/%zz/XXXXXXXXXXXX'}\n":      "line 1: channel a: url: want https://HOST/…",
		"a: {url: 'ftp://hooks.slack.com/XXXXXXXXXXXX'}\n":            "line 1: channel a: url: want https://HOST/…",
		"a: {url: 'https:///XXXXXXXXXXXX'}\n":                         "line 1: channel a: url: want https://HOST/…",
		"a: {url: 'http://hooks.slack.com/XXXXXXXXXXXX'}\n":           "line 1: channel a: url: want https://HOST/…; http is for this machine only",
		"a: {url: " + hook + ", format: text}\n":                      "line 1: channel a: format: want json or slack",
		"a: {url: " + hook + ", key: XXXXXXXXXXXX}\n":                 "line 1: channel a: key: want whsec_ and 24 to 64 bytes in base64; `echo whsec_$(openssl rand -base64 32)` makes one",
		"a: {url: " + hook + ", key: whsec_XXXXXXXXXXXX}\n":           "line 1: channel a: key: want whsec_",
		"a: {url: " + hook + ", key: " + key[len("whsec_"):] + "}\n":  "line 1: channel a: key: want whsec_",
		"a: {url: &x " + hook + "}\nb: {url: *x}\n":                   "line 1: channel a: url: want a text on one line",
		"a: {url: " + hook + ", format: 7}\n":                         "line 1: channel a: format: want json or slack",
		fmt.Sprintf("%s: {url: %s}\n", strings.Repeat("a", 64), hook): "line 1: the name of a channel",
	} {
		channels, err := Parse([]byte(file))
		require.ErrorContains(t, err, want, file)
		require.Nil(t, channels)
		requireNoSecret(t, err)
		require.NotContains(t, err.Error(), "\n", file)
	}
}

// requireNoSecret wants an error without the parts of a URL and of a key that these tests use.
func requireNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{"XXXXXX", "services", "T0000", "B0000", key[10:20], "abcdefg"} {
		require.NotContains(t, err.Error(), secret)
	}
}

func TestChannel_PrintedByMistake_ShowsNothing(t *testing.T) {
	channels, err := Parse([]byte("a: {url: " + hook + ", key: " + key + "}\n"))
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(format, channels), "slack.com")
		require.NotContains(t, fmt.Sprintf(format, channels["a"]), "slack.com")
	}
}

func FuzzParse_AnythingInAFile_GivesChannelsOrASentence(f *testing.F) {
	f.Add([]byte("a: {url: " + hook + ", format: slack, key: " + key + "}\n"))
	f.Add([]byte("? [a]\n: b\r\n\tc: \"d"))
	f.Add([]byte("a: |\n  b\n---\n- c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		channels, err := Parse(data)
		if (err == nil) == (len(channels) == 0) {
			t.Fatalf("%d channels and the error %v", len(channels), err)
		}
	})
}
