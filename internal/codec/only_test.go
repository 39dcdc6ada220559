package codec

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
)

func TestEncryptedOnly_WhatIsInTheClear_IsRefused(t *testing.T) {
	keys := keysOf(t, "a")
	o := optionsOf(keys)
	o.Logger = log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	EncryptedOnly(&o)
	ForWorker(&o)
	encrypted, err := optionsOf(keys).DataConverter.ToPayloads("east", "west")
	require.NoError(t, err)
	aware := o.DataConverter.(converter.ContextAware)
	for name, reader := range map[string]converter.DataConverter{
		"of an update": o.DataConverter, "of a workflow": aware.WithWorkflowContext(nil), "of an activity": aware.WithContext(t.Context()),
	} {
		var east, west string
		require.NoError(t, reader.FromPayloads(encrypted, &east, &west), name)
		require.Equal(t, []string{"east", "west"}, []string{east, west}, name)
		require.NoError(t, reader.FromPayload(encrypted.Payloads[0], &west), name)
		require.Equal(t, "east", west, name)
		require.NoError(t, reader.FromPayloads(nil), "an input that is none")

		require.ErrorIs(t, reader.FromPayload(text("evil"), &east), errInTheClear, name)
		forged := &commonpb.Payloads{Payloads: []*commonpb.Payload{encrypted.Payloads[0], text("evil")}}
		require.ErrorIs(t, reader.FromPayloads(forged, &east, &west), errInTheClear, name)
		pretended := text("evil")
		pretended.Metadata = map[string][]byte{converter.MetadataEncoding: []byte(Encoding), MetadataKeyID: []byte("a")}
		require.NotPanics(t, func() { require.Error(t, optionsOf(keys).DataConverter.FromPayload(pretended, &east), name) })
	}
}

// What such a worker writes itself it can read, whatever it is.
func TestEncryptedOnly_ReadsWhatItWrites(t *testing.T) {
	var o client.Options
	keysOf(t, "a").Use(&o)
	EncryptedOnly(&o)
	for _, v := range []any{nil, "", []byte("x"), []byte(nil), map[string]int{"a": 1}, &commonpb.Payload{}} {
		p, err := o.DataConverter.ToPayload(v)
		require.NoError(t, err)
		var back any
		require.NotErrorIs(t, o.DataConverter.FromPayload(p, &back), errInTheClear, "%T", v)
	}
}
