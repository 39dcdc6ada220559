// Package server is a whole Temporal server with its web UI in this process, on
// one SQLite file, for one machine: loopback only, since neither asks who calls.
package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	sqlpersistence "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema/sqlite"
	"go.temporal.io/server/temporal"
	"google.golang.org/protobuf/types/known/durationpb"

	commonconfig "go.temporal.io/server/common/config"
)

// Namespace is the one that the server has.
const Namespace = "default"

// Retention is how long a closed workflow's history stays: an auditor asks
// months later.
const Retention = 365 * 24 * time.Hour

// Options of a server.
type Options struct {
	// Dir keeps the database. It is made where it is not there.
	Dir string
	// Port of the gRPC frontend on 127.0.0.1.
	Port int
	// UIPort of the web UI on 127.0.0.1, or 0 for none.
	UIPort int
	// SearchAttributes that the namespace has from its creation.
	SearchAttributes map[string]enumspb.IndexedValueType
	// Verbose logs what the server does, and not only what goes wrong.
	Verbose bool
}

// Server is one that runs.
type Server struct {
	internal temporal.Server
	ui       *ui
	lock     *os.File
	options  Options
}

// Start starts a server, which continues with what the database has. A port
// that is taken, a database in use or of another version is an error that says
// what to do.
func Start(o Options) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	held, err := lock(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{lock: held, options: o}
	if err := s.start(); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) start() error {
	o := s.options
	if err := checkPort(o.Port, "--port", "another Temporal, perhaps"); err != nil {
		return err
	}
	if o.UIPort != 0 {
		if err := checkPort(o.UIPort, "--ui-port", "another Temporal UI, perhaps"); err != nil {
			return err
		}
	}
	if err := checkVersion(o.Dir); err != nil {
		return err
	}
	level := "fatal"
	if o.Verbose {
		level = "info"
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Stdout: false, Level: level}))
	cfg, err := serverConfig(o)
	if err != nil {
		return err
	}
	if err := prepareDatabase(o, cfg); err != nil {
		return err
	}
	claims, err := authorization.GetClaimMapperFromConfig(&cfg.Global.Authorization, logger)
	if err != nil {
		return err
	}
	s.internal, err = temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*commonconfig.Config) authorization.ClaimMapper { return claims }),
		temporal.WithDynamicConfigClient(dynamicConfig()),
	)
	if err != nil {
		return fmt.Errorf("set up Temporal: %w", err)
	}
	if err := s.internal.Start(); err != nil {
		return fmt.Errorf("start Temporal: %w", err)
	}
	if o.UIPort != 0 {
		if s.ui, err = startUI(o); err != nil {
			return err
		}
	}
	return nil
}

// Address of the frontend.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.options.Port) }

// UIAddress is the URL of the web UI, or empty.
func (s *Server) UIAddress() string {
	if s.options.UIPort == 0 {
		return ""
	}
	return fmt.Sprintf("http://127.0.0.1:%d", s.options.UIPort)
}

// readyTimeout is many times what a start takes.
const readyTimeout = 30 * time.Second

// Dial waits until the server answers, and connects to it.
func (s *Server) Dial(ctx context.Context, o client.Options) (client.Client, error) {
	o.HostPort, o.Namespace = s.Address(), Namespace
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		c, err := client.DialContext(ctx, o)
		if err == nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the Temporal in this process does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop stops the UI and the server. What was running continues with the next Start.
func (s *Server) Stop() {
	if s.ui != nil {
		s.ui.stop()
	}
	if s.internal != nil {
		_ = s.internal.Stop() // it has nothing to say that matters any more
	}
	if s.lock != nil {
		s.lock.Close()
	}
}

// prepareDatabase makes the schema and the namespace where they are not there.
func prepareDatabase(o Options, cfg *commonconfig.Config) error {
	sql := cfg.Persistence.DataStores[storeName].SQL
	file := filepath.Join(o.Dir, databaseFile)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := sqlite.SetupSchema(sql); err != nil {
			_ = os.Remove(file) // a schema that is half there would never be finished
			return fmt.Errorf("set up the database %s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(o.Dir, versionFile), []byte(headers.ServerVersion+"\n"), 0o600); err != nil {
			return err
		}
	} else if err != nil {
		return fmt.Errorf("look at the database: %w", err)
	}
	ns, err := sqlite.NewNamespaceConfig(clusterName, Namespace, false, o.SearchAttributes)
	if err != nil {
		return err
	}
	ns.Detail.Config.Retention = durationpb.New(Retention)
	if err := sqlite.CreateNamespaces(sql, ns); err != nil {
		return fmt.Errorf("make the namespace %s: %w", Namespace, err)
	}
	if err := forgetMembers(sql); err != nil {
		return err
	}
	return os.Chmod(file, 0o600)
}

// forgetMembers removes what the last process wrote of itself: its ports are not
// ours, and a server that believes it alive sends it tasks for most of a minute.
func forgetMembers(cfg *commonconfig.SQL) error {
	db, err := sqlpersistence.NewSQLDB(sqlplugin.DbKindMain, cfg, resolver.NewNoopResolver(), log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer db.Close()
	const century = 100 * 365 * 24 * time.Hour // all rows end before
	if _, err := db.PruneClusterMembership(context.Background(), &sqlplugin.PruneClusterMembershipFilter{PruneRecordsBefore: time.Now().Add(century)}); err != nil {
		return fmt.Errorf("forget the last process's members: %w", err)
	}
	return nil
}

// checkVersion refuses a database of another Temporal: SQLite's schema is not
// migrated.
func checkVersion(dir string) error {
	have, err := os.ReadFile(filepath.Join(dir, versionFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if v := strings.TrimSpace(string(have)); v != headers.ServerVersion {
		return fmt.Errorf("the database in %s is of Temporal %s, this is %s, and SQLite databases are not migrated: finish with the landbridge-standalone that made it, or start afresh with another --state-dir (the clusters remember their fleet)", dir, v, headers.ServerVersion)
	}
	return nil
}

// lock keeps a second process from the same database.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another landbridge-standalone uses %s; stop it, or choose another --state-dir", dir)
	}
	return f, nil
}
