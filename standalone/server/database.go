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

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/headers"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	sqlpersistence "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The files in the state directory.
const (
	databaseFile = "temporal.db"
	versionFile  = "temporal.version"
	lockFile     = "lock"
)

// prepareDatabase makes the schema and the namespace where they are not there.
func prepareDatabase(o Options, cfg *config.Config) error {
	sql := cfg.Persistence.DataStores[storeName].SQL
	file := filepath.Join(o.Dir, databaseFile)
	if err := prepareSchema(file, sql); err != nil {
		return err
	}
	ns, err := sqlite.NewNamespaceConfig(clusterName, Namespace, false, o.SearchAttributes)
	if err != nil {
		return err
	}
	ns.Detail.Config.Retention = durationpb.New(Retention)
	if err := sqlite.CreateNamespaces(sql, ns); err != nil {
		return fmt.Errorf("make the namespace %s: %w", Namespace, err)
	}
	return forgetMembers(sql)
}

// prepareSchema makes the tables of a database that is not there, and notes which
// Temporal made them.
func prepareSchema(file string, sql *config.SQL) error {
	_, err := os.Stat(file)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at the database: %w", err)
	}
	// SQLite gives its write-ahead log the mode of the database, so that one has to be right from the start.
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	if err := sqlite.SetupSchema(sql); err != nil {
		_ = os.Remove(file) // a schema that is half there would never be finished
		return fmt.Errorf("set up the database %s: %w", file, err)
	}
	return os.WriteFile(filepath.Join(filepath.Dir(file), versionFile), []byte(headers.ServerVersion+"\n"), 0o600)
}

// forgetMembers removes what the last process wrote of itself: its ports are not
// ours, and a server that believes it alive sends it tasks for most of a minute.
func forgetMembers(cfg *config.SQL) error {
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
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another landbridge-standalone uses %s; stop it, or choose another --state-dir", dir)
	}
	return f, nil
}
