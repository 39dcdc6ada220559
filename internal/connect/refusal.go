package connect

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
)

// NotThereError reports a Temporal that does not answer.
type NotThereError struct {
	Address string
	Cause   error
}

func (e *NotThereError) Error() string {
	return fmt.Sprintf("no Temporal answers at %s: start one with `landbridge-standalone`, or set TEMPORAL_ADDRESS or --address", e.Address)
}

func (e *NotThereError) Unwrap() error { return e.Cause }

// AddressError reports an address at which no Temporal can be: a mistake of whoever typed it.
type AddressError struct{ Address, Want string }

func (e *AddressError) Error() string {
	return fmt.Sprintf("--address or TEMPORAL_ADDRESS: want %s, got %q", e.Want, e.Address)
}

// maxPort bounds what TCP has a number for.
const maxPort = 1<<16 - 1

// checkAddress returns an *AddressError, or nil. What gRPC finds by other means (dns:///…) it
// finds itself.
func checkAddress(address string) error {
	if strings.Contains(address, "/") {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return &AddressError{address, "host:port, such as " + DefaultAddress}
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > maxPort {
		return &AddressError{address, fmt.Sprintf("a port from 1 to %d", maxPort)}
	}
	return nil
}

// RefusedError reports a Temporal that is there and lets nobody in, or to which no
// TLS session can be made.
type RefusedError struct {
	Address, Reason string
	Cause           error
}

func (e *RefusedError) Error() string { return fmt.Sprintf("Temporal at %s: %s", e.Address, e.Reason) }

func (e *RefusedError) Unwrap() error { return e.Cause }

// whyNot tells a Temporal that is not there from one that refuses. What gRPC says
// of a session that failed is only in its words; where the other side hangs up, it
// depends on who is quicker whether there are any.
func whyNot(o client.Options, err error) error {
	text := err.Error()
	_, tls, inHandshake := strings.Cut(text, "authentication handshake failed: ")
	tls = strings.Trim(tls, `"`)
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	refused := func(reason string) error { return &RefusedError{o.HostPort, reason, err} }
	hangsUp := says("error reading server preface", "connection reset by peer", "broken pipe", "malformed HTTP") || tls == "EOF"
	var denied *serviceerror.PermissionDenied
	switch {
	case errors.As(err, &denied), says("Unauthenticated", "PermissionDenied"):
		return refused("it refuses the API key or certificate (TEMPORAL_API_KEY, TEMPORAL_TLS_CLIENT_CERT_PATH, or the profile's)")
	case inHandshake && (hangsUp || says("first record does not look like a TLS handshake")):
		return refused("it speaks no TLS; leave TEMPORAL_TLS and TEMPORAL_API_KEY unset")
	case inHandshake:
		return refused("no TLS session: " + tls + "; look at TEMPORAL_TLS_SERVER_CA_CERT_PATH and TEMPORAL_TLS_SERVER_NAME")
	case says("tls: certificate required", "bad certificate", "unknown certificate authority"), hangsUp && o.ConnectionOptions.TLS != nil:
		return refused("it ends the TLS session; it seems to want a client certificate that it knows: set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH")
	case hangsUp:
		return refused("it speaks TLS, or is no Temporal; set TEMPORAL_TLS=true and what else it needs")
	}
	return &NotThereError{o.HostPort, err}
}
