// Package listen takes the addresses on which Landbridge's programs listen. Each
// error names the flag, says what is wrong with the address and what to do.
package listen

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"syscall"
)

// maxPort bounds what TCP has a number for.
const maxPort = 1<<16 - 1

// CheckPort refuses a port that no program can be told to listen on.
func CheckPort(flag string, port int) error {
	if port < 1 || port > maxPort {
		return fmt.Errorf("%s: want a port from 1 to %d, got %d", flag, maxPort, port)
	}
	return nil
}

// CheckAddress refuses what is not host:port. Port 0 lets the kernel choose.
func CheckAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: want host:port, such as 127.0.0.1:9464, got %q", flag, address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > maxPort {
		return fmt.Errorf("%s: want a port from 0 to %d in %q, got %q", flag, maxPort, address, port)
	}
	return nil
}

// TCP takes an address for what the flag names.
func TCP(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is in use already (`%s` names the process): stop that process, or choose another port", flag, address, whoListens(address))
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: this user may not listen on %s: choose a port above 1023", flag, address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s: this machine does not have the address of %s: choose 127.0.0.1, or one that `ip address` shows", flag, address)
	}
	return nil, fmt.Errorf("%s: %w; choose another address", flag, err)
}

// CheckFree says whether an address could be taken just now, for a library that
// takes it by itself and panics where it cannot.
func CheckFree(flag, address string) error {
	l, err := TCP(flag, address)
	if err != nil {
		return err
	}
	return l.Close()
}

// whoListens returns the command that names the process behind a port.
func whoListens(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		port = address
	}
	if runtime.GOOS == "linux" {
		return fmt.Sprintf("ss -ltnp 'sport = :%s'", port)
	}
	return fmt.Sprintf("lsof -nP -iTCP:%s -sTCP:LISTEN", port)
}
