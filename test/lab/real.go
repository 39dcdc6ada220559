package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// The kinds of nodes that a lab can have.
const (
	// NodesKWOK say that their pods run, and run nothing.
	NodesKWOK = "kwok"
	// NodesReal run containers. They need Linux and root.
	NodesReal = "real"
	// NodesAuto means real where that can be, else KWOK.
	NodesAuto = "auto"
)

// tools names the programs that a real node needs from the machine, with their
// packages in Debian.
var tools = map[string]string{"containerd": "containerd", "runc": "runc", "containerd-shim-runc-v2": "containerd", "nft": "nftables", "iptables": "iptables", "nsenter": "util-linux", "ldd": "libc-bin"}

// CheckReal says why this machine cannot have real nodes, and what to install.
func CheckReal() error {
	if os.Geteuid() != 0 {
		return errors.New("real nodes need root, for namespaces, mounts and cgroups")
	}
	var missing []string
	for tool, pkg := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, pkg)
		}
	}
	if _, err := cniPlugins(); err != nil {
		missing = append(missing, "containernetworking-plugins")
	}
	if len(missing) > 0 {
		return fmt.Errorf("real nodes need programs that are not here; on Debian: apt-get install %s", strings.Join(missing, " "))
	}
	probe := exec.Command("true")
	probe.SysProcAttr = inNamespaces(holdFlags)
	if err := probe.Run(); err != nil {
		return fmt.Errorf("real nodes need namespaces, and the kernel gives none here: %w", err)
	}
	_, err := hierarchies()
	return err
}

// cniPlugins finds the directory in which the machine has the reference plugins.
func cniPlugins() (string, error) {
	for _, dir := range []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"} {
		if isFile(filepath.Join(dir, "ptp")) && isFile(filepath.Join(dir, "host-local")) && isFile(filepath.Join(dir, "loopback")) {
			return dir, nil
		}
	}
	return "", fs.ErrNotExist
}

// chooseNodes decides what NodesAuto means here, and refuses what cannot be.
func (o *Options) chooseNodes(dir string) error {
	if o.Nodes == NodesKWOK {
		return nil
	}
	err := CheckReal()
	if err == nil && o.Clusters > maxReal {
		err = fmt.Errorf("a lab has room for %d clusters with real nodes, not %d", maxReal, o.Clusters)
	}
	if err == nil {
		err = o.checkLength(dir)
	}
	if err == nil {
		o.Nodes = NodesReal
		return nil
	}
	if o.Nodes == NodesReal {
		return err
	}
	o.Nodes = NodesKWOK
	o.Progress("KWOK nodes, which run no containers: %v", err)
	return nil
}

