package codec

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const (
	// Compressed is the encoding of a compressed payload. Its form is that of Temporal's own zlib
	// codec, which other tools know: the payload, as zlib packs its protobuf.
	Compressed = "binary/zlib"
	// compressFrom in bytes leaves alone what people read in Temporal's UI. What a large fleet puts
	// into a payload says the same of every cluster, and shrinks to a tenth or less.
	compressFrom = 8 << 10
	// maxStored in bytes fits into what Temporal takes as one payload, with room for what is around it. A
	// workflow whose result is larger would be tried for ever.
	maxStored = 2<<20 - 4<<10
	// maxPlain in bytes is more than any payload of Landbridge has. Whoever may write into the
	// database could else fill a worker's memory with a few bytes.
	maxPlain = 128 << 20
)

// compress packs a payload where it is large and that makes it smaller.
func compress(p *commonpb.Payload) (*commonpb.Payload, error) {
	if len(p.GetData()) < compressFrom {
		return p, nil
	}
	plain, err := proto.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("compress a payload: %w", err)
	}
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	if _, err = w.Write(plain); err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress a payload: %w", err)
	}
	if packed.Len() >= len(plain) {
		return p, nil
	}
	return &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte(Compressed)}, Data: packed.Bytes()}, nil
}

// TooLargeError reports a payload that Temporal does not take. It ends the workflow or the activity that
// has it, which the SDK would else try again without end.
type TooLargeError struct {
	// Plain and Stored are its sizes in bytes, before and after compression and encryption.
	Plain, Stored int
}

// Error gives both sizes, and says what to do.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("what the run would hand to Temporal has %.1f MiB, %.1f MiB compressed, and Temporal takes 2 MiB: this fleet has more links than one such look can hold (docs/limits.md); "+
		"links as a hub, groups or a list have fewer", float64(e.Plain)/(1<<20), float64(e.Stored)/(1<<20))
}

// uncompress unpacks a payload that is compressed, and returns others as they are.
func uncompress(p *commonpb.Payload) (*commonpb.Payload, error) {
	if string(p.GetMetadata()[converter.MetadataEncoding]) != Compressed {
		return p, nil
	}
	r, err := zlib.NewReader(bytes.NewReader(p.GetData()))
	if err != nil {
		return nil, fmt.Errorf("uncompress a payload: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxPlain+1))
	if err == nil && len(plain) > maxPlain {
		err = errors.New("it has more than 128 MiB")
	}
	out := &commonpb.Payload{}
	if err == nil {
		err = proto.Unmarshal(plain, out)
	}
	if err != nil {
		return nil, fmt.Errorf("uncompress a payload: %w", err)
	}
	return out, nil
}
