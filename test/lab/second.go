package lab

import (
	"net"

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

func (c Cluster) insideIP() net.IP {
	if c.onSecond {
		return net.IPv4(192, 0, 2, byte(100+c.Index))
	}
	return c.apiIP()
}

// nodePods returns the addresses of the pods of one node.
func (c Cluster) nodePods() *net.IPNet {
	all := c.pods()
	switch {
	case c.Second == nil:
		return all
	case c.onSecond:
		half := append(net.IP{}, all.IP...)
		half[2] = 128
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
	if err := there.AddrAdd(to, &netlink.Addr{IPNet: cidr(second.insideIP(), 32)}); err != nil {
		return err
	}
	for _, r := range []struct {
		on    *netlink.Handle
		route netlink.Route
	}{
		{here, netlink.Route{LinkIndex: from.Attrs().Index, Dst: cidr(second.insideIP(), 32), Scope: netlink.SCOPE_LINK, Src: c.insideIP()}},
		{here, netlink.Route{LinkIndex: from.Attrs().Index, Dst: second.nodePods(), Gw: second.insideIP(), Src: c.insideIP()}},
		{there, netlink.Route{LinkIndex: to.Attrs().Index, Dst: cidr(c.insideIP(), 32), Scope: netlink.SCOPE_LINK, Src: second.insideIP()}},
		{there, netlink.Route{LinkIndex: to.Attrs().Index, Gw: c.insideIP(), Src: second.insideIP()}},
	} {
		if err := r.on.RouteAdd(&r.route); err != nil {
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
