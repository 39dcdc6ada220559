package kube

import (
	"os"
	"strconv"
	"time"
)

const (
	// idleBefore is how long nothing may come over a connection until it is asked whether it
	// still lives, and answerWithin how long that may take. Together they are well below
	// requestTimeout, so that client-go sends the request once more over another connection.
	// With its own 30 s and 15 s, a request that meets a connection which a NAT, a load balancer
	// or a firewall forgot fails, and so does the next one, which gets the same connection
	// (kubernetes/client-go#374).
	idleBefore   = 8 * time.Second
	answerWithin = 5 * time.Second
)

// client-go reads these when it makes a connection, and takes them from nowhere else. What the
// worker was started with stays.
func init() {
	for name, limit := range map[string]time.Duration{"HTTP2_READ_IDLE_TIMEOUT_SECONDS": idleBefore, "HTTP2_PING_TIMEOUT_SECONDS": answerWithin} {
		if os.Getenv(name) == "" {
			os.Setenv(name, strconv.Itoa(int(limit.Seconds())))
		}
	}
}
