// Package lab brings up real clusters on one machine, for tests and for the demo. With
// KWOK nodes each is a kube-apiserver, controller manager and scheduler, whose
// pods become Running without a container, and one etcd serves all. With real
// nodes each is a network of its own, with etcd, kubelet, containerd, kube-proxy
// and CoreDNS, and runs what it is given. A small cloud and a stand-in for the
// Sail operator, both test-only, do what cannot be had as Go modules. Everything
// listens on loopback only.
package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
)

// compass names the first clusters; more are called c05, c06 and so on.
var compass = []string{"east", "west", "north", "south"}

// ClusterName names the i-th cluster, from 0.
func ClusterName(i int) string {
	if i < len(compass) {
		return compass[i]
	}
	return fmt.Sprintf("c%02d", i+1)
}

// Lab describes one lab, all of whose state is in a directory. Two labs in two
// directories do not meet.
type Lab struct {
	// Dir is absolute.
	Dir string `json:"-"`
	// Bin names the directory of the binaries.
	Bin       string    `json:"bin"`
	Clusters  []Cluster `json:"clusters"`
	Processes []Process `json:"processes"`
	// Nodes is NodesKWOK or NodesReal.
	Nodes string `json:"nodes"`
}

// Cluster describes one control plane of a lab.
type Cluster struct {
	Name string `json:"name"`
	// Port has the kube-apiserver, on 127.0.0.1.
	Port int `json:"port"`
	// Front has the front that ends TLS before the kube-apiserver, on 127.0.0.1.
	Front int `json:"front"`
	// Index keeps the clusters' address ranges apart.
	Index int `json:"index"`
	// Real says that its node runs containers.
	Real bool `json:"real"`
	// Families are those of its networks, the first one first.
	Families []corev1.IPFamily `json:"families"`
	// Pause numbers the process that holds a real node's namespaces.
	Pause int `json:"pause,omitempty"`
	// Second describes a second real node, where the cluster has one.
	Second *SecondNode `json:"second,omitempty"`
	// onSecond makes this the cluster as its second node sees it.
	onSecond bool
}

// SecondNode describes a node that runs only what is scheduled there.
type SecondNode struct {
	// Pause numbers the process that holds its namespaces.
	Pause int `json:"pause"`
}

func (l *Lab) cluster(name string) (Cluster, error) {
	for _, c := range l.Clusters {
		if c.Name == name {
			return c, nil
		}
	}
	return Cluster{}, fmt.Errorf("the lab has no cluster %s", name)
}

// Quick are the flags of `lab up` and `lab behave` for a cloud and a Sail operator that do not make
// tests wait.
var Quick = []string{"--cloud-delay", "200ms", "--sail-delay", "200ms", "--sail-lag", "250ms"}

// stateFile keeps a lab's state, and marks its directory as a lab's.
const stateFile = "lab.json"

// Open reads a lab. The error is fs.ErrNotExist where the directory has none.
func Open(dir string) (*Lab, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return nil, err
	}
	l := &Lab{Dir: dir}
	if err := json.Unmarshal(data, l); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", filepath.Join(dir, stateFile), err)
	}
	return l, nil
}

// save writes the state after every process that starts, so that down finds
// them all even when up was killed.
func (l *Lab) save() error {
	data, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	tmp := filepath.Join(l.Dir, "."+stateFile)
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(l.Dir, stateFile))
}

// Options say what Up brings up.
type Options struct {
	Clusters int
	Dir      string
	// Nodes is NodesKWOK, NodesReal or NodesAuto.
	Nodes string
	// TwoNodes names the clusters that get a second real node, so that one can be
	// drained.
	TwoNodes []string
	// Exe names the lab command, as which the controllers run.
	Exe string
	// IPFamilies is one of those that the variable of that name lists. Default: IPv4.
	IPFamilies string
	// Behaviour tells the cloud and the Sail stand-in how to act.
	Behaviour Behaviour
	// Progress gets a line for each stage.
	Progress func(format string, args ...any)
}