// startReal brings clusters with real nodes up to the point where pods run and
// names resolve.
func (l *Lab) startReal(ctx context.Context, o Options) error {
	o.Progress("making %d nodes: namespaces, networks between them, cgroups", len(l.nodes()))
	if err := l.makeCgroups(); err != nil {
		return err
	}
	between, err := l.holdBetween(o.Exe)
	if err != nil {
		return err
	}
	for i := range l.Clusters {
		if err := l.holdNode(&l.Clusters[i], o.Exe); err != nil {
			return err
		}
		if l.Clusters[i].Second != nil {
			if err := l.holdSecond(&l.Clusters[i], o.Exe); err != nil {
				return err
			}
		}
	}
	if err := l.connect(between); err != nil {
		return err
	}
	for _, c := range l.nodes() {
		if err := l.waitHeld(ctx, c); err != nil {
			return err
		}
	}
	for _, c := range l.Clusters {
		if err := l.guard(ctx, c); err != nil {
			return err
		}
	}
	o.Progress("starting etcd, kube-apiserver and containerd of each")
	for i := range l.Clusters {
		c := &l.Clusters[i]
		if err := l.startProcessIn(*c, "etcd", "/etcd", etcdArgs(c.Name, l.path("etcd", c.Name), "http://127.0.0.1:2379", "http://127.0.0.1:2380")...); err != nil {
			return err
		}
		if err := l.startAPIServer(c, "http://127.0.0.1:2379"); err != nil {
			return err
		}
	}
	for _, c := range l.nodes() {
		if err := l.startContainerd(c); err != nil {
			return err
		}
	}
	group, gctx := errgroup.WithContext(ctx)
	for _, c := range l.Clusters {
		group.Go(func() error {
			if err := l.waitAPIServer(gctx, c); err != nil {
				return err
			}
			return l.createPlatformObjects(gctx, c)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	o.Progress("starting controllers, kubelet and kube-proxy of each")
	for _, c := range l.Clusters {
		if err := l.startControllers(c); err != nil {
			return err
		}
	}
	for _, c := range l.nodes() {
		if err := l.startNode(c); err != nil {
			return err
		}
		if err := l.startNetworkPolicies(c, o.Exe); err != nil {
			return err
		}
	}
	group, gctx = errgroup.WithContext(ctx)
	for _, c := range l.Clusters {
		group.Go(func() error { return l.installDNS(gctx, c) })
	}
	return group.Wait()
}

// holdBetween starts the process that holds the network between the clusters.
func (l *Lab) holdBetween(exe string) (int, error) {
	if err := l.startProcessWith("network", inNamespaces(syscall.CLONE_NEWNET), nil, exe, "hold", "--dir", l.Dir); err != nil {
		return 0, err
	}
	return l.last().PID, nil
}

// holdNode starts the process that holds a node's namespaces. It gets a listener
// on the machine's loopback, which keeps belonging to the machine's network.
func (l *Lab) holdNode(c *Cluster, exe string) error {
	if err := os.MkdirAll(l.nodeDir(*c), 0o700); err != nil {
		return err
	}
	if err := os.MkdirAll(l.path("etcd", c.Name), 0o700); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	c.Port = listener.Addr().(*net.TCPAddr).Port
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	defer file.Close()
	if err := l.startProcessWith(c.node(), inNamespaces(holdFlags), []*os.File{file}, exe, "hold", "--dir", l.Dir, "--cluster", c.Name); err != nil {
		return err
	}
	c.Pause = l.last().PID
	return l.save()
}

func (l *Lab) last() Process { return l.Processes[len(l.Processes)-1] }

// waitHeld waits until a node's namespaces are ready to be entered. The mark is on
// the node's own file system, which is seen through its pause process.
func (l *Lab) waitHeld(ctx context.Context, c Cluster) error {
	mark := fmt.Sprintf("/proc/%d/root%s", c.pause(), l.heldMark(c))
	err := until(ctx, readyTimeout, 20*time.Millisecond, func(context.Context) (bool, error) {
		_, err := os.Stat(mark)
		return err == nil || !l.alive(c.node()), err
	})
	if err != nil {
		return fmt.Errorf("the node of %s is not ready:\n%s", c.Name, l.logTail(c.node()))
	}
	return nil
}

func (l *Lab) alive(process string) bool {
	for _, p := range l.Processes {
		if p.Name == process {
			return p.Alive()
		}
	}
	return false
}

func (l *Lab) logTail(process string) string {
	data, err := os.ReadFile(l.path("logs", process+".log"))
	if err != nil {
		return err.Error()
	}
	return tail(string(data))
}

// longestDir limits the path of a lab with real nodes: a kubelet has sockets below it, such as
// nodes/CLUSTER/kubelet/pod-resources/1593482441, and Linux takes paths of 107 bytes for them.
const longestDir = 107 - len("/nodes/") - len("/kubelet/pod-resources/1593482441")

// checkLength refuses a directory that is too deep for real nodes: they would not get ready.
func (o *Options) checkLength(dir string) error {
	longest := longestDir
	for i := range o.Clusters {
		longest = min(longest, longestDir-len(ClusterName(i)))
	}
	if len(dir) > longest {
		return fmt.Errorf("the sockets of real nodes are below %s, whose path has %d bytes, and %d are the most: choose a shorter one", dir, len(dir), longest)
	}
	return nil
}
