package lab

import (
	"net"
	"runtime"
	"strconv"

	"github.com/vishvananda/netns"
)

// Lend makes an address of this machine, such as a Temporal server's or another
// cluster's API server, reachable for the pods of a cluster with a real node, as
// a private network between them would. It is served at a port of the node's way
// out, until the listener that it returns is closed.
func (l *Lab) Lend(cluster string, port int, to string) (net.Listener, error) {
	c, err := l.cluster(cluster)
	if err != nil {
		return nil, err
	}
	listener, err := listenIn(c.Pause, net.JoinHostPort(c.NodePortIP(), strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	go forward(listener, to)
	return listener, nil
}

// listenIn listens in the network of another process: a socket stays in the
// network in which it was made.
func listenIn(pid int, address string) (net.Listener, error) {
	runtime.LockOSThread()
	own, err := netns.Get()
	if err != nil {
		return nil, err
	}
	defer own.Close()
	other, err := netns.GetFromPid(pid)
	if err != nil {
		return nil, err
	}
	defer other.Close()
	if err := netns.Set(other); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	// A thread that cannot go back stays locked, and ends with its goroutine.
	if back := netns.Set(own); back != nil {
		return nil, back
	}
	runtime.UnlockOSThread()
	return listener, err
}
