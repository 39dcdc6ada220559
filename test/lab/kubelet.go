package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// nodeFiles configure containerd, kubelet and kube-proxy of a real node. All that they keep is in the node's own file system.
var nodeFiles = map[string]*template.Template{
	"containerd.toml": template.Must(template.New("").Parse(`version = 2
root = "{{.Dir}}/containerd"
state = "{{.Dir}}/containerd-state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "{{.Dir}}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "lab.example/pod:{{.Tag}}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{{.Dir}}/cni/bin"
    conf_dir = "{{.Dir}}/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    discard_unpacked_layers = false
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{{.Dir}}/registries"
`)),
	// Every host's images come from the lab's own registry, and no other is asked.
	"registries/_default/hosts.toml": template.Must(template.New("").Parse(`server = "http://{{.Registry}}"
[host."http://{{.Registry}}"]
  capabilities = ["pull", "resolve"]
`)),
	// ptp and not bridge: every packet is routed, so that Services work without
	// br_netfilter, and nothing is translated on its way to another pod.
	"cni/net.d/10-lab.conflist": template.Must(template.New("").Parse(`{"cniVersion": "1.0.0", "name": "lab", "plugins": [
  {"type": "ptp", "mtu": 1500, "ipam": {"type": "host-local", "dataDir": "{{.Dir}}/cni/ipam",
    "ranges": [{{range $i, $r := .NodePods}}{{if $i}}, {{end}}[{"subnet": "{{$r}}"}]{{end}}],
    "routes": [{{range $i, $f := .Families}}{{if $i}}, {{end}}{"dst": "{{if eq $f "IPv4"}}0.0.0.0/0{{else}}::/0{{end}}"}{{end}}]}}]}
`)),
	"kubelet.yaml": template.Must(template.New("").Parse(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: "{{.NodeIP}}"
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: "{{.PKI}}/ca.crt"}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: "{{.Cgroup}}"
clusterDNS: ["{{.DNS}}"]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://{{.Dir}}/containerd.sock
enforceNodeAllocatable: []
evictionHard: {memory.available: "0%", nodefs.available: "0%", imagefs.available: "0%"}
failCgroupV1: false
failSwapOn: false
fileCheckFrequency: 1h
healthzPort: 0
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
makeIPTablesUtilChains: false
maxPods: 200
nodeStatusUpdateFrequency: 10s
oomScoreAdj: 0
podLogsDir: {{.Dir}}/pods
registryPullQPS: 0
resolvConf: ""
serializeImagePulls: false
staticPodPath: ""
syncFrequency: 10s
volumePluginDir: {{.Dir}}/volumeplugins
`)),
	"kube-proxy.yaml": template.Must(template.New("").Parse(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
bindAddress: "{{.NodeIP}}"
clientConnection: {kubeconfig: "{{.Kubeconfig}}"}
clusterCIDR: "{{.Pods}}"
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
healthzBindAddress: ""
hostnameOverride: {{.Node}}
metricsBindAddress: ""
mode: nftables
nftables: {minSyncPeriod: 100ms, syncPeriod: 30s}
nodePortAddresses: [{{range $i, $r := .NodePorts}}{{if $i}}, {{end}}"{{$r}}"{{end}}]
`)),
}

// nodeConfig fills the templates of a node.
type nodeConfig struct {
	Dir, Tag, Registry, Pods, NodeIP, PKI, Kubeconfig, Cgroup, DNS, Node string
	// NodePods has the range of its pods in each of the Families, and NodePorts where its
	// node ports answer.
	NodePods, NodePorts []string
	Families            []family
}

// nodeDir says where a node's own file system is, as seen from inside.
func (l *Lab) nodeDir(c Cluster) string { return l.path(nodesDir, c.Name) }

// heldMark is there when a node's namespaces are ready.
func (l *Lab) heldMark(c Cluster) string { return filepath.Join(l.nodeDir(c), "held") }

// nodeConfigOf says what the files of a node have to know.
func (l *Lab) nodeConfigOf(c Cluster) nodeConfig {
	cfg := nodeConfig{Dir: l.nodeDir(c), Tag: imageTag, Registry: registryAddress, Pods: c.ranges(c.pods), NodeIP: c.insideIP(c.first()).String(),
		PKI: l.path("pki", c.Name), Kubeconfig: l.path("pki", c.Name, insideKubeconfig), Cgroup: l.cgroup(c), DNS: c.dnsIP().String(), Node: c.node(), Families: c.Families}
	for _, f := range c.Families {
		cfg.NodePods = append(cfg.NodePods, c.nodePods(f).String())
		cfg.NodePorts = append(cfg.NodePorts, cidr(address(f, 192, 0, 2, 0), 24).String(), cidr(address(f, 198, 51, 100, 0), 24).String())
	}
	return cfg
}

// writeNodeFiles writes into the node's own file system through its pause process.
func (l *Lab) writeNodeFiles(c Cluster) error {
	root := fmt.Sprintf("/proc/%d/root", c.pause())
	cfg := l.nodeConfigOf(c)
	for name, t := range nodeFiles {
		var text strings.Builder
		if err := t.Execute(&text, cfg); err != nil {
			return err
		}
		path := filepath.Join(root, l.nodeDir(c), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			return err
		}
	}
	// IstioCNI installs a plugin beside these, so that the directory must be ours.
	from, err := cniPlugins()
	if err != nil {
		return err
	}
	bin := filepath.Join(root, l.nodeDir(c), "cni", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	for _, plugin := range []string{"ptp", "host-local", "loopback"} {
		if err := move(filepath.Join(from, plugin), filepath.Join(bin, plugin)); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) startContainerd(c Cluster) error {
	if err := l.writeNodeFiles(c); err != nil {
		return err
	}
	return l.startProcessIn(c, "containerd", "containerd", "--config", filepath.Join(l.nodeDir(c), "containerd.toml"))
}

func (l *Lab) startNode(c Cluster) error {
	if err := l.startProcessIn(c, "kubelet", "/kubelet", "--config", filepath.Join(l.nodeDir(c), "kubelet.yaml"),
		"--kubeconfig", l.path("pki", c.Name, insideKubeconfig), "--hostname-override", c.node(), "--node-ip", c.insideIPs(),
		"--root-dir", filepath.Join(l.nodeDir(c), "kubelet"), "--cert-dir", filepath.Join(l.nodeDir(c), "kubelet-pki")); err != nil {
		return err
	}
	return l.startProcessIn(c, "kube-proxy", "/kube-proxy", "--config", filepath.Join(l.nodeDir(c), "kube-proxy.yaml"))
}
