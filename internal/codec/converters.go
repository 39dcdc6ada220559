package codec

import (
	"context"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

// Use has a Temporal client encrypt with these keys what it sends, and open what it
// receives. Without a key it encrypts nothing, and still says which key is missing where
// something is encrypted.
func (k *Keys) Use(o *client.Options) {
	o.DataConverter = converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), k.Codec())
	o.FailureConverter = failures{temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          o.DataConverter,
		EncodeCommonAttributes: k.Any(),
	}), o.DataConverter}
	if k.Any() && o.Logger != nil {
		o.Logger.Info("payloads are encrypted", "key", k.ids[0], "opened", k.ids)
	}
}

// failures converts errors as the SDK does. The SDK shows a failure that it cannot open as
// "Encoded failure"; this one tells why.
type failures struct {
	converter.FailureConverter
	payloads converter.DataConverter
}

// FailureToError implements converter.FailureConverter.
func (f failures) FailureToError(failure *failurepb.Failure) error {
	if why := unreadable(f.payloads, failure); why != nil {
		failure = proto.CloneOf(failure)
		for at := failure; at != nil; at = at.GetCause() {
			at.Message, at.EncodedAttributes = why.Error(), nil
		}
	}
	return f.FailureConverter.FailureToError(failure)
}

// unreadable returns why the words of a failure, or of a cause of it, cannot be opened, or nil.
func unreadable(payloads converter.DataConverter, failure *failurepb.Failure) *UnreadableError {
	for at := failure; at != nil; at = at.GetCause() {
		if at.GetEncodedAttributes() == nil {
			continue
		}
		var words any
		if why := Unreadable(payloads.FromPayload(at.GetEncodedAttributes(), &words)); why != nil {
			return why
		}
	}
	return nil
}

// ForWorker has the client of a worker panic where a workflow or an activity cannot open
// what it needs. The SDK catches that, fails the workflow task or the try of the activity,
// and Temporal gives it to a worker again: one that has the key goes on. By an error the
// workflow would end. Updates get the error: the SDK refuses them, and who asked is told.
func ForWorker(o *client.Options) {
	o.FailureConverter = panickingFailures{o.FailureConverter, o.DataConverter}
	o.DataConverter = ofWorker{o.DataConverter}
	o.Logger = briefly(o.Logger)
}

// ofWorker is the data converter of a worker, which gives errors: that of updates, too.
type ofWorker struct{ converter.DataConverter }

// WithWorkflowContext implements converter.ContextAware.
func (w ofWorker) WithWorkflowContext(converter.WorkflowContext) converter.DataConverter {
	return panicking(w)
}

// WithContext implements converter.ContextAware.
func (w ofWorker) WithContext(context.Context) converter.DataConverter {
	return panicking(w)
}

// panicking is the data converter of workflows and activities.
type panicking struct{ converter.DataConverter }

// FromPayload implements converter.DataConverter.
func (p panicking) FromPayload(payload *commonpb.Payload, out any) error {
	return orPanic(p.DataConverter.FromPayload(payload, out))
}

// FromPayloads implements converter.DataConverter.
func (p panicking) FromPayloads(payloads *commonpb.Payloads, out ...any) error {
	return orPanic(p.DataConverter.FromPayloads(payloads, out...))
}

func orPanic(err error) error {
	if why := Unreadable(err); why != nil {
		panic(why.Error())
	}
	return err
}

// panickingFailures is the failure converter of a worker.
type panickingFailures struct {
	converter.FailureConverter
	payloads converter.DataConverter
}

// FailureToError implements converter.FailureConverter.
func (p panickingFailures) FailureToError(failure *failurepb.Failure) error {
	if why := unreadable(p.payloads, failure); why != nil {
		panic(why.Error())
	}
	return p.FailureConverter.FailureToError(failure)
}
