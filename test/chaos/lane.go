package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/landbridge/landbridge/test/lab"
)

// The task queues of workers that may be killed alone, and of the worker inside
// landbridge-standalone.
const (
	queueWorkers    = "landbridge"
	queueStandalone = "standalone"
)

// lane runs cases one after the other, on a lab of its own with a proxy in front of each
// API server, and on a Temporal.
type lane struct {
	dir, bins string
	lab       *lab.Lab
	// all names the clusters, and clusters the two of them that fleets have where a case is
	// not about more.
	all, clusters []string
	proxies       map[string]*proxy
	port          int
	// standalone runs the Temporal of the lane, with a worker for a task queue of its own.
	standalone *service
	worker     *service
	// onPostgres is another Temporal, started for the first case that wants it. backend
	// holds it while such a case runs.
	onPostgres, backend *backend
	// before holds every object of each cluster before anything ran, and healthy the names
	// of the objects that an undisturbed rollout makes.
	before  map[string]map[string]string
	healthy map[string][]string
}

func newLane(ctx context.Context, dir, bins, nodes string, say func(string, ...any)) (*lane, error) {
	ln := &lane{dir: dir, bins: bins, proxies: map[string]*proxy{}, before: map[string]map[string]string{}, healthy: map[string][]string{}}
	for _, d := range []string{"kubeconfigs", "roots", "logs"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, err
		}
	}
	up := exec.CommandContext(ctx, filepath.Join(bins, "lab"), append([]string{"up", "--clusters", fmt.Sprint(clustersOfALane), "--nodes", nodes,
		"--dir", filepath.Join(dir, "lab")}, lab.Quick...)...)
	if out, err := up.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the lab did not come up: %w\n%s", err, out)
	}
	var err error
	if ln.lab, err = lab.Open(filepath.Join(dir, "lab")); err != nil {
		return nil, err
	}
	for _, c := range ln.lab.Clusters {
		ln.all = append(ln.all, c.Name)
		if err := ln.addProxy(c.Name); err != nil {
			return nil, err
		}
		if ln.before[c.Name], err = ln.lab.Snapshot(ctx, c.Name); err != nil {
			return nil, err
		}
	}
	ln.clusters = ln.all[:2]
	if ln.port, err = lab.FreePort(); err != nil {
		return nil, err
	}
	ln.standalone = startService("standalone", filepath.Join(dir, "logs"), func() *exec.Cmd {
		return exec.Command(filepath.Join(bins, "landbridge-standalone"), "--state-dir", filepath.Join(dir, "temporal"), "--port", fmt.Sprint(ln.port),
			"--no-ui", "--task-queue", queueStandalone, "--root-dir", filepath.Join(dir, "roots"), "--kubeconfig-dir", filepath.Join(dir, "kubeconfigs"))
	})
	say("lane %s is ready", filepath.Base(dir))
	return ln, ln.temporalAnswers(ctx)
}

// addProxy puts a proxy in front of a cluster and writes the kubeconfig that
// leads to it.
func (ln *lane) addProxy(cluster string) error {
	raw, err := clientcmd.LoadFromFile(ln.lab.Kubeconfig(cluster))
	if err != nil {
		return err
	}
	if err := clientcmd.ResolveLocalPaths(raw); err != nil {
		return err
	}
	cfg, err := clientcmd.NewDefaultClientConfig(*raw, nil).ClientConfig()
	if err != nil {
		return err
	}
	pki := filepath.Join(ln.lab.Dir, "pki", cluster)
	p, err := newProxy(cfg, filepath.Join(pki, "apiserver.crt"), filepath.Join(pki, "apiserver.key"))
	if err != nil {
		return err
	}
	ln.proxies[cluster] = p
	for _, c := range raw.Clusters {
		c.Server = p.URL
	}
	return clientcmd.WriteToFile(*raw, filepath.Join(ln.dir, "kubeconfigs", cluster+".kubeconfig"))
}

// down removes everything of the lane.
func (ln *lane) down() {
	if ln.worker != nil {
		ln.worker.stop()
	}
	if ln.standalone != nil {
		ln.standalone.stop()
	}
	if ln.onPostgres != nil {
		ln.onPostgres.stop()
	}
	for _, p := range ln.proxies {
		p.set(&rule{fault: faultUnreachable})
		p.Config.Close()
	}
	_ = exec.Command(filepath.Join(ln.bins, "lab"), "down", "--dir", filepath.Join(ln.dir, "lab")).Run()
}

func (ln *lane) temporalAnswers(ctx context.Context) error {
	return until(ctx, time.Minute, func() error {
		out, _, err := ln.landbridge(ctx, "status", "nobody")
		if err == nil && !strings.Contains(out, "knows nothing of a fleet") {
			err = errors.New(out)
		}
		return err
	})
}

// startWorker starts a worker that carries out these kills on itself.
func (ln *lane) startWorker(kills []string, doneDir string) {
	ln.worker = startService("worker", doneDir, func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(ln.bins, "victim"), "--address", ln.address(), "--task-queue", queueWorkers,
			"--root-dir", filepath.Join(ln.dir, "roots"), "--kubeconfig-dir", filepath.Join(ln.dir, "kubeconfigs"), "--done-dir", doneDir, "--kill", strings.Join(kills, ","))
		return cmd
	})
}

