package front

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	health_v1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

const (
	calls  = 1000
	atOnce = 64
)

// A refusal arrives as it left the server, however busy the machine is. With a
// FlushInterval in the front, 5 to 22 of these 1,000 were lost: "server closed the
// stream without sending trailers".
func TestFront_BusyMachine_EveryStatusArrives(t *testing.T) {
	client := health_v1.NewHealthClient(dial(t))
	defer keepBusy()()
	var group errgroup.Group
	group.SetLimit(atOnce)
	var lost atomic.Int32
	for range calls {
		group.Go(func() error {
			if _, err := client.Check(t.Context(), &health_v1.HealthCheckRequest{}); err != nil {
				return err
			}
			_, err := client.Check(t.Context(), &health_v1.HealthCheckRequest{Service: "nobody"})
			if status.Code(err) != codes.NotFound {
				lost.Add(1)
				t.Log(err)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.Zero(t, lost.Load(), "of %d", calls)
}

// dial connects through a front to a gRPC server that knows its own health only.
func dial(t *testing.T) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	health_v1.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	address, dir := Start(t, listener.Addr().String())
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(ca))
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "client.pem"), filepath.Join(dir, "client.key"))
	require.NoError(t, err)
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}})))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// keepBusy occupies every core until the returned function is called.
func keepBusy() (stop func()) {
	var stopped atomic.Bool
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for !stopped.Load() {
			}
		}()
	}
	return func() { stopped.Store(true) }
}
