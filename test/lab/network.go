package lab

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"text/template"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
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
//
// Where there is IPv6, each address has a twin that ends with it, 192.0.2.N that of
// 2001:db8::192.0.2.N, and each range one of as many addresses. A lab with IPv6 only has no
// IPv4 address but that of loopback, where etcd and the images are served.
const (
	maxReal     = 10
	insideLink  = "node0"
	secondLink  = "second0"
	betweenLink = "between0"
	apiPort     = 6443
)

type family = corev1.IPFamily

// apiIP returns the first node's address, wherever it is asked for.
func (c Cluster) apiIP() net.IP { return address(c.first(), 192, 0, 2, byte(10+c.Index)) }

func (c Cluster) betweenIP(f family) net.IP {
	return address(f, 198, 51, 100, byte(10+c.Index))
}

// NodePortIP returns the address of a real node at which other clusters reach node ports.
func (c Cluster) NodePortIP() string { return c.betweenIP(c.first()).String() }

func (c Cluster) serviceIP(f family, n byte) net.IP {
	return address(f, 10, byte(100+c.Index%100), 0, n)
}
func (c Cluster) services(f family) *net.IPNet { return cidr(c.serviceIP(f, 0), 16) }
func (c Cluster) pods(f family) *net.IPNet {
	return cidr(address(f, 10, byte(200+c.Index%50), 0, 0), 16)
}
func (c Cluster) balancers(f family) *net.IPNet {
	return cidr(balancerIP(f, 16*c.Index), 28)
}
func (c Cluster) dnsIP() net.IP { return c.serviceIP(c.first(), 10) }

// balancerIP returns the address of a load balancer by its number.
func balancerIP(f family, n int) net.IP { return address(f, 203, 0, 113, byte(n)) }

// APIAddress says where the API server listens: on real nodes inside the cluster's
// own network, else on the machine's loopback.
func (c Cluster) APIAddress() string {
	if !c.Real {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port))
	}
	return net.JoinHostPort(c.apiIP().String(), strconv.Itoa(apiPort))
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
	for _, name := range []string{"lo", insideLink, betweenLink} {
		link, err := up(inside, name)
		if err != nil {
			return err
		}
		indexes[name] = link.Attrs().Index
	}
	for _, f := range c.Families {
		if err := l.addressNode(inside, c, f, indexes); err != nil {
			return err
		}
	}
	return nil
}

// addressNode gives a node its addresses and routes of one family.
func (l *Lab) addressNode(inside *netlink.Handle, c Cluster, f family, indexes map[string]int) error {
	for name, addr := range map[string]*net.IPNet{insideLink: cidr(c.insideIP(f), 32), betweenLink: cidr(c.betweenIP(f), 24)} {
		if err := addAddress(inside, indexes[name], addr); err != nil {
			return err
		}
	}
	// Without a route the API server could not even begin to reach a Service.
	routes := []netlink.Route{{LinkIndex: indexes[insideLink], Dst: c.services(f), Scope: netlink.SCOPE_LINK}}
	for _, other := range l.Clusters {
		if other.Name != c.Name {
			routes = append(routes, netlink.Route{LinkIndex: indexes[betweenLink], Dst: other.balancers(f), Gw: other.betweenIP(f)})
		}
	}
	for _, r := range routes {
		if err := inside.RouteAdd(&r); err != nil {
			return fmt.Errorf("route to %s: %w", r.Dst, err)
		}
	}
	return nil
}

// addAddress adds an address that can be used at once: nobody else has it, so that IPv6
// needs not ask the neighbours for a second.
func addAddress(on *netlink.Handle, link int, addr *net.IPNet) error {
	err := on.AddrAdd(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: link}}, &netlink.Addr{IPNet: addr, Flags: unix.IFA_F_NODAD})
	if err != nil {
		return fmt.Errorf("address %s: %w", addr, err)
	}
	return nil
}

// firewall lets nothing in from between but what is for a load balancer or a node port,
// also where somebody outside sets a route; what goes out takes the node's address.
// IPv6 finds its neighbours by ICMP, as IPv4 does by ARP, which passes here.
var firewall = template.Must(template.New("").Parse(`table inet lab {
	chain in {
		type filter hook prerouting priority mangle;
		iifname != "{{.Between}}" accept
		ct state established,related accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
{{- range .Families}}
		{{.IP}} daddr {{.Balancers}} accept
		{{.IP}} daddr {{.Node}} tcp dport 30000-32767 accept
{{- end}}
		drop
	}
	chain out {
		type nat hook postrouting priority srcnat;
{{- range .Families}}
		{{.IP}} saddr {{.Pods}} oifname "{{$.Between}}" masquerade
{{- end}}
	}
}
`))

// nftFamily spells a family as nft does.
var nftFamily = map[family]string{corev1.IPv4Protocol: "ip", corev1.IPv6Protocol: "ip6"}

// firewallOf fills the template for a cluster.
func firewallOf(c Cluster) (string, error) {
	var families []map[string]string
	for _, f := range c.Families {
		families = append(families, map[string]string{"IP": nftFamily[f], "Balancers": c.balancers(f).String(), "Pods": c.pods(f).String(), "Node": c.betweenIP(f).String()})
	}
	var text strings.Builder
	err := firewall.Execute(&text, map[string]any{"Between": betweenLink, "Families": families})
	return text.String(), err
}

func (l *Lab) guard(ctx context.Context, c Cluster) error {
	rules, err := firewallOf(c)
	if err != nil {
		return err
	}
	name, args := l.inside(c, "nft", "-f", "-")
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(rules)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("firewall of %s: %w: %s", c.Name, err, out.Bytes())
	}
	return nil
}

// inside turns a command line into one that runs in a cluster's namespaces and on its node's
// share of the processors, where it has a node.
func (l *Lab) inside(c Cluster, name string, args ...string) (string, []string) {
	if !c.Real {
		return name, args
	}
	return l.entering(c, "nsenter", append([]string{"--target", strconv.Itoa(c.pause()), "--mount", "--uts", "--ipc", "--net", "--pid", "--", name}, args...)...)
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
	name, args := l.inside(c, command, args...)
	return exec.CommandContext(ctx, name, args...)
}
