package serve

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"

	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/internal/connect"
)

// Temporal reaches the server whose task queues a program serves.
type Temporal interface {
	// Bind adds the flags that say where it is.
	Bind(*pflag.FlagSet)
	// Complete fills in what the flags leave out; its error is a mistake in them.
	Complete() error
	// Keys returns those that encrypt what it keeps, after Complete.
	Keys() (*codec.Keys, error)
	// Dial connects to it. change adjusts the options and sees the namespace.
	Dial(ctx context.Context, logger *slog.Logger, change func(*client.Options)) (client.Client, error)
	// Stop ends what Dial began beside the client.
	Stop()
}

// Elsewhere reaches a Temporal that runs without us, as Temporal's own tools do.
type Elsewhere struct{ connect.Flags }

// Complete reads the key file, so that a mistake in it is known before anything begins.
// What else the flags leave out is the environment's.
func (e *Elsewhere) Complete() error {
	_, err := e.Keys()
	return err
}

// Dial connects as all that reaches Temporal does.
func (e *Elsewhere) Dial(ctx context.Context, logger *slog.Logger, change func(*client.Options)) (client.Client, error) {
	c, err := e.DialForWorker(ctx, logger, change)
	var wrong *connect.AddressError
	if errors.As(err, &wrong) {
		err = &usageError{err}
	}
	return c, err
}

// Stop leaves the server alone.
func (*Elsewhere) Stop() {}
