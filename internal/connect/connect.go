// Package connect finds and reaches Temporal as Temporal's own tools do: by
// TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS and API key variables and profiles,
// by default at 127.0.0.1:7233. It tells a Temporal that is not there from one that
// refuses, and gives a namespace what Landbridge's workflows need. What runs there is
// not its business.
package connect

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/landbridge/landbridge/internal/codec"
)

// DefaultAddress says where Temporal's tools look when nobody says otherwise.
const DefaultAddress = "127.0.0.1:7233"

// dialTimeout bounds how long a person waits for the news that Temporal is not there.
const dialTimeout = 5 * time.Second

// Flags say where Temporal is; what they leave out comes from the environment
// and the profile.
type Flags struct {
	Address, Namespace, Profile string
	// Identity names who connects, in Temporal's histories. It is no flag; empty leaves it to
	// the SDK.
	Identity string
	Encryption
}

// Bind adds the flags to a command.
func (f *Flags) Bind(fs *pflag.FlagSet) {
	fs.StringVar(&f.Address, "address", "", "Temporal's host:port (default $TEMPORAL_ADDRESS, the profile's, or "+DefaultAddress+")")
	fs.StringVarP(&f.Namespace, "namespace", "n", "", "Temporal namespace (default $TEMPORAL_NAMESPACE, the profile's, or default)")
	fs.StringVar(&f.Profile, "profile", "", "profile in Temporal's configuration file (default $TEMPORAL_PROFILE, or default)")
	f.Encryption.Bind(fs)
}

// Dial connects to Temporal. The error is an *AddressError where nothing can be there, a
// *NotThereError where nothing answers, and a *RefusedError where something does and lets
// nobody in. With a nil logger the
// client is silent; change, where it is given, may adjust the options. A key file that
// cannot be read is an error before anybody is asked. What is encrypted comes opened in
// histories and descriptions, too; no worker can be made of the client.
func (f Flags) Dial(ctx context.Context, logger *slog.Logger, change func(*client.Options)) (client.Client, error) {
	keys, err := f.Keys()
	if err != nil {
		return nil, err
	}
	c, err := f.dial(ctx, keys, logger, change)
	if err != nil {
		return nil, err
	}
	return keys.Opened(c), nil
}

// DialForWorker connects as Dial does, with a client that a worker can be made of. What the
// SDK hands on as it is stored comes encrypted.
func (f Flags) DialForWorker(ctx context.Context, logger *slog.Logger, change func(*client.Options)) (client.Client, error) {
	keys, err := f.Keys()
	if err != nil {
		return nil, err
	}
	return f.dial(ctx, keys, logger, change)
}

func (f Flags) dial(ctx context.Context, keys *codec.Keys, logger *slog.Logger, change func(*client.Options)) (client.Client, error) {
	o, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{ConfigFileProfile: f.Profile})
	if err != nil {
		return nil, fmt.Errorf("read Temporal's configuration: %w", err)
	}
	if f.Address != "" {
		o.HostPort = f.Address
	}
	if o.HostPort == "" {
		o.HostPort = DefaultAddress
	}
	if err := checkAddress(o.HostPort); err != nil {
		return nil, err
	}
	if f.Namespace != "" {
		o.Namespace = f.Namespace
	}
	if f.Identity != "" {
		o.Identity = f.Identity
	}
	if logger == nil {
		logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.Logger = log.NewStructuredLogger(logger)
	keys.Use(&o)
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, o)
	if err != nil {
		return nil, whyNot(o, err)
	}
	return c, nil
}