// Up builds what is missing, starts a lab and waits until it is ready.
func Up(ctx context.Context, o Options) (*Lab, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, stateFile)); err == nil {
		return nil, fmt.Errorf("%s has a lab already; `lab down --dir %s` removes it", o.Dir, o.Dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := o.chooseNodes(dir); err != nil {
		return nil, err
	}
	if err := o.chooseFamilies(); err != nil {
		return nil, err
	}
	bin, err := Binaries(ctx, o.Nodes, o.Progress)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l := &Lab{Dir: dir, Bin: bin, Nodes: o.Nodes}
	for i := range o.Clusters {
		c := Cluster{Name: ClusterName(i), Index: i, Real: o.Nodes == NodesReal, Families: o.families()}
		if c.Real && slices.Contains(o.TwoNodes, c.Name) {
			c.Second = &SecondNode{}
		}
		l.Clusters = append(l.Clusters, c)
	}
	if err := l.start(ctx, o); err != nil {
		if downErr := l.Down(context.WithoutCancel(ctx), func(string, ...any) {}); downErr != nil {
			err = fmt.Errorf("%w (and it could not be taken down: %v)", err, downErr)
		}
		return nil, err
	}
	return l, nil
}

// cloudAndSail names the process that stands in for the cloud and the Sail operator.
const cloudAndSail = "cloud-and-sail"

func (l *Lab) start(ctx context.Context, o Options) error {
	began := time.Now()
	if err := l.save(); err != nil {
		return err
	}
	if err := o.Behaviour.Save(l.Dir); err != nil {
		return err
	}
	begin := l.startKWOK
	if l.Nodes == NodesReal {
		begin = l.startReal
	}
	if err := begin(ctx, o); err != nil {
		return err
	}
	if err := l.makeWays(); err != nil {
		return err
	}
	if err := l.startProcess(cloudAndSail, o.Exe, "controllers", "--dir", l.Dir); err != nil {
		return err
	}
	if err := l.writeFleetFile(); err != nil {
		return err
	}
	o.Progress("%d clusters are ready after %.1f s", len(l.Clusters), time.Since(began).Seconds())
	return nil
}

// startKWOK brings up clusters whose nodes run nothing.
func (l *Lab) startKWOK(ctx context.Context, o Options) error {
	o.Progress("starting etcd and %d kube-apiservers", len(l.Clusters))
	etcd, err := l.startEtcd(ctx)
	if err != nil {
		return err
	}
	for i := range l.Clusters {
		if err := l.startAPIServer(&l.Clusters[i], etcd); err != nil {
			return err
		}
	}
	group, gctx := errgroup.WithContext(ctx)
	for _, c := range l.Clusters {
		group.Go(func() error { return l.waitAPIServer(gctx, c) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, c := range l.Clusters {
		if err := l.startControllers(c); err != nil {
			return err
		}
	}
	group, gctx = errgroup.WithContext(ctx)
	for _, c := range l.Clusters {
		group.Go(func() error { return l.createPlatformObjects(gctx, c) })
	}
	return group.Wait()
}

// Down stops every process of the lab and removes every file that it made. The
// directory goes too where nothing else is in it. It is safe to repeat.
func (l *Lab) Down(_ context.Context, progress func(string, ...any)) error {
	var errs []error
	// What holds a node goes first: with it goes everything inside.
	for _, p := range l.pauses() {
		p.kill()
		if err := p.stop(); err != nil {
			errs = append(errs, err)
		}
	}
	for i := len(l.Processes) - 1; i >= 0; i-- {
		l.Processes[i].interrupt()
	}
	for i := len(l.Processes) - 1; i >= 0; i-- {
		if err := l.Processes[i].stop(); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if l.Nodes == NodesReal {
		if err := l.removeCgroups(); err != nil {
			return err
		}
	}
	// By their names, so that nothing has to be noted.
	files := []string{fleetFileName, behaviourFile, "." + behaviourFile, "etcd", "logs", "pki", nodesDir, loadedDir, pluginDir, frontDir, "." + stateFile, stateFile}
	for _, c := range l.Clusters {
		files = append(files, c.Name+".kubeconfig")
	}
	for _, f := range files {
		if err := os.RemoveAll(filepath.Join(l.Dir, f)); err != nil {
			errs = append(errs, err)
		}
	}
	if err := os.Remove(l.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		progress("%s stays: it holds what the lab did not make", l.Dir)
	}
	return errors.Join(errs...)
}

func (l *Lab) path(parts ...string) string {
	return filepath.Join(append([]string{l.Dir}, parts...)...)
}
