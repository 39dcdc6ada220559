package lab

import (
	"net"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
)

// A second node has namespaces, a containerd, a kubelet and a kube-proxy of its own. The
// first one, which has the API server and the way out, routes for it.

// onSecondNode returns the cluster as its second node sees it.
func (c Cluster) onSecondNode() Cluster {
	c.onSecond = true
	return c
}

// nodes returns every node of the lab, each as its cluster seen from there.
func (l *Lab) nodes() (out []Cluster) {
	for _, c := range l.Clusters {
		out = append(out, c)
		if c.Second != nil {
			out = append(out, c.onSecondNode())
		}
	}
	return out
}

func (c Cluster) node() string {
	if c.onSecond {
		return c.Name + "-node-2"
	}
	return c.Name + "-node"
}

// process names a process of the cluster's.
func (c Cluster) process(name string) string {
	if c.onSecond {
		return c.Name + "-2-" + name
	}
	return c.Name + "-" + name
}

func (c Cluster) pause() int {
	if c.onSecond {
		return c.Second.Pause
	}
	return c.Pause
}

func (c Cluster) insideIP(f family) net.IP {
	if c.onSecond {
		return address(f, 192, 0, 2, byte(100+c.Index))
	}
	return address(f, 192, 0, 2, byte(10+c.Index))
}

// insideIPs writes the node's addresses, with commas.
func (c Cluster) insideIPs() string {
	var all []string
	for _, f := range c.Families {
		all = append(all, c.insideIP(f).String())
	}
	return strings.Join(all, ",")
}

// nodePods returns the addresses of the pods of one node.
func (c Cluster) nodePods(f family) *net.IPNet {
	all := c.pods(f)
	switch {
	case c.Second == nil:
		return all
	case c.onSecond:
		half := slices.Clone(all.IP)
		half[len(half)-2] = 128
		return cidr(half, 17)
	}
	return cidr(all.IP, 17)
}

// holdSecond starts the process that holds the namespaces of a second node.
func (l *Lab) holdSecond(c *Cluster, exe string) error {
	if err := l.startProcessWith(c.onSecondNode().node(), inNamespaces(holdFlags), nil, exe, "hold", "--dir", l.Dir, "--cluster", c.Name, "--second"); err != nil {
		return err
	}
	c.Second.Pause = l.last().PID
	return l.save()
}

// connectSecond connects a second node to the first one, and to the rest through it.
func connectSecond(c Cluster) error {
	if c.Second == nil {
		return nil
	}
	second := c.onSecondNode()
	there, err := handle(second.pause())
	if err != nil {
		return err
	}
	defer there.Close()
	here, err := handle(c.pause())
	if err != nil {
		return err
	}
	defer here.Close()
	if err := here.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: secondLink}, PeerName: insideLink, PeerNamespace: netlink.NsPid(second.pause())}); err != nil {
		return err
	}
	if _, err := up(there, "lo"); err != nil {
		return err
	}
	from, err := up(here, secondLink)
	if err != nil {
		return err
	}
	to, err := up(there, insideLink)
	if err != nil {
		return err
	}
	for _, f := range c.Families {
		if err := routeSecond(c, f, end{here, from.Attrs().Index}, end{there, to.Attrs().Index}); err != nil {
			return err
		}
	}
	return nil
}

// end holds a link and the node that has it.
type end struct {
	on   *netlink.Handle
	link int
}

// routeSecond gives the second node its address and both nodes their routes of one family.
func routeSecond(c Cluster, f family, here, there end) error {
	second := c.onSecondNode()
	if err := addAddress(there.on, there.link, cidr(second.insideIP(f), 32)); err != nil {
		return err
	}
	// IPv6 tells neighbours on a link of no address but those of that very link.
	if err := addAddress(here.on, here.link, cidr(c.insideIP(f), 32)); err != nil {
		return err
	}
	for _, r := range []struct {
		at    end
		route netlink.Route
	}{
		{here, netlink.Route{LinkIndex: here.link, Dst: cidr(second.insideIP(f), 32), Scope: netlink.SCOPE_LINK, Src: c.insideIP(f)}},
		{here, netlink.Route{LinkIndex: here.link, Dst: second.nodePods(f), Gw: second.insideIP(f), Src: c.insideIP(f)}},
		{there, netlink.Route{LinkIndex: there.link, Dst: cidr(c.insideIP(f), 32), Scope: netlink.SCOPE_LINK, Src: second.insideIP(f)}},
		{there, netlink.Route{LinkIndex: there.link, Gw: c.insideIP(f), Src: second.insideIP(f)}},
	} {
		if err := r.at.on.RouteAdd(&r.route); err != nil {
			return err
		}
	}
	return nil
}

// up sets a link up, and returns it.
func up(h *netlink.Handle, name string) (netlink.Link, error) {
	link, err := h.LinkByName(name)
	if err != nil {
		return nil, err
	}
	return link, h.LinkSetUp(link)
}
