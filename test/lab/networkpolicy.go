package lab

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

// policyQueue numbers the queue in which the kernel asks for a verdict.
const policyQueue = 100

// startNetworkPolicies has a node enforce NetworkPolicies.
func (l *Lab) startNetworkPolicies(c Cluster, exe string) error {
	args := []string{"network-policies", "--dir", l.Dir, "--cluster", c.Name}
	if c.onSecond {
		args = append(args, "--second")
	}
	path, args := l.inside(c, exe, args...)
	return l.startProcess(c.process("network-policies"), path, args...)
}

// EnforceNetworkPolicies enforces the NetworkPolicies of a cluster on one of its nodes, in
// whose network it runs, until the context ends. The verdict on the first packet of each
// connection of a pod is that of kube-network-policies of Kubernetes' SIG Network. The rule
// that asks for it is the lab's own, since that project's needs nft_queue, which not every
// kernel has. What a node itself asks of a pod, such as a probe, is not forwarded and passes,
// as in every cluster.
func (l *Lab) EnforceNetworkPolicies(ctx context.Context, cluster string, second bool) error {
	c, err := l.cluster(cluster)
	if err != nil {
		return err
	}
	c.onSecond = second
	cfg, err := clientcmd.BuildConfigFromFlags("", l.path("pki", c.Name, insideKubeconfig))
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	enforcer, err := networkpolicy.NewController(client, factory.Networking().V1().NetworkPolicies(), factory.Core().V1().Namespaces(), factory.Core().V1().Pods(),
		nil, nil, nil, nil, networkpolicy.Config{QueueID: policyQueue, NodeName: c.node(), FailOpen: true})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go l.askForVerdicts(ctx, c)
	return enforcer.Run(ctx)
}

// askForVerdicts has the kernel ask for a verdict on each new connection from or to a pod,
// unless the lab's platform enforces no NetworkPolicies. While nobody answers, they pass.
func (l *Lab) askForVerdicts(ctx context.Context, c Cluster) {
	asks := false
	l.every(ctx, c.Name, func(ctx context.Context, b Behaviour) error {
		want := !slices.Contains(b.Platform, PlatformUnenforced)
		if want == asks {
			return nil
		}
		if err := setVerdicts(ctx, c, want); err != nil {
			return err
		}
		asks = want
		return nil
	})
}

// waitLock limits how long iptables waits for another one.
const waitLock = 5 * time.Second

func setVerdicts(ctx context.Context, c Cluster, want bool) error {
	action := "-A"
	if !want {
		action = "-D"
	}
	for _, f := range c.Families {
		for _, rule := range [][]string{{"FORWARD", "-s"}, {"FORWARD", "-d"}, {"INPUT", "-s"}} {
			args := []string{"--wait", strconv.Itoa(int(waitLock.Seconds())), action, rule[0], rule[1], c.pods(f).String(), "-m", "conntrack", "--ctstate", "NEW",
				"-j", "NFQUEUE", "--queue-num", strconv.Itoa(policyQueue), "--queue-bypass"}
			if out, err := exec.CommandContext(ctx, nftFamily[f]+"tables", args...).CombinedOutput(); err != nil {
				return fmt.Errorf("%stables %v: %w: %s", nftFamily[f], args, err, out)
			}
		}
	}
	return nil
}
