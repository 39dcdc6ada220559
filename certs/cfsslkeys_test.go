package certs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseCFSSLKeys_EachMistake_NamesItsLineAndNoKey(t *testing.T) {
	const good = "https://cfssl.example.com:8888/ " + authKey
	found, err := ParseCFSSLKeys([]byte("# the fleet's\n\n" + good + "\n"))
	require.NoError(t, err)
	require.NotNil(t, found.For("https://cfssl.example.com:8888"))
	require.Nil(t, found.For("https://cfssl.example.com"), "a key is for its own server")
	for text, want := range map[string]string{
		"":                                  "it has no key",
		"\nhttps://a":                       "line 2: want lines of the form `URL KEY`",
		"https://a 0123":                    "line 1: want lines",
		"https://a " + authKey[1:] + "x":    "line 1: want lines",
		authKey:                             "line 1: want lines",
		good + "\n" + good:                  "line 2: https://cfssl.example.com:8888/ has a key already",
		"https://a file:/etc/passwd":        "line 1: want lines",
		"https://a " + authKey + " comment": "line 1: want lines",
	} {
		_, err := ParseCFSSLKeys([]byte(text))
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), authKey[4:])
	}
}
