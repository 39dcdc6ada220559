package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

//go:embed temporal.yaml
var temporalConfig string

// backend runs a Temporal server on PostgreSQL, as docker-compose.yaml has it.
type backend struct {
	dir, bins        string
	postgres, server *service
	// Ports holds the ports of the configuration by name, all on loopback.
	Ports map[string]int
}

// postgresBin finds Debian's newest PostgreSQL, which is not in the PATH.
func postgresBin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed (apt-get install postgresql)")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// newBackend creates a database and starts both.
func newBackend(ctx context.Context, dir, bins string) (*backend, error) {
	pg, err := postgresBin()
	if err != nil {
		return nil, err
	}
	b := &backend{dir: dir, bins: bins, Ports: map[string]int{}}
	for _, name := range []string{"postgres", "frontend", "frontendMember", "frontendHTTP", "matching", "matchingMember", "history", "historyMember", "worker", "workerMember"} {
		if b.Ports[name], err = lowPort(); err != nil {
			return nil, err
		}
	}
	as, err := notRoot(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(pg, "initdb"), "-D", data, "-U", "temporal", "-A", "trust", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	b.postgres = startService("postgres", dir, func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(pg, "postgres"), "-D", data, "-p", strconv.Itoa(b.Ports["postgres"]), "-h", "127.0.0.1", "-k", dir)
		cmd.Dir = dir
		if as != nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as.Credential}
		}
		return cmd
	})
	if err := b.schema(ctx); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "temporal.yaml")
	var text strings.Builder
	if err := template.Must(template.New("").Parse(temporalConfig)).Execute(&text, b); err != nil {
		return nil, err
	}
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	b.server = startService("temporal-server", dir, func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(bins, "temporal-server"), "--config-file", config, "--allow-no-auth", "start")
		cmd.Dir = dir
		return cmd
	})
	return b, b.namespace(ctx)
}

// notRoot returns the user that PostgreSQL runs as, since it refuses root. That user gets
// the directory.
func notRoot(dir string) (*syscall.SysProcAttr, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	for d := filepath.Dir(dir); d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o711); err != nil { // may be passed, but not listed
			return nil, err
		}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(dir, uid, gid)
}

// schema creates Temporal's two databases.
func (b *backend) schema(ctx context.Context) error {
	tool := func(db string, args ...string) error {
		base := []string{"--plugin", "postgres12", "--ep", "127.0.0.1", "-p", strconv.Itoa(b.Ports["postgres"]), "-u", "temporal", "--db", db}
		out, err := exec.CommandContext(ctx, filepath.Join(b.bins, "temporal-sql-tool"), append(base, args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("temporal-sql-tool: %w\n%s", err, out)
		}
		return nil
	}
	for db, schema := range map[string]string{"temporal": "temporal", "temporal_visibility": "visibility"} {
		if err := until(ctx, 30*time.Second, func() error { return tool(db, "create-database") }); err != nil {
			return err
		}
		if err := tool(db, "setup-schema", "-v", "0.0"); err != nil {
			return err
		}
		if err := tool(db, "update-schema", "--schema-name", "postgresql/v12/"+schema); err != nil {
			return err
		}
	}
	return nil
}

// lowPort returns a free port below 32768: Temporal's PostgreSQL schema keeps the ports
// of its members in a smallint, and the kernel would choose a higher one.
func lowPort() (int, error) {
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			defer l.Close()
			return l.Addr().(*net.TCPAddr).Port, nil
		}
	}
	return 0, errors.New("no port between 20000 and 32000 is free")
}

func (b *backend) address() string { return fmt.Sprintf("127.0.0.1:%d", b.Ports["frontend"]) }

// namespace waits for the server and creates the default namespace.
func (b *backend) namespace(ctx context.Context) error {
	return until(ctx, time.Minute, func() error {
		c, err := client.NewNamespaceClient(client.Options{HostPort: b.address(), Logger: quiet{}})
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err = c.Describe(ctx, "default"); err == nil {
			return nil
		}
		if err := c.Register(ctx, &workflowservice.RegisterNamespaceRequest{Namespace: "default", WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour)}); err != nil {
			return err
		}
		return errors.New("the namespace was just registered")
	})
}

func (b *backend) stop() {
	for _, s := range []*service{b.server, b.postgres} {
		if s != nil {
			s.stop()
		}
	}
}
