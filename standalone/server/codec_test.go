package server

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/landbridge/landbridge/internal/codec"
)

const uiPort = 8233

// newCodec returns a codec with a key of its own, and a request about a payload that it
// encrypted.
func newCodec(t *testing.T) (handler http.Handler, body string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	_, err := codec.NewKey(file, false)
	require.NoError(t, err)
	keys, err := codec.Load(file)
	require.NoError(t, err)
	sealed, err := keys.Codec().Encode([]*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(`"east"`)}})
	require.NoError(t, err)
	data, err := protojson.Marshal(&commonpb.Payloads{Payloads: sealed})
	require.NoError(t, err)
	return codecHandler(keys.Codec(), uiPort), string(data)
}

func TestCodecEndpoint_AnswersPagesOfItsUIOnly(t *testing.T) {
	handler, body := newCodec(t)
	const json = "application/json"
	for name, c := range map[string]struct {
		method, path, host, origin, typ string
		want                            int
	}{
		"the UI":                     {"POST", "/decode?preserveStorageRefs=true", "127.0.0.1:8234", "http://127.0.0.1:8233", json, 200},
		"the UI by another name":     {"POST", "/decode", "127.0.0.1:8234", "http://localhost:8233", json + "; charset=utf-8", 200},
		"through a tunnel":           {"POST", "/decode", "localhost:9999", "http://[::1]:8233", json, 200},
		"no browser":                 {"POST", "/decode", "127.0.0.1:8234", "", json, 200},
		"a page from elsewhere":      {"POST", "/decode", "127.0.0.1:8234", "https://example.com", json, 403},
		"a page in a frame":          {"POST", "/decode", "127.0.0.1:8234", "null", json, 403},
		"a page of another port":     {"POST", "/decode", "127.0.0.1:8234", "http://127.0.0.1:8080", json, 403},
		"a page that leads here":     {"POST", "/decode", "rebound.example.com:8234", "http://127.0.0.1:8233", json, 403},
		"the same without an origin": {"POST", "/decode", "rebound.example.com:8234", "", json, 403},
		"a form":                     {"POST", "/decode", "127.0.0.1:8234", "", "application/x-www-form-urlencoded", 415},
		"text":                       {"POST", "/decode", "127.0.0.1:8234", "http://127.0.0.1:8233", "text/plain", 415},
		"asked whether it may":       {"OPTIONS", "/decode", "127.0.0.1:8234", "http://127.0.0.1:8233", "", 204},
		"another page asks whether":  {"OPTIONS", "/decode", "127.0.0.1:8234", "https://example.com", "", 403},
		"it encrypts nothing":        {"POST", "/encode", "127.0.0.1:8234", "http://127.0.0.1:8233", json, 404},
		"another path of the SDK":    {"POST", "/x/decode", "127.0.0.1:8234", "http://127.0.0.1:8233", json, 404},
		"to look at":                 {"GET", "/decode", "127.0.0.1:8234", "", "", 405},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(body))
		r.Host = c.host
		for header, value := range map[string]string{"Origin": c.origin, "Content-Type": c.typ, "X-Namespace": "default"} {
			if value != "" {
				r.Header.Set(header, value)
			}
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, c.want, w.Code, "%s: %s", name, w.Body)
		allowed := c.origin
		if c.want == http.StatusForbidden {
			allowed = ""
		}
		require.Equal(t, allowed, w.Header().Get("Access-Control-Allow-Origin"), name)
		if c.want == http.StatusOK {
			var out commonpb.Payloads
			require.NoError(t, protojson.Unmarshal(w.Body.Bytes(), &out), name)
			require.Equal(t, `"east"`, string(out.Payloads[0].Data), name)
		} else {
			require.NotContains(t, w.Body.String(), "payloads", name)
		}
	}
}

func TestCodecEndpoint_WhatItCannotOpen_IsASentence(t *testing.T) {
	handler, _ := newCodec(t)
	_, other := newCodec(t)
	for name, c := range map[string]struct {
		body, want string
	}{
		"another key": {other, "encrypted with the key"},
		"no JSON":     {"{", "unexpected"},
		"too much":    {strings.Repeat(" ", maxBody+1), "too large"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/decode", strings.NewReader(c.body))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, http.StatusBadRequest, w.Code, name)
		require.Contains(t, w.Body.String(), c.want, name)
	}
}
