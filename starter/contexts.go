package main

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// identity tells what a context and its API server's host say of a cluster.
type identity struct {
	// Name that a person gives the cluster. It may be no legal name yet.
	Name string
	// Platform that the context or the host gives away, or nothing.
	Platform string
	// Apart lists what tells the cluster from another one of that name, the best first:
	// its region, its account or project.
	Apart []string
}

// forms are the names that the tools of a platform give contexts. The groups are name,
// region and account; host leads to the name on OpenShift.
var forms = []struct {
	platform string
	context  *regexp.Regexp
}{
	{"EKS", regexp.MustCompile(`^arn:aws[a-z-]*:eks:(?P<region>[^:]+):(?P<account>[^:]*):cluster/(?P<name>.+)$`)},
	{"EKS", regexp.MustCompile(`^(?:.*@)?(?P<name>[^@.]+)\.(?P<region>[a-z0-9-]+)\.eksctl\.io$`)},
	{"GKE", regexp.MustCompile(`^gke_(?P<account>[^_]+)_(?P<region>[^_]+)_(?P<name>.+)$`)},
	{"GKE", regexp.MustCompile(`^connectgateway_(?P<account>[^_]+)_(?:(?P<region>[^_]+)_)?(?P<name>[^_]+)$`)},
	{"OpenShift", regexp.MustCompile(`^(?:[^/]*/)?\[?(?P<host>[^/:@]+|[0-9a-fA-F:]+)\]?:[0-9]+(?:/.*)?$`)},
	{"kind", regexp.MustCompile(`^(?P<name>kind-.+)$`)},
	{"k3d", regexp.MustCompile(`^(?P<name>k3d-.+)$`)},
	{"", regexp.MustCompile(`^.+@(?P<name>[^@]+)$`)}, // USER@CLUSTER
	{"", regexp.MustCompile(`^(?P<name>[^/]+)/.+$`)}, // IBM Cloud: NAME/ID
}

// fromForm returns what the form of a context's name gives away.
func fromForm(context, host string) identity {
	for _, f := range forms {
		m := f.context.FindStringSubmatch(context)
		if m == nil {
			continue
		}
		part := func(group string) string {
			if i := f.context.SubexpIndex(group); i >= 0 {
				return m[i]
			}
			return ""
		}
		id := identity{Name: part("name"), Platform: f.platform, Apart: nonEmpty(part("region"), part("account"))}
		if at := part("host"); at != "" {
			id.Name, id.Apart = fromOpenShift(at, host)
		}
		return id
	}
	return identity{Name: context}
}

// fromOpenShift returns the name and its neighbours from a context's host, in which
// `oc login` put hyphens for dots. The server's host still has the dots, unless somebody
// changed it; then the last two parts count as the domain.
func fromOpenShift(dashed, host string) (name string, apart []string) {
	if strings.ReplaceAll(host, ".", "-") == strings.ToLower(dashed) {
		if name, apart = fromHost(host); name != "" {
			return name, apart
		}
		return dashed, nil // an address
	}
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(dashed, "api-int-"), "api-"), "-")
	if len(parts) > 2 {
		parts = parts[:len(parts)-2]
	}
	return strings.Join(parts, "-"), nil
}

// generic words name no cluster: many clusters have them.
var generic = []string{"", "admin", "api", "api-int", "apiserver", "auth", "cluster", "config", "context", "default", "in-cluster", "k3s", "k8s",
	"kube", "kube-apiserver", "kubeconfig", "kubernetes", "kubernetes-admin", "local", "localhost", "master", "user", "www"}

// telling reports whether a word can tell one cluster from another.
func telling(word string) bool { return !slices.Contains(generic, legal(word)) }

// fromHost returns the first label of a host that tells something, and the labels
// between it and the last one. An address has none.
func fromHost(host string) (name string, apart []string) {
	if _, err := netip.ParseAddr(host); err == nil {
		return "", nil
	}
	labels := strings.Split(host, ".")
	i := slices.IndexFunc(labels, telling)
	if i < 0 {
		return "", nil
	}
	return labels[i], labels[i+1 : max(i+1, len(labels)-1)]
}

// clouds tell the platform by the end of the API server's host. The group is the region.
var clouds = []struct {
	platform string
	host     *regexp.Regexp
}{
	{"EKS", regexp.MustCompile(`\.([a-z0-9-]+)\.eks\.amazonaws\.com(?:\.cn)?$`)},
	{"AKS", regexp.MustCompile(`\.([a-z0-9]+)\.azmk8s\.io$`)},
	{"GKE", regexp.MustCompile(`\.([a-z0-9-]+)\.gke\.goog$`)},
	{"OpenShift", regexp.MustCompile(`\.(?:([a-z0-9-]+)\.aroapp\.io|openshiftapps\.com)$`)},
}

// identify tells what is known of the cluster of a context: from the context's form, or
// where that says nothing, from the kubeconfig's cluster entry, the file's name and the host.
func identify(e entry, file string) identity {
	host := e.host()
	id := fromForm(e.Context, host)
	byEntry := fromForm(e.Cluster, host)
	if len(id.Apart) == 0 && byEntry.Platform != "" {
		id.Platform, id.Apart = byEntry.Platform, byEntry.Apart
	}
	for _, c := range clouds {
		if m := c.host.FindStringSubmatch(host); m != nil && (id.Platform == "" || len(id.Apart) == 0) {
			id.Platform, id.Apart = c.platform, nonEmpty(m[1])
		}
	}
	switch behind := e.behindTeleport(); {
	case behind != "":
		id = identity{Name: behind, Platform: "Teleport"}
	case e.throughRancher():
		id.Platform = "Rancher"
	case id.Platform == "AKS" && e.Cluster == strings.TrimSuffix(e.Context, "-admin"):
		id.Name = e.Cluster // az aks get-credentials --admin
	}
	if telling(id.Name) {
		return id
	}
	byHost, _ := fromHost(host)
	for _, other := range append(append([]string{byEntry.Name}, fileNames(file)...), byHost) {
		if telling(other) {
			id.Name = other
			break
		}
	}
	return id
}

// fileNames returns the names in a path, from the file to the outermost directory.
func fileNames(path string) []string {
	if path == "" {
		return nil
	}
	names := strings.Split(path, "/")
	slices.Reverse(names)
	names[0], _, _ = strings.Cut(names[0], ".")
	return names
}

func nonEmpty(words ...string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}