// address returns the address of the Temporal of the case that runs.
func (ln *lane) address() string {
	if ln.backend != nil {
		return ln.backend.address()
	}
	return fmt.Sprintf("127.0.0.1:%d", ln.port)
}

// useBackend lets a case run on Temporal with PostgreSQL.
func (ln *lane) useBackend(ctx context.Context, bins string) (err error) {
	if ln.onPostgres == nil {
		if ln.onPostgres, err = newBackend(ctx, filepath.Join(ln.dir, "postgres"), bins); err != nil {
			return err
		}
	}
	ln.backend = ln.onPostgres
	return nil
}

// landbridge runs the command as a person would, and returns its output and exit code.
// The error means that it could not be run at all.
func (ln *lane) landbridge(ctx context.Context, args ...string) (string, int, error) {
	if args[0] == "cleanup" || slices.Contains(args, "--prune") {
		args = append(args, "--yes")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(ln.bins, "landbridge"), args...)
	cmd.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+ln.address())
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return string(out), exit.ExitCode(), nil
	}
	return string(out), 0, err
}

// temporal returns a client that does what people do in the UI.
func (ln *lane) temporal() (client.Client, error) {
	return client.Dial(client.Options{HostPort: ln.address(), Logger: quiet{}})
}

// behave changes how the lab's cloud and Sail act.
func (ln *lane) behave(change func(*lab.Behaviour)) error {
	b := lab.Behaviour{Cloud: lab.CloudBehaviour{Delay: 200 * time.Millisecond, Address: "ip"}, Sail: lab.SailBehaviour{Delay: 200 * time.Millisecond, Lag: 250 * time.Millisecond}}
	if change != nil {
		change(&b)
	}
	return b.Save(ln.lab.Dir)
}

// fleetFile writes the fleet file of a case.
func (ln *lane) fleetFile(path, fleet, queue, edit string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: %s}\nspec:\n  taskQueue: %s\n  ca: {keyAlgorithm: ECDSA-P256}\n", fleet, queue)
	if edit == "" {
		edit = "  gateways: {loadBalancerTimeout: 45s}\n  rollout: {stepTimeout: 60s, undoTimeout: 60s, skipProof: true}\n"
	}
	b.WriteString(edit + "  links: mesh\n  clusters:\n")
	for _, n := range ln.clusters {
		fmt.Fprintf(&b, "  - {name: %s, network: %s-network, kubeconfig: {path: %s.kubeconfig}}\n", n, n, n)
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

// limitOfRest is how long what Kubernetes does by itself after a change may take.
const limitOfRest = 20 * time.Second

// left returns what differs from before, once pods had the time to end.
func (ln *lane) left(ctx context.Context) (diff []string) {
	_ = until(ctx, limitOfRest, func() error {
		diff = nil
		for _, c := range ln.all {
			now, err := ln.lab.Snapshot(ctx, c)
			if err != nil {
				diff = append(diff, c+": "+err.Error())
				continue
			}
			for _, d := range lab.Compare(ln.before[c], now) {
				diff = append(diff, c+": "+d)
			}
		}
		if len(diff) > 0 {
			return errors.New("differs")
		}
		return nil
	})
	roots, _ := os.ReadDir(filepath.Join(ln.dir, "roots"))
	for _, r := range roots {
		diff = append(diff, "the root directory still has "+r.Name())
	}
	return diff
}

// names returns the new objects of a cluster, without pods and others that have random
// names.
func (ln *lane) names(ctx context.Context, cluster string) ([]string, error) {
	now, err := ln.lab.Snapshot(ctx, cluster)
	var out []string
	for k := range now {
		kind, _, _ := strings.Cut(k, " ")
		if _, old := ln.before[cluster][k]; !old && !slices.Contains([]string{"Pod", "ReplicaSet"}, kind) {
			out = append(out, helmRevision.ReplaceAllString(k, "$1"))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

// helmRevision finds the number of a Helm release's Secret: there may be one more after a
// kill.
var helmRevision = regexp.MustCompile(`(sh\.helm\.release\.v1\..*)\.v\d+$`)

// unlike returns the objects that a finished rollout has more or less than an undisturbed
// one.
func (ln *lane) unlike(ctx context.Context) (diff []string) {
	for _, c := range ln.clusters {
		now, err := ln.names(ctx, c)
		if err != nil {
			return []string{err.Error()}
		}
		for _, n := range now {
			if !slices.Contains(ln.healthy[c], n) {
				diff = append(diff, c+": added: "+n)
			}
		}
		for _, n := range ln.healthy[c] {
			if !slices.Contains(now, n) {
				diff = append(diff, c+": missing: "+n)
			}
		}
	}
	return diff
}

// tail returns the end of a log, for a case that failed.
func tail(path string, lines int) string {
	data, _ := os.ReadFile(path)
	all := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}

// quiet drops the SDK's log, which would interrupt the table.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
