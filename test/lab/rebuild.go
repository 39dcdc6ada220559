package lab

import (
	"context"
	"fmt"
	"net"
	"slices"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// ofACluster names the processes of a cluster with KWOK nodes, in the order in which they
// start.
var ofACluster = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"}

// Rebuild replaces a cluster with KWOK nodes by a new one under its name and at its address,
// as whoever installs a cluster again: nothing of the old one is there, and its UID is
// another one. Its certificates stay, so that whoever has its kubeconfig reaches it.
func (l *Lab) Rebuild(ctx context.Context, cluster string) error {
	c, err := l.cluster(cluster)
	if err != nil {
		return err
	}
	if c.Real {
		return fmt.Errorf("%s has real nodes, which cannot be rebuilt", cluster)
	}
	started := map[string][]string{}
	// The operator and the cloud would go on with what they saw of the old one.
	outside, err := l.kill(cloudAndSail)
	if err != nil {
		return err
	}
	for _, name := range slices.Backward(ofACluster) {
		if started[name], err = l.kill(c.process(name)); err != nil {
			return err
		}
	}
	if err := l.forgetObjects(ctx, c); err != nil {
		return err
	}
	if err := waitFree(ctx, c.Port); err != nil {
		return err
	}
	for i, name := range ofACluster {
		if err := l.startProcess(c.process(name), started[name][0], started[name][1:]...); err != nil {
			return err
		}
		if i == 0 {
			if err := l.waitAPIServer(ctx, c); err != nil {
				return err
			}
		}
	}
	if err := l.createPlatformObjects(ctx, c); err != nil {
		return err
	}
	return l.startProcess(cloudAndSail, outside[0], outside[1:]...)
}

// waitFree waits until nobody listens on a port: a process that was killed may have threads
// that are still ending.
func waitFree(ctx context.Context, port int) error {
	return until(ctx, readyTimeout, 50*time.Millisecond, func(ctx context.Context) (bool, error) {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			err = listener.Close()
		}
		return err == nil, err
	})
}

// forgetObjects deletes all that a cluster keeps in the lab's etcd.
func (l *Lab) forgetObjects(ctx context.Context, c Cluster) error {
	etcd, err := l.Process("etcd")
	if err != nil {
		return err
	}
	args, err := etcd.Args()
	if err != nil {
		return err
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{args[slices.Index(args, "--listen-client-urls")+1]}, DialTimeout: readyTimeout})
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Delete(ctx, "/"+c.Name+"/", clientv3.WithPrefix())
	return err
}

// kill ends a process as a crash would (SIGKILL), and returns what it was started with.
func (l *Lab) kill(name string) ([]string, error) {
	p, err := l.Process(name)
	if err != nil {
		return nil, err
	}
	args, err := p.Args()
	if err != nil {
		return nil, err
	}
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
		return nil, fmt.Errorf("kill %s: %w", name, err)
	}
	for p.Alive() {
		time.Sleep(10 * time.Millisecond)
	}
	l.Processes = slices.DeleteFunc(l.Processes, func(o Process) bool { return o.Name == name })
	return args, nil
}
