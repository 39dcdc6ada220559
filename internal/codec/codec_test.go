package codec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// keysOf returns keys of a new file in which each ID has a key of its own, the same in
// every file.
func keysOf(t *testing.T, ids ...string) *Keys {
	t.Helper()
	var text strings.Builder
	for _, id := range ids {
		fmt.Fprintln(&text, id, key(id[0]))
	}
	keys, err := Load(keyFile(t, text.String(), 0o600))
	require.NoError(t, err)
	return keys
}

func sealed(t *testing.T, k *Keys, plain *commonpb.Payload) *commonpb.Payload {
	t.Helper()
	out, err := k.Codec().Encode([]*commonpb.Payload{plain})
	require.NoError(t, err)
	require.Len(t, out, 1)
	return out[0]
}

func text(s string) *commonpb.Payload {
	p, err := converter.GetDefaultDataConverter().ToPayload(s)
	if err != nil {
		panic(err)
	}
	return p
}

func TestCodec_WhatIsEncrypted_IsOpenedByTheSameKeyAndShowsNothing(t *testing.T) {
	keys := keysOf(t, "a")
	const canary = "the canary is east" // four letters alone are found in a MiB of chance, once in thousands of times
	for _, plain := range []*commonpb.Payload{text(canary), text(""), {}, {Metadata: map[string][]byte{"encoding": []byte("binary/null")}},
		{Metadata: map[string][]byte{"encoding": []byte("binary/plain"), canary: []byte("west")}, Data: make([]byte, 1<<20)}} {
		before := proto.CloneOf(plain)
		p := sealed(t, keys, plain)
		require.True(t, proto.Equal(before, plain), "the SDK's own payload stays as it is")
		require.Equal(t, map[string][]byte{"encoding": []byte("binary/encrypted"), "encryption-key-id": []byte("a")}, p.Metadata)
		require.NotContains(t, string(p.Data), canary)
		require.NotEqual(t, p.Data, sealed(t, keys, plain).Data, "a nonce is drawn for each")
		require.Less(t, len(p.Data)-proto.Size(plain), 64, "Temporal's limits of size hold for what is encrypted, too")
		out, err := keys.Codec().Decode([]*commonpb.Payload{p})
		require.NoError(t, err)
		require.True(t, proto.Equal(plain, out[0]))
	}
}

func TestCodec_Rotation_TheFirstKeyEncryptsAndAllOpen(t *testing.T) {
	old := keysOf(t, "a")
	before := sealed(t, old, text("east"))
	both := keysOf(t, "b", "a")
	after := sealed(t, both, text("west"))
	require.Equal(t, "b", string(after.Metadata[MetadataKeyID]))
	out, err := both.Codec().Decode([]*commonpb.Payload{before, after, text("north")})
	require.NoError(t, err)
	require.Len(t, out, 3)
	for i, want := range []string{"east", "west", "north"} {
		require.True(t, proto.Equal(text(want), out[i]), want)
	}
	_, err = old.Codec().Decode([]*commonpb.Payload{before, after})
	require.Equal(t, "b", Unreadable(err).Key)
}

func TestCodec_WhatNobodyEncrypted_GoesThrough(t *testing.T) {
	plain := []*commonpb.Payload{text("east"), {}, {Metadata: map[string][]byte{"encoding": []byte("binary/other")}, Data: []byte{1}}}
	for _, keys := range []*Keys{{}, keysOf(t, "a")} {
		out, err := keys.Codec().Decode(plain)
		require.NoError(t, err)
		require.Equal(t, plain, out)
	}
	out, err := new(Keys).Codec().Encode(plain)
	require.NoError(t, err)
	require.Equal(t, plain, out, "without a key nothing is encrypted")
}

