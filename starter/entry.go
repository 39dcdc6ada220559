package main

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// entry holds a context of a kubeconfig with what it leads to.
type entry struct {
	// Context and Cluster are names in the kubeconfig.
	Context, Cluster string
	// Current tells that it is the current context of its file.
	Current bool
	// Why the context cannot be a cluster, or nothing.
	Why string
	// Note for the person who reads the table.
	Note string

	server   *url.URL
	cluster  *clientcmdapi.Cluster
	user     *clientcmdapi.AuthInfo
	userName string
}

// open looks up what a context leads to.
func (k kubeconfig) open(context string) entry {
	ctx := k.Contexts[context]
	e := entry{Context: context, Cluster: ctx.Cluster, Current: context == k.CurrentContext, userName: ctx.AuthInfo, server: &url.URL{}}
	e.cluster, e.user = k.Clusters[ctx.Cluster], k.AuthInfos[ctx.AuthInfo]
	switch {
	case e.cluster == nil:
		e.Why = fmt.Sprintf("the kubeconfig has no cluster %q", ctx.Cluster)
		return e
	case e.user == nil && ctx.AuthInfo != "":
		e.Why = fmt.Sprintf("the kubeconfig has no user %q", ctx.AuthInfo)
	}
	server, err := url.Parse(e.cluster.Server)
	if err != nil || server.Hostname() == "" {
		e.Why = "its server is not a URL"
		return e
	}
	e.server = server
	if k.Path == "" {
		e.Note = foreign(ctx, e.cluster, e.user)
	}
	return e
}

// foreign tells whether the merged default kubeconfig gives a context a cluster or user of
// another file than the context's own, which has one of that name too.
func foreign(ctx *clientcmdapi.Context, cluster *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) string {
	own, err := clientcmd.LoadFromFile(ctx.LocationOfOrigin)
	if err != nil {
		return ""
	}
	const advice = "give each file with --kubeconfig"
	if c := own.Clusters[ctx.Cluster]; c != nil && cluster.LocationOfOrigin != ctx.LocationOfOrigin && cluster.Server != c.Server {
		return fmt.Sprintf("cluster %q comes from another file than the context; %s", ctx.Cluster, advice)
	}
	u := own.AuthInfos[ctx.AuthInfo]
	if u == nil || user == nil || user.LocationOfOrigin == ctx.LocationOfOrigin {
		return ""
	}
	theirs, err := clientcmd.LoadFromFile(user.LocationOfOrigin)
	if err != nil || theirs.AuthInfos[ctx.AuthInfo] == nil {
		return ""
	}
	other := theirs.AuthInfos[ctx.AuthInfo].DeepCopy()
	if other.LocationOfOrigin = u.LocationOfOrigin; reflect.DeepEqual(u, other) {
		return ""
	}
	return fmt.Sprintf("user %q comes from another file than the context; %s", ctx.AuthInfo, advice)
}

// host returns the API server's host in lower case: DNS does not tell the cases apart.
func (e entry) host() string { return strings.ToLower(e.server.Hostname()) }

// shown returns the API server without what a URL could keep secret.
func (e entry) shown() string {
	if e.server.Host == "" {
		return "-"
	}
	u := url.URL{Scheme: e.server.Scheme, Host: strings.ToLower(e.server.Host), Path: e.server.Path}
	return u.String()
}

// key is equal for two contexts that lead to one API server. One address leads to many
// where a proxy, a server name or Teleport chooses among them.
func (e entry) key() string {
	port := e.server.Port()
	if port == "" {
		port = map[string]string{"http": "80"}[e.server.Scheme]
	}
	if port == "" {
		port = "443"
	}
	return strings.Join([]string{e.server.Scheme, e.host(), port, strings.Trim(e.server.Path, "/"), e.cluster.ProxyURL,
		strings.ToLower(e.cluster.TLSServerName), e.behindTeleport()}, " ")
}

// behindTeleport returns the cluster that Teleport leads to, or nothing.
func (e entry) behindTeleport() string {
	if e.user == nil || e.user.Exec == nil {
		return ""
	}
	for i, arg := range e.user.Exec.Args {
		name, given := strings.CutPrefix(arg, "--kube-cluster")
		switch {
		case given && strings.HasPrefix(name, "="):
			return name[1:]
		case given && name == "" && i+1 < len(e.user.Exec.Args):
			return e.user.Exec.Args[i+1]
		}
	}
	return ""
}

// throughRancher tells whether Rancher stands before the API server.
func (e entry) throughRancher() bool { return strings.HasPrefix(e.server.Path, "/k8s/clusters/") }

// besideRancher tells whether the context leads, without Rancher, to the cluster that
// the other one reaches through it: Rancher writes both, for one user.
func (e entry) besideRancher(other entry) bool {
	return other.throughRancher() && !e.throughRancher() && e.userName == other.userName && strings.HasPrefix(e.Context, other.Context+"-")
}
