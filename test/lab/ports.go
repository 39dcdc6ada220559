package lab

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are taken below those that kernels give to outgoing connections, from
// 32768 on: none of these takes one between the moment when it is found free and
// the moment when something listens there.
const firstPort, lastPort = 20000, 32000

// FreePort finds a port of 127.0.0.1 on which nothing listens.
func FreePort() (int, error) {
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no port of 127.0.0.1 between %d and %d is free", firstPort, lastPort)
}
