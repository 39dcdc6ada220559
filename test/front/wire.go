package front

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Wire carries TCP connections to an address. While it is cut, what is sent is neither
// refused nor delivered, as in a network that is partitioned; after Heal it arrives.
type Wire struct {
	// Address takes the connections.
	Address string

	mu     sync.Mutex
	healed *sync.Cond
	cut    bool
}

// Through returns a wire on loopback to an address, until the test ends.
func Through(t testing.TB, to string) *Wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &Wire{Address: l.Addr().String()}
	w.healed = sync.NewCond(&w.mu)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(ctx, near, to)
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		w.Heal()
	})
	return w
}

// carry joins two connections until one of them ends, or the wire does.
func (w *Wire) carry(ctx context.Context, near net.Conn, to string) {
	far, err := (&net.Dialer{}).DialContext(ctx, "tcp", to)
	if err != nil {
		_ = near.Close()
		return
	}
	end := context.AfterFunc(ctx, func() { _, _ = near.Close(), far.Close() })
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], held{way[1], w})
			_, _ = near.Close(), far.Close()
		})
	}
	both.Wait()
	end()
}

// held hands on what it read once the wire is whole.
type held struct {
	net.Conn
	wire *Wire
}

// Read implements io.Reader.
func (h held) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	h.wire.mu.Lock()
	defer h.wire.mu.Unlock()
	for h.wire.cut {
		h.wire.healed.Wait()
	}
	return n, err
}

// Cut stops everything on the wire.
func (w *Wire) Cut() { w.set(true) }

// Heal lets everything go on.
func (w *Wire) Heal() { w.set(false) }

func (w *Wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	w.healed.Broadcast()
}
