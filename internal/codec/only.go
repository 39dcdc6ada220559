package codec

import (
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// errInTheClear reports a payload that whoever wrote it had no key for.
var errInTheClear = errors.New("nobody encrypted this, and this worker runs with --encrypted-only: give the command the key file (--codec-key-file or " + Variable + "); where a schedule asked, set it up again with `landbridge schedule`")

// EncryptedOnly has the client of a worker refuse what nobody encrypted: inputs, decisions and
// results of others. Whoever has no key then has nothing done by that worker but what he finds in
// histories. It comes before ForWorker.
func EncryptedOnly(o *client.Options) { o.DataConverter = encryptedOnly{o.DataConverter} }

// encryptedOnly is a data converter that refuses what is in the clear.
type encryptedOnly struct{ converter.DataConverter }

// FromPayload implements converter.DataConverter.
func (e encryptedOnly) FromPayload(p *commonpb.Payload, out any) error {
	if string(p.GetMetadata()[converter.MetadataEncoding]) != Encoding {
		return errInTheClear
	}
	return e.DataConverter.FromPayload(p, out)
}

// FromPayloads implements converter.DataConverter.
func (e encryptedOnly) FromPayloads(all *commonpb.Payloads, out ...any) error {
	for _, p := range all.GetPayloads() {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != Encoding {
			return errInTheClear
		}
	}
	return e.DataConverter.FromPayloads(all, out...)
}
