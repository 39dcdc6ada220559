// Package server runs a whole Temporal server with its web UI in this process, on
// one SQLite file, for one machine: loopback only, since neither asks who calls.
package server

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/temporal"

	"github.com/landbridge/landbridge/internal/listen"
)

// Namespace names the only one that the server has.
const Namespace = client.DefaultNamespace

// Retention keeps a closed workflow's history: an auditor asks months later.
const Retention = 365 * 24 * time.Hour

// loopback names the only address on which anything here listens.
const loopback = "127.0.0.1"

// Options of a server.
type Options struct {
	// Dir keeps the database. It is made where it is not there.
	Dir string
	// Port of the gRPC frontend.
	Port int
	// UIPort of the web UI, or 0 for none.
	UIPort int
	// CodecPort of the endpoint that opens payloads for the UI, or 0 for none.
	CodecPort int
	// Codec opens what is encrypted, for that endpoint.
	Codec converter.PayloadCodec
	// SearchAttributes that the namespace has from its creation.
	SearchAttributes map[string]enumspb.IndexedValueType
	// Verbose logs what the server does, and not only what goes wrong.
	Verbose bool
}

// Check refuses ports that cannot be.
func (o Options) Check() error {
	if err := listen.CheckPort("--port", o.Port); err != nil {
		return err
	}
	if o.UIPort == 0 {
		return nil
	}
	if o.UIPort == o.Port {
		return fmt.Errorf("--ui-port: Temporal itself has port %d: choose another, or --no-ui", o.UIPort)
	}
	if err := listen.CheckPort("--ui-port", o.UIPort); err != nil || o.CodecPort == 0 {
		return err
	}
	if o.CodecPort == o.Port || o.CodecPort == o.UIPort {
		return fmt.Errorf("--codec-port: Temporal or its UI has port %d: choose another", o.CodecPort)
	}
	return listen.CheckPort("--codec-port", o.CodecPort)
}

// Server runs a Temporal in this process.
type Server struct {
	internal temporal.Server
	ui       *ui
	codec    *codecEndpoint
	lock     *os.File
	options  Options
}

// Start starts a server, which continues with what the database has. A port
// that is taken, a database in use or of another version is an error that says
// what to do.
func Start(ctx context.Context, o Options) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("--state-dir: %w: name a directory that this user may make and write", err)
	}
	held, err := lock(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{lock: held, options: o}
	if err := s.start(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	o := s.options
	// Temporal would panic.
	if err := listen.CheckFree("--port", address(o.Port)); err != nil {
		return err
	}
	if o.UIPort != 0 {
		if err := listen.CheckFree("--ui-port", address(o.UIPort)); err != nil {
			return err
		}
	}
	if o.codecURL() != "" {
		if err := listen.CheckFree("--codec-port", address(o.CodecPort)); err != nil {
			return err
		}
	}
	if err := checkVersion(o.Dir); err != nil {
		return err
	}
	cfg, err := serverConfig(o)
	if err != nil {
		return err
	}
	if err := prepareDatabase(o, cfg); err != nil {
		return err
	}
	if err := s.startTemporal(cfg); err != nil || o.UIPort == 0 {
		return err
	}
	if o.codecURL() != "" {
		if s.codec, err = startCodec(o); err != nil {
			return err
		}
	}
	s.ui, err = startUI(ctx, o)
	return err
}

func (s *Server) startTemporal(cfg *config.Config) error {
	level := "fatal"
	if s.options.Verbose {
		level = "info"
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Stdout: false, Level: level}))
	claims, err := authorization.GetClaimMapperFromConfig(&cfg.Global.Authorization, logger)
	if err != nil {
		return err
	}
	s.internal, err = temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return claims }),
		temporal.WithDynamicConfigClient(dynamicConfig()),
	)
	if err != nil {
		return fmt.Errorf("set up Temporal: %w", err)
	}
	if err := s.internal.Start(); err != nil {
		return fmt.Errorf("start Temporal: %w", err)
	}
	return nil
}

// Address returns the host:port of the frontend.
func (s *Server) Address() string { return address(s.options.Port) }

// UIAddress returns the URL of the web UI, or nothing where there is none.
func (s *Server) UIAddress() string {
	if s.options.UIPort == 0 {
		return ""
	}
	return "http://" + address(s.options.UIPort)
}

// CodecAddress returns the URL where the UI has payloads opened, or nothing.
func (s *Server) CodecAddress() string { return s.options.codecURL() }

// codecURL returns where the UI has payloads opened, or nothing where nobody looks.
func (o Options) codecURL() string {
	if o.UIPort == 0 || o.CodecPort == 0 {
		return ""
	}
	return "http://" + address(o.CodecPort)
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

// readyTimeout allows many times what a start takes.
const readyTimeout = 30 * time.Second

// Dial waits until the server answers, and connects to it.
func (s *Server) Dial(ctx context.Context, o client.Options) (c client.Client, err error) {
	o.HostPort, o.Namespace = s.Address(), Namespace
	err = untilReady(ctx, "the Temporal in this process", func(ctx context.Context) error {
		c, err = client.DialContext(ctx, o)
		return err
	})
	return c, err
}

// untilReady asks again and again until something that just started answers.
func untilReady(ctx context.Context, what string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("no answer within %s", readyTimeout))
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w (%v)", what, context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop stops the UI and the server. What was running continues with the next Start.
func (s *Server) Stop() {
	if s.ui != nil {
		s.ui.stop()
	}
	if s.codec != nil {
		s.codec.stop()
	}
	if s.internal != nil {
		_ = s.internal.Stop() // it has nothing to say that matters any more
	}
	if s.lock != nil {
		s.lock.Close()
	}
}
