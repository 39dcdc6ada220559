package lab

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// The networks of a lab with real nodes use the ranges that are reserved for
// documentation. Every cluster is a network of its own; between them is one that
// stands for the internet, on which only load balancers' addresses are served:
//
//	192.0.2.N        the node of cluster N, and its API server: inside only
//	192.0.2.(100+N)  its second node, if it has one, which reaches all through the first
//	10.(100+N)/16    its Services       10.(200+N)/16  its pods, half on each node: inside only
//	198.51.100.N     its way out, where node ports answer
//	203.0.113.16N/28 its load balancers
const (
	maxReal     = 10
	insideLink  = "node0"
	secondLink  = "second0"
	betweenLink = "between0"
	apiPort     = 6443
)

func (c Cluster) apiIP() net.IP     { return net.IPv4(192, 0, 2, byte(10+c.Index)) }
func (c Cluster) betweenIP() net.IP { return net.IPv4(198, 51, 100, byte(10+c.Index)) }

// NodePortIP returns the address of a real node at which other clusters reach node ports.
func (c Cluster) NodePortIP() string { return c.betweenIP().String() }

func (c Cluster) serviceIP(n byte) net.IP { return net.IPv4(10, byte(100+c.Index%100), 0, n) }
func (c Cluster) services() *net.IPNet    { return cidr(c.serviceIP(0), 16) }
func (c Cluster) pods() *net.IPNet        { return cidr(net.IPv4(10, byte(200+c.Index%50), 0, 0), 16) }
func (c Cluster) balancers() *net.IPNet   { return cidr(net.IPv4(203, 0, 113, byte(16*c.Index)), 28) }
func (c Cluster) dnsIP() net.IP           { return c.serviceIP(10) }

// APIAddress says where the API server listens: on real nodes inside the cluster's
// own network, else on the machine's loopback.
func (c Cluster) APIAddress() string {
	if !c.Real {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port))
	}
	return net.JoinHostPort(c.apiIP().String(), strconv.Itoa(apiPort))
}

func cidr(ip net.IP, ones int) *net.IPNet {
	return &net.IPNet{IP: ip.To4(), Mask: net.CIDRMask(ones, 32)}
}

// connect builds the network between the clusters and every cluster's own. The
// bridge is in a network of its own, which the process between holds.
func (l *Lab) connect(between int) error {
	outside, err := handle(between)
	if err != nil {
		return err
	}
	defer outside.Close()
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0"}}
	if err := outside.LinkAdd(bridge); err != nil {
		return err
	}
	if err := outside.LinkSetUp(bridge); err != nil {
		return err
	}
	for _, c := range l.Clusters {
		if err := l.connectNode(outside, bridge, c); err != nil {
			return fmt.Errorf("network of %s: %w", c.Name, err)
		}
		if err := connectSecond(c); err != nil {
			return fmt.Errorf("network of %s: %w", c.onSecondNode().node(), err)
		}
	}
	return nil
}

func handle(pid int) (*netlink.Handle, error) {
	ns, err := netns.GetFromPid(pid)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	return netlink.NewHandleAt(ns)
}

func (l *Lab) connectNode(outside *netlink.Handle, bridge netlink.Link, c Cluster) error {
	inside, err := handle(c.Pause)
	if err != nil {
		return err
	}
	defer inside.Close()
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: c.Name, MasterIndex: bridge.Attrs().Index}, PeerName: betweenLink, PeerNamespace: netlink.NsPid(c.Pause)}
	if err := outside.LinkAdd(veth); err != nil {
		return err
	}
	if err := outside.LinkSetUp(veth); err != nil {
		return err
	}
	// A bridge without ports, since not every kernel has dummy devices.
	if err := inside.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: insideLink}}); err != nil {
		return err
	}
	indexes := map[string]int{}
	for name, addr := range map[string]*net.IPNet{"lo": nil, insideLink: cidr(c.insideIP(), 32), betweenLink: cidr(c.betweenIP(), 24)} {
		link, err := inside.LinkByName(name)
		if err != nil {
			return err
		}
		indexes[name] = link.Attrs().Index
		if addr != nil {
			if err := inside.AddrAdd(link, &netlink.Addr{IPNet: addr}); err != nil {
				return err
			}
		}
		if err := inside.LinkSetUp(link); err != nil {
			return err
		}
	}
	// Without a route the API server could not even begin to reach a Service.
	routes := []netlink.Route{{LinkIndex: indexes[insideLink], Dst: c.services(), Scope: netlink.SCOPE_LINK}}
	for _, other := range l.Clusters {
		if other.Name != c.Name {
			routes = append(routes, netlink.Route{LinkIndex: indexes[betweenLink], Dst: other.balancers(), Gw: other.betweenIP()})
		}
	}
	for _, r := range routes {
		if err := inside.RouteAdd(&r); err != nil {
			return err
		}
	}
	return nil
}

// firewall lets nothing in from between but what is for a load balancer or a node port,
// also where somebody outside sets a route; what goes out takes the node's address.
const firewall = `table inet lab {
	chain in {
		type filter hook prerouting priority mangle;
		iifname != %[1]q accept
		ct state established,related accept
		ip daddr %[2]s accept
		ip daddr %[4]s tcp dport 30000-32767 accept
		drop
	}
	chain out {
		type nat hook postrouting priority srcnat;
		ip saddr %[3]s oifname %[1]q masquerade
	}
}
`

func (l *Lab) guard(ctx context.Context, c Cluster) error {
	name, args := inside(c, "nft", "-f", "-")
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(fmt.Sprintf(firewall, betweenLink, c.balancers(), c.pods(), c.betweenIP()))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("firewall of %s: %w: %s", c.Name, err, out.Bytes())
	}
	return nil
}

// inside turns a command line into one that runs in a cluster's namespaces, where
// it has some.
func inside(c Cluster, name string, args ...string) (string, []string) {
	if !c.Real {
		return name, args
	}
	return "nsenter", append([]string{"--target", strconv.Itoa(c.pause()), "--mount", "--uts", "--ipc", "--net", "--pid", "--", name}, args...)
}

// InNode makes a command that runs in the namespaces of a cluster's real node. A
// name without a slash that the lab built is the lab's.
func (l *Lab) InNode(ctx context.Context, cluster, command string, args ...string) *exec.Cmd {
	c, err := l.cluster(cluster)
	if err != nil {
		return &exec.Cmd{Err: err}
	}
	if built := l.Bin + "/" + command; isFile(built) {
		command = built
	}
	name, args := inside(c, command, args...)
	return exec.CommandContext(ctx, name, args...)
}
