package codec

import (
	"errors"
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

// What an encrypted payload says of itself in the clear. The words are those of
// Temporal's own samples, which the UI and other tools know.
const (
	// Encoding is the encoding of an encrypted payload.
	Encoding = "binary/encrypted"
	// MetadataKeyID names the key that opens a payload.
	MetadataKeyID = "encryption-key-id"
)

// purpose begins the data that each payload is bound to: what a key encrypts here can be
// taken for nothing else that the same key may encrypt elsewhere.
const purpose = "landbridge.dev/payload/v1"

// bound returns what an encrypted payload is bound to, beside its content: its encoding
// and its key. The workflow is not part of it, although the SDK often knows it: Temporal
// adds a time to the ID of what a schedule starts, and asks the codec endpoint without one.
func bound(id string) []byte { return []byte(purpose + "\x00" + Encoding + "\x00" + id) }

// codec encrypts and opens payloads with Keys.
type codec struct{ keys *Keys }

// Codec returns the codec of these keys. It opens what one of them encrypted. What nobody
// encrypted, such as a history from before, it leaves alone.
func (k *Keys) Codec() converter.PayloadCodec { return codec{k} }

// Encode implements converter.PayloadCodec. It compresses a large payload, and encrypts each whole,
// with the metadata that says how it is encoded, with the first key, where there is one.
func (c codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		packed, err := compress(p)
		if err != nil {
			return nil, err
		}
		if out[i], err = c.encrypt(packed); err != nil {
			return nil, err
		}
		if stored := len(out[i].GetData()); stored > maxStored {
			return nil, &TooLargeError{len(p.GetData()), stored}
		}
	}
	return out, nil
}

func (c codec) encrypt(p *commonpb.Payload) (*commonpb.Payload, error) {
	if !c.keys.Any() {
		return p, nil
	}
	id := c.keys.ids[0]
	plain, err := proto.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encrypt a payload: %w", err)
	}
	return &commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(Encoding), MetadataKeyID: []byte(id)},
		Data:     c.keys.aead[id].Seal(nil, nil, plain, bound(id)),
	}, nil
}

// Decode implements converter.PayloadCodec. Its error is a *UnreadableError where no key
// opens a payload.
func (c codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := c.open(p)
		if err != nil {
			return nil, err
		}
		if out[i], err = uncompress(plain); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c codec) open(p *commonpb.Payload) (*commonpb.Payload, error) {
	if string(p.GetMetadata()[converter.MetadataEncoding]) != Encoding {
		return p, nil
	}
	id := string(p.GetMetadata()[MetadataKeyID])
	aead, there := c.keys.aead[id]
	if !there {
		return nil, c.keys.unreadable(id)
	}
	plain, err := aead.Open(nil, nil, p.GetData(), bound(id))
	if err != nil {
		return nil, c.keys.unreadable(id)
	}
	out := &commonpb.Payload{}
	if err := proto.Unmarshal(plain, out); err != nil {
		return nil, c.keys.unreadable(id)
	}
	return out, nil
}

// UnreadableError reports a payload that is encrypted, and that no key here opens.
type UnreadableError struct {
	// Key is the ID of the key that the payload names.
	Key string
	// What is there, and what to do.
	reason string
}

func (e *UnreadableError) Error() string { return e.reason }

// unreadable says why these keys do not open what the key of this ID encrypted.
func (k *Keys) unreadable(id string) error {
	if !validID.MatchString(id) { // from outside: whoever hosts Temporal may have written it
		return &UnreadableError{id, unreadableBegin + "of something else than Landbridge, which has no ID of a key file"}
	}
	begin := unreadableBegin + id
	switch {
	case !k.Any():
		return &UnreadableError{id, fmt.Sprintf("%s, and no key file is given: name the file that has this key with --codec-key-file or %s", begin, Variable)}
	case k.aead[id] == nil:
		return &UnreadableError{id, fmt.Sprintf("%s, which %s lacks: add the line of this key there, below the others, or name another file with --codec-key-file or %s", begin, k.file, Variable)}
	}
	return &UnreadableError{id, fmt.Sprintf("%s, and the key of this ID in %s does not open it: that file has another key under this ID, or somebody changed the history", begin, k.file)}
}

// unreadableBegin begins the message of every UnreadableError, by which one is known again
// where Temporal passes on no more than its text.
const unreadableBegin = "this Temporal namespace has data that is encrypted with the key "

// UnreadableTo returns what a worker said that could not open a payload, or nothing.
// Temporal passes on no more of its error than the text.
func UnreadableTo(err error) string {
	if err == nil {
		return ""
	}
	return unreadableIn(err.Error())
}

// unreadableIn returns the sentence of an UnreadableError in a text, or nothing.
func unreadableIn(text string) string {
	at := strings.Index(text, unreadableBegin)
	if at < 0 {
		return ""
	}
	line, _, _ := strings.Cut(text[at:], "\n")
	return line
}

// Unreadable returns the UnreadableError in the chain of an error, or nil.
func Unreadable(err error) *UnreadableError {
	var u *UnreadableError
	if errors.As(err, &u) {
		return u
	}
	return nil
}
