package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/landbridge/landbridge/internal/codec"
	"github.com/landbridge/landbridge/internal/connect"
	"github.com/landbridge/landbridge/standalone/server"
	"github.com/landbridge/landbridge/worker/serve"
)

const (
	// stateDir names the directory of the database below Landbridge's state.
	stateDir = "temporal"
	// defaultUIPort follows `temporal server start-dev`.
	defaultUIPort = 8233
	// defaultCodecPort is the next one.
	defaultCodecPort = 8234
)

// ownTemporal runs the Temporal that the program serves in the same process.
type ownTemporal struct {
	options    server.Options
	noUI       bool
	encryption connect.Encryption
	keys       *codec.Keys
	server     *server.Server
	// tell receives where it listens, for people.
	tell io.Writer
}

// Bind implements serve.Temporal.
func (t *ownTemporal) Bind(fs *pflag.FlagSet) {
	fs.StringVar(&t.options.Dir, "state-dir", "", "directory of the database "+serve.StateDirHelp(stateDir))
	fs.IntVar(&t.options.Port, "port", defaultPort(), "port of Temporal on 127.0.0.1")
	fs.IntVar(&t.options.UIPort, "ui-port", defaultUIPort, "port of Temporal's web UI on 127.0.0.1")
	fs.IntVar(&t.options.CodecPort, "codec-port", defaultCodecPort, "port on 127.0.0.1 where, with a key file, the web UI has opened what is encrypted (without one: what is compressed, on another port where this one is taken)")
	t.encryption.Bind(fs)
	fs.BoolVar(&t.noUI, "no-ui", false, "run without the web UI")
	fs.BoolVar(&t.options.Verbose, "verbose", false, "log what Temporal does")
}

// defaultPort returns the port at which commands look for Temporal.
func defaultPort() int {
	_, port, err := net.SplitHostPort(connect.DefaultAddress)
	if err != nil {
		panic(err) // a constant of ours
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		panic(err)
	}
	return n
}

// Complete implements serve.Temporal.
func (t *ownTemporal) Complete() (err error) {
	switch {
	case t.noUI:
		t.options.UIPort = 0
	case t.options.UIPort == 0:
		return errors.New("--ui-port: want a port from 1 to 65535, got 0; --no-ui runs without the web UI")
	}
	if t.keys, err = t.encryption.Keys(); err != nil {
		return err
	}
	t.options.Codec = t.keys.Codec()
	switch {
	case t.noUI && !t.keys.Any():
		t.options.CodecPort = 0
	case !t.keys.Any(): // the UI has large payloads uncompressed, wherever there is room for that
		if t.options.CodecPort, err = freePort(t.options.CodecPort, t.options.Port, t.options.UIPort); err != nil {
			return err
		}
	case t.options.CodecPort == 0:
		return errors.New("--codec-port: want a port from 1 to 65535, got 0")
	}
	if err := t.options.Check(); err != nil {
		return err
	}
	if t.options.Dir == "" {
		if t.options.Dir, err = serve.StateDir(stateDir); err != nil {
			return err
		}
	}
	return serve.CheckStateDir("--state-dir", t.options.Dir)
}

// freePort returns a port of loopback that nobody listens on now: the wanted one, unless it is taken or
// one of those that others will have.
func freePort(wanted int, others ...int) (int, error) {
	if slices.Contains(others, wanted) {
		wanted = 0
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(wanted)))
	if err != nil && wanted != 0 {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Keys implements serve.Temporal.
func (t *ownTemporal) Keys() (*codec.Keys, error) { return t.keys, nil }

// Dial implements serve.Temporal: it starts the server and waits until it answers.
func (t *ownTemporal) Dial(ctx context.Context, logger *slog.Logger, change func(*client.Options)) (client.Client, error) {
	t.options.SearchAttributes = connect.SearchAttributes()
	var err error
	if t.server, err = server.Start(ctx, t.options); err != nil {
		return nil, err
	}
	o := client.Options{Logger: log.NewStructuredLogger(logger), Namespace: server.Namespace}
	t.keys.Use(&o)
	change(&o)
	c, err := t.server.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := connect.SetUI(ctx, c, server.Namespace, t.server.UIAddress()); err != nil {
		return nil, err // it would print the address of another run
	}
	fmt.Fprintf(t.tell, "Temporal     %s\nTemporal UI  %s\nDatabase     %s\n", t.server.Address(), cmp.Or(t.server.UIAddress(), "none"), t.options.Dir)
	if at := t.server.CodecAddress(); at != "" && t.keys.Any() {
		fmt.Fprintf(t.tell, "Codec        %s\n", at)
	}
	return c, nil
}

// Stop implements serve.Temporal.
func (t *ownTemporal) Stop() {
	if t.server != nil {
		t.server.Stop()
	}
}
