package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

// A lab's clusters have two users, so that an audit log tells Landbridge's
// requests from all others.
const (
	UserLandbridge = "landbridge"
	UserLab        = "lab"
)

// auditPolicy logs who did what, without bodies: they hold Secrets. What the lab's own parts
// do, most of all requests, is of no use to anybody.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [` + UserLab + `]
- level: Metadata
`

func (l *Lab) startEtcd(ctx context.Context) (string, error) {
	client, err := FreePort()
	if err != nil {
		return "", err
	}
	peer, err := FreePort()
	if err != nil {
		return "", err
	}
	clientURL, peerURL := fmt.Sprintf("http://127.0.0.1:%d", client), fmt.Sprintf("http://127.0.0.1:%d", peer)
	if err := l.startProcess("etcd", l.Bin+"/etcd", etcdArgs("lab", l.path("etcd"), clientURL, peerURL)...); err != nil {
		return "", err
	}
	return clientURL, waitPort(ctx, client)
}

func etcdArgs(name, dir, client, peer string) []string {
	return []string{"--name", name, "--data-dir", dir, "--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", name + "=" + peer,
		"--unsafe-no-fsync", "--log-level", "warn"}
}

func (l *Lab) startAPIServer(c *Cluster, etcd string) error {
	ca, err := newAuthority(l.path("pki", c.Name), c.Name)
	if err != nil {
		return err
	}
	if !c.Real {
		if c.Port, err = FreePort(); err != nil {
			return err
		}
	}
	if err := ca.issue("apiserver", identity{user: "kube-apiserver", hosts: []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", c.ServerName(), "localhost",
		"127.0.0.1", c.serviceIP(c.first(), 1).String(), c.apiIP().String()}}); err != nil {
		return err
	}
	if err := ca.issue("kubelet-client", identity{user: "kube-apiserver-kubelet-client"}); err != nil {
		return err
	}
	if err := os.WriteFile(ca.file("audit-policy.yaml"), []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	for path, at := range map[string]struct{ url, user string }{
		l.Kubeconfig(c.Name):      {c.URL(), UserLandbridge},
		ca.file("lab.kubeconfig"): {c.URL(), UserLab},
		ca.file(insideKubeconfig): {"https://" + c.APIAddress(), UserLab},
	} {
		if err := ca.kubeconfig(path, c.Name, at.url, at.user); err != nil {
			return err
		}
	}
	host, port, err := net.SplitHostPort(c.APIAddress())
	if err != nil {
		return err
	}
	// No agent on a KWOK node would reach this address.
	reconciler := "none"
	if c.Real {
		reconciler = "master-count"
	}
	return l.startProcessIn(*c, "kube-apiserver", "/kube-apiserver",
		"--etcd-servers", etcd, "--etcd-prefix", "/"+c.Name,
		"--bind-address", host, "--advertise-address", host, "--endpoint-reconciler-type", reconciler,
		"--secure-port", port, "--tls-cert-file", ca.file("apiserver.crt"), "--tls-private-key-file", ca.file("apiserver.key"),
		"--client-ca-file", ca.file("ca.crt"), "--authorization-mode", "RBAC", "--anonymous-auth=false",
		"--kubelet-client-certificate", ca.file("kubelet-client.crt"), "--kubelet-client-key", ca.file("kubelet-client.key"),
		"--kubelet-preferred-address-types", "InternalIP",
		"--service-account-issuer", "https://kubernetes.default.svc",
		"--service-account-key-file", ca.file("sa.key"), "--service-account-signing-key-file", ca.file("sa.key"),
		// No node controller runs that would take the taint of a new node off again.
		"--disable-admission-plugins", "TaintNodesByCondition",
		"--service-cluster-ip-range", c.ranges(c.services), "--allow-privileged",
		"--audit-policy-file", ca.file("audit-policy.yaml"), "--audit-log-path", l.AuditLog(c.Name))
}

// insideKubeconfig serves a cluster's own parts, which may be in another network
// than the lab.
const insideKubeconfig = "inside.kubeconfig"

// AuditLog names the file in which a cluster's API server notes every request.
func (l *Lab) AuditLog(cluster string) string { return l.path("logs", cluster+"-audit.log") }

// Kubeconfig names the file that Landbridge reaches a cluster with.
func (l *Lab) Kubeconfig(cluster string) string { return l.path(cluster + ".kubeconfig") }

// URL gives the address of the cluster's API server.
func (c Cluster) URL() string { return fmt.Sprintf("https://127.0.0.1:%d", c.Port) }

// ServerName gives the API server's name as the world outside would know it.
func (c Cluster) ServerName() string { return "api." + c.Name + ".lab.example" }

func (l *Lab) labKubeconfig(cluster string) string { return l.path("pki", cluster, "lab.kubeconfig") }

// kwokStages come from KWOK itself: nodes are ready and pods run as soon as they are
// there, and go as soon as they are deleted.
var kwokStages = strings.Join([]string{nodefast.DefaultNodeInit, podfast.DefaultPodReady, podfast.DefaultPodComplete, podfast.DefaultPodDelete}, "\n---\n")

// startControllers starts what makes a cluster of an API server.
func (l *Lab) startControllers(c Cluster) error {
	pki := func(f string) string { return l.path("pki", c.Name, f) }
	if err := os.WriteFile(pki("kwok.yaml"), []byte(kwokStages), 0o600); err != nil {
		return err
	}
	kubeconfig := pki(insideKubeconfig)
	processes := [][]string{
		{"kube-controller-manager", "--kubeconfig", kubeconfig, "--leader-elect=false", "--secure-port=0",
			"--service-account-private-key-file", pki("sa.key"), "--root-ca-file", pki("ca.crt"),
			"--controllers", "deployment-controller,replicaset-controller,daemonset-controller,serviceaccount-controller,serviceaccount-token-controller,namespace-controller,garbage-collector-controller,root-ca-certificate-publisher-controller,endpointslice-controller,disruption-controller,resourcequota-controller,clusterrole-aggregation-controller"},
		{"kube-scheduler", "--kubeconfig", kubeconfig, "--leader-elect=false", "--secure-port=0"},
	}
	if !c.Real {
		processes = append(processes, []string{"kwok", "--kubeconfig", kubeconfig, "--config", pki("kwok.yaml"), "--manage-all-nodes", "--node-lease-duration-seconds=40", "--cidr", c.ranges(c.pods)})
	}
	for _, p := range processes {
		if err := l.startProcessIn(c, p[0], "/"+p[0], p[1:]...); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) waitAPIServer(ctx context.Context, c Cluster) error {
	client, _, err := l.clients(c)
	if err != nil {
		return err
	}
	err = until(ctx, readyTimeout, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		_, err := client.RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err == nil, err
	})
	if err != nil {
		return fmt.Errorf("kube-apiserver of %s is not ready after %s: %w; its log is in %s", c.Name, readyTimeout, err, l.path("logs"))
	}
	return nil
}

// clients reach a cluster as the lab's own user.
func (l *Lab) clients(c Cluster) (*kubernetes.Clientset, dynamic.Interface, error) {
	cfg, err := l.restConfig(c.Name)
	if err != nil {
		return nil, nil, err
	}
	dyn, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, nil, err
	}
	client, err := kubernetes.NewForConfig(cfg)
	return client, dyn, err
}

func (l *Lab) restConfig(cluster string) (*rest.Config, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", l.labKubeconfig(cluster))
	if err != nil {
		return nil, err
	}
	cfg.QPS, cfg.Burst = 100, 200
	return cfg, nil
}

func waitPort(ctx context.Context, port int) error {
	err := until(ctx, readyTimeout, 50*time.Millisecond, func(ctx context.Context) (bool, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			err = conn.Close()
		}
		return err == nil, err
	})
	if err != nil {
		return fmt.Errorf("nothing listens on 127.0.0.1:%d after %s", port, readyTimeout)
	}
	return nil
}
