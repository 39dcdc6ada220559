package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// limit bounds every wait of these tests, on a machine that has other work too.
const limit = time.Minute

// output collects what a program prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// standalone runs the program as main does, inside the test.
type standalone struct {
	out  output
	end  context.CancelFunc
	code chan int
}

func start(args ...string) *standalone {
	ctx, cancel := context.WithCancel(context.Background())
	s := &standalone{end: cancel, code: make(chan int, 1)}
	go func() { s.code <- program(&ownTemporal{tell: &s.out}).Run(ctx, args, &s.out, &s.out) }()
	return s
}

func (s *standalone) exit(t *testing.T) int {
	t.Helper()
	select {
	case code := <-s.code:
		return code
	case <-time.After(limit):
		require.Fail(t, "it does not end", s.out.String())
		return -1
	}
}

func (s *standalone) says(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(s.out.String(), text) }, limit, 10*time.Millisecond, "%q in %s", text, &s.out)
}

// freePorts asks the kernel for ports that nobody has just now.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		ports = append(ports, port)
	}
	return ports
}