func TestCodec_WhatNoKeyOpens_SaysWhichKeyIsNeededAndWhatToDo(t *testing.T) {
	keys := keysOf(t, "a", "b")
	p := sealed(t, keys, text("east"))
	changed := func(change func(*commonpb.Payload)) *commonpb.Payload {
		out := proto.CloneOf(p)
		change(out)
		return out
	}
	other, err := Load(keyFile(t, "a "+key('z')+"\n", 0o600))
	require.NoError(t, err)
	const tampered = "the key of this ID in FILE does not open it: that file has another key under this ID, or somebody changed the history"
	for name, c := range map[string]struct {
		keys *Keys
		p    *commonpb.Payload
		want string
	}{
		"no key file":                {&Keys{}, p, "encrypted with the key a, and no key file is given: name the file that has this key with --codec-key-file or LANDBRIDGE_CODEC_KEY_FILE"},
		"key is not there":           {keysOf(t, "b"), p, "encrypted with the key a, which FILE lacks: add the line of this key there, below the others, or name another file"},
		"another key of the same ID": {other, p, tampered},
		"content changed":            {keys, changed(func(p *commonpb.Payload) { p.Data[len(p.Data)-1] ^= 1 }), tampered},
		"nonce changed":              {keys, changed(func(p *commonpb.Payload) { p.Data[0] ^= 1 }), tampered},
		"cut":                        {keys, changed(func(p *commonpb.Payload) { p.Data = p.Data[:5] }), tampered},
		"empty":                      {keys, changed(func(p *commonpb.Payload) { p.Data = nil }), tampered},
		"key's ID exchanged":         {keys, changed(func(p *commonpb.Payload) { p.Metadata[MetadataKeyID] = []byte("b") }), "the key b, and " + tampered},
		"key's ID removed":           {keys, changed(func(p *commonpb.Payload) { delete(p.Metadata, MetadataKeyID) }), "with the key of something else than Landbridge"},
		"no ID at all":               {keys, changed(func(p *commonpb.Payload) { p.Metadata[MetadataKeyID] = []byte("\x1b[2J\n") }), "with the key of something else than Landbridge"},
	} {
		_, err := c.keys.Codec().Decode([]*commonpb.Payload{text("west"), c.p})
		require.ErrorContains(t, err, strings.ReplaceAll(c.want, "FILE", c.keys.file), name)
		require.NotNil(t, Unreadable(fmt.Errorf("read: %w", err)), name)
		require.NotContains(t, err.Error(), "\n", name)
		require.NotContains(t, err.Error(), "cipher", "%s: not a word of a library", name)
		require.Equal(t, err.Error(), UnreadableTo(errors.New("Workflow panic: "+err.Error()+"\nstack")), name)
	}
	require.Nil(t, Unreadable(errors.New("something else")))
	require.Empty(t, UnreadableTo(errors.New("something else")))
	require.Empty(t, UnreadableTo(nil))
}

// A key that encrypts something else elsewhere, without what payloads are bound to, gives no
// payload; nor does a payload under another encoding's name.
func TestCodec_APayload_IsBoundToItsPurpose(t *testing.T) {
	keys := keysOf(t, "a")
	plain, err := proto.Marshal(text("east"))
	require.NoError(t, err)
	for _, to := range [][]byte{nil, []byte("a"), bound("b")} {
		p := sealed(t, keys, text("east"))
		p.Data = keys.aead["a"].Seal(nil, nil, plain, to)
		_, err := keys.Codec().Decode([]*commonpb.Payload{p})
		require.NotNil(t, Unreadable(err))
	}
}

func FuzzDecode_AnythingFromTemporal_GivesAPayloadOrASentence(f *testing.F) {
	f.Add("binary/encrypted", "a", []byte("12345678901234567890123456789012"))
	f.Add("json/plain", "", []byte(`"east"`))
	path := filepath.Join(f.TempDir(), "keys")
	require.NoError(f, os.WriteFile(path, []byte("a "+key('a')), 0o600))
	keys, err := Load(path)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, encoding, id string, data []byte) {
		p := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(encoding), MetadataKeyID: []byte(id)}, Data: data}
		out, err := keys.Codec().Decode([]*commonpb.Payload{p})
		if encoding == Encoding {
			require.NotNil(t, Unreadable(err), "nobody finds what this key encrypted")
			return
		}
		require.NoError(t, err)
		require.Same(t, p, out[0])
	})
}
