package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A real node is a process that holds namespaces (mounts, processes, network,
// host name, IPC), as a container would, without a container runtime around it.
// Everything of its cluster runs inside. When the pause process ends, the kernel ends
// every process in there and drops every mount and device: nothing has to be
// remembered to remove a cluster, also after a kill of the lab itself.

// holdFlags name the namespaces of a node.
const holdFlags = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// machineSysctls lists values that kubelet writes and that no namespace keeps
// apart. A node sees files of its own in their places, so that the machine's
// stay as they are.
var machineSysctls = map[string]string{
	"kernel/panic": "10", "kernel/panic_on_oops": "1", "vm/overcommit_memory": "1", "vm/panic_on_oom": "0",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// nodeSysctls set up the node's own network. What IPv6 asks the neighbours before it uses an
// address would hold up each pod.
var nodeSysctls = map[string]string{"net/ipv4/ip_forward": "1", "net/ipv4/conf/all/rp_filter": "0",
	"net/ipv6/conf/all/forwarding": "1", "net/ipv6/conf/default/accept_dad": "0"}

// apiListener numbers the file descriptor of the listener that Hold was given.
const apiListener = 3

// Hold does the work of a node's pause process: it prepares the namespaces that it was
// started in, lends its cluster's API server a port on the machine's loopback,
// serves images, and reaps. It returns when the context ends.
func (l *Lab) Hold(ctx context.Context, cluster string, second bool) error {
	c, err := l.cluster(cluster)
	if err != nil {
		return err
	}
	c.onSecond = second
	if err := mountNode(l.Dir, l.nodeDir(c), c.dnsIP()); err != nil {
		return fmt.Errorf("mounts of %s: %w", cluster, err)
	}
	if err := unix.Sethostname([]byte(c.node())); err != nil {
		return err
	}
	for name, value := range nodeSysctls {
		if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0); err != nil {
			return err
		}
	}
	if !second {
		listener, err := net.FileListener(os.NewFile(apiListener, "api"))
		if err != nil {
			return err
		}
		go forward(listener, c.APIAddress())
	}
	// The address is there as soon as the network is set up from outside.
	local, err := listenWhenUp(ctx, registryAddress)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: registry{l.path(loadedDir), imagesDir(l.Bin)}, ReadHeaderTimeout: 10 * time.Second}
	go func() { log.Print(server.Serve(local)) }()
	if err := os.WriteFile(l.heldMark(c), nil, 0o600); err != nil {
		return err
	}
	reap(ctx)
	return nil
}

// nodesDir has a directory for each cluster, on which each of its nodes mounts a file
// system of its own: what runs on every node finds the same paths.
const nodesDir = "nodes"

// mountNode gives the node its own /proc, /run and places below /var, the
// cluster's names, and a file system in memory for images and containers. What
// the machine has below /var stays readable: the lab itself may be there.
func mountNode(labDir, dir string, dnsIP net.IP) error {
	lab, err := os.Open(labDir)
	if err != nil {
		return err
	}
	defer lab.Close()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	// What must outlive the overlays goes below the node's own file system.
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}
	mounts := []struct{ source, target, typ, data string }{
		{"proc", "/proc", "proc", ""},
		{"tmpfs", "/run", "tmpfs", "mode=0755"},
	}
	for _, over := range []string{"/var/lib", "/var/log"} {
		name := strings.ReplaceAll(over[1:], "/", "-")
		upper, work := filepath.Join(dir, "over", name), filepath.Join(dir, "work", name)
		for _, d := range []string{upper, work} {
			if err := os.MkdirAll(d, 0o755); err != nil {
				return err
			}
		}
		mounts = append(mounts, struct{ source, target, typ, data string }{"overlay", over, "overlay",
			fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", over, upper, work)})
	}
	for _, m := range mounts {
		if err := unix.Mount(m.source, m.target, m.typ, 0, m.data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.typ, m.target, err)
		}
	}
	// A lab that is itself below /var must be seen as it is.
	if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", lab.Fd()), labDir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", labDir, err)
	}
	if err := bindFile(filepath.Join(dir, "resolv.conf"), "nameserver "+dnsIP.String()+"\nsearch svc.cluster.local cluster.local\n", "/etc/resolv.conf"); err != nil {
		return err
	}
	// Not every machine has the second name, by which a runtime looks for a pod's loopback.
	if err := bindFile(filepath.Join(dir, "hosts"), "127.0.0.1 localhost\n::1 localhost\n", "/etc/hosts"); err != nil {
		return err
	}
	for name, value := range machineSysctls {
		if err := bindFile(filepath.Join(dir, strings.ReplaceAll(name, "/", ".")), value+"\n", "/proc/sys/"+name); err != nil {
			return err
		}
	}
	return nil
}

// bindFile puts a file of the node's own in the place of another one.
func bindFile(own, content, target string) error {
	if err := os.WriteFile(own, []byte(content), 0o644); err != nil {
		return err
	}
	if err := unix.Mount(own, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s: %w", target, err)
	}
	return nil
}

// forward lends an address inside the node to a listener outside.
func forward(listener net.Listener, to string) {
	for {
		out, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer out.Close()
			in, err := net.DialTimeout("tcp", to, 10*time.Second)
			if err != nil {
				return // not up yet; the client sees its connection close
			}
			defer in.Close()
			done := make(chan struct{}, 2)
			for _, d := range [][2]net.Conn{{in, out}, {out, in}} {
				go func() {
					_, _ = io.Copy(d[0], d[1])
					_ = d[0].(*net.TCPConn).CloseWrite()
					done <- struct{}{}
				}()
			}
			<-done
			<-done
		}()
	}
}

func listenWhenUp(ctx context.Context, addr string) (net.Listener, error) {
	var l net.Listener
	err := until(ctx, readyTimeout, 20*time.Millisecond, func(context.Context) (bool, error) {
		var err error
		l, err = net.Listen("tcp", addr)
		return err == nil, err
	})
	return l, err
}

// reap does the duty of the first process: whoever is orphaned becomes its child.
func reap(ctx context.Context) {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		select {
		case <-ctx.Done():
			return
		case <-children:
			for {
				pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
				if pid <= 0 && !errors.Is(err, syscall.EINTR) {
					break
				}
			}
		}
	}
}
