package codec

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

func roundTrip(t *testing.T, k *Keys, p *commonpb.Payload) (stored *commonpb.Payload) {
	t.Helper()
	before := proto.CloneOf(p)
	stored = sealed(t, k, p)
	require.True(t, proto.Equal(before, p), "the SDK's own payload stays as it is")
	out, err := k.Codec().Decode([]*commonpb.Payload{stored})
	require.NoError(t, err)
	require.True(t, proto.Equal(before, out[0]))
	return stored
}

func TestCompress_ALargePayload_ShrinksWithAndWithoutAKey(t *testing.T) {
	large := text(strings.Repeat(`{"cluster": "east", "network": "east-network"},`, 4000))
	for _, k := range []*Keys{{}, keysOf(t, "a")} {
		stored := roundTrip(t, k, large)
		require.Less(t, len(stored.GetData()), len(large.GetData())/50)
	}
	theirs, err := converter.NewZlibCodec(converter.ZlibCodecOptions{}).Decode([]*commonpb.Payload{sealed(t, &Keys{}, large)})
	require.NoError(t, err, "Temporal's own codec reads it")
	require.True(t, proto.Equal(large, theirs[0]))
}

// What people look at in Temporal's UI stays as it is, and so does what does not shrink.
func TestCompress_ASmallPayload_AndOneOfChance_StayAsTheyAre(t *testing.T) {
	chance := make([]byte, 1<<20)
	_, _ = rand.Read(chance)
	for _, p := range []*commonpb.Payload{text("east"), text(strings.Repeat("x", compressFrom-100)), {}, {Metadata: map[string][]byte{"encoding": []byte("binary/plain")}, Data: chance}} {
		require.True(t, proto.Equal(p, roundTrip(t, &Keys{}, p)))
	}
}

// A few bytes that unpack to much would fill a worker's memory.
func TestCompress_WhatIsNoneOrUnpacksToTooMuch_IsAnError(t *testing.T) {
	bomb, err := compress(&commonpb.Payload{Data: make([]byte, maxPlain+1)})
	require.NoError(t, err)
	require.Less(t, len(bomb.GetData()), 1<<20)
	for want, p := range map[string]*commonpb.Payload{
		"it has more than 128 MiB": bomb,
		"zlib: invalid header":     {Metadata: bomb.GetMetadata(), Data: []byte("no zlib at all")},
		"unexpected EOF":           {Metadata: bomb.GetMetadata(), Data: bomb.GetData()[:100]},
	} {
		_, err := (&Keys{}).Codec().Decode([]*commonpb.Payload{p})
		require.ErrorContains(t, err, want)
	}
}

// A workflow whose result Temporal does not take would be tried for ever.
func TestCompress_WhatTemporalDoesNotTake_IsAnErrorWithBothSizes(t *testing.T) {
	chance := make([]byte, 3<<20)
	_, _ = rand.Read(chance)
	_, err := (&Keys{}).Codec().Encode([]*commonpb.Payload{{Data: chance}})
	require.IsType(t, &TooLargeError{}, err)
	require.ErrorContains(t, err, "has 3.0 MiB, 3.0 MiB compressed, and Temporal takes 2 MiB")
	_, err = (&Keys{}).Codec().Encode([]*commonpb.Payload{{Data: chance[:2<<20-8<<10]}})
	require.NoError(t, err)
}
