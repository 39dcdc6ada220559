package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/landbridge/landbridge/test/lab"
)

// What people ordinarily do with a fleet hurts more meshes than what breaks. A life draws
// such acts by a seed, one after the other on one fleet of up to three clusters, and after
// each of them all that must hold of the whole is looked at (lifecheck.go).

// state holds what a fleet file of a life says.
type state struct {
	members  []string
	replicas int
	apiPort  int
	// intermediates is how long intermediates are valid.
	intermediates string
	// nodePorts has the east-west gateways reached by node ports, and not by load balancers.
	nodePorts bool
}

func (s state) copy() state {
	s.members = slices.Clone(s.members)
	return s
}

// life holds a fleet that people live with.
type life struct {
	*scene
	random *rand.Rand
	// want holds the state of the fleet file, applied that of the last rollout, and before that
	// of the one before.
	want, applied, before state
	// root has the fingerprint of the fleet's root, once there is one.
	root string
	// did lists the acts so far, for whoever repeats them.
	did []string
	// others holds the objects that are not the fleet's, by cluster.
	others map[string]map[string]string
}

// lives returns the cases of ordinary life.
func lives(seed uint64, n, acts int) (out []chaos) {
	for i := range n {
		own := seed*1000 + uint64(i)
		out = append(out, chaos{Family: "life", Name: fmt.Sprintf("life %d of %d acts", own, acts), differs: true,
			act: func(ctx context.Context, s *scene) error { return live(ctx, s, own, acts) }})
	}
	return out
}

// live plays a life. The error tells which act it was, and those before it.
func live(ctx context.Context, s *scene, seed uint64, n int) error {
	l := &life{scene: s, random: randomOf(seed), want: state{members: slices.Clone(s.all[:2]), replicas: 1, apiPort: 16443, intermediates: "87600h"}}
	if err := l.putOthers(ctx); err != nil {
		return err
	}
	err := l.play(ctx, n)
	s.faults = len(l.did)
	if err != nil {
		return fmt.Errorf("%w\nafter: %s", err, strings.Join(l.did, ", "))
	}
	return l.removeOthers(ctx)
}

func (l *life) play(ctx context.Context, n int) error {
	if err := l.apply(ctx); err != nil {
		return fmt.Errorf("the first rollout: %w", err)
	}
	for range n {
		a := ordinary[l.random.IntN(len(ordinary))]
		if a.may != nil && !a.may(l) {
			continue
		}
		l.did = append(l.did, a.name)
		if err := os.WriteFile(filepath.Join(l.dir, "acts"), []byte(strings.Join(l.did, "\n")+"\n"), 0o600); err != nil {
			return err
		}
		if err := a.do(ctx, l); err != nil {
			return fmt.Errorf("act %d, %s: %w", len(l.did), a.name, err)
		}
		l.calm()
		if err := l.check(ctx); err != nil {
			return fmt.Errorf("after act %d, %s: %w", len(l.did), a.name, err)
		}
	}
	return nil
}

// write writes a fleet file of a state, with some text replaced, and returns its path.
func (l *life) write(s state, edit ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: landbridge.dev/v1alpha1\nkind: Fleet\nmetadata: {name: %s}\nspec:\n  taskQueue: %s\n  ca: {keyAlgorithm: ECDSA-P256, intermediateLifetime: %s}\n", l.fleetName, queueWorkers, s.intermediates)
	fmt.Fprintf(&b, "  gateways: {loadBalancerTimeout: 45s, apiPort: %d, eastWest: {replicas: %d}, egress: {replicas: 1}}\n", s.apiPort, s.replicas)
	fmt.Fprintf(&b, "  rollout: {stepTimeout: 60s, undoTimeout: 60s, skipProof: %t}\n  links: mesh\n  clusters:\n", !l.real())
	for _, n := range s.members {
		fmt.Fprintf(&b, "  - {name: %s, network: %s-network, kubeconfig: {path: %s.kubeconfig}", n, n, n)
		if s.nodePorts {
			fmt.Fprintf(&b, ", gateways: {eastWest: {service: {type: NodePort, nodePort: 31443}, address: {ips: [%s]}}}", l.cluster(n).NodePortIP())
		}
		b.WriteString("}\n")
	}
	text := strings.NewReplacer(edit...).Replace(b.String())
	path := filepath.Join(l.dir, fmt.Sprintf("fleet-%d.yaml", len(l.did)))
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// real tells whether the nodes run containers, so that requests can go through a link.
func (l *life) real() bool { return l.lab.Clusters[0].Real }

func (l *life) cluster(name string) lab.Cluster {
	return l.lab.Clusters[slices.IndexFunc(l.lab.Clusters, func(c lab.Cluster) bool { return c.Name == name })]
}

// apply rolls out what is wanted, which must succeed.
func (l *life) apply(ctx context.Context, flags ...string) error {
	return l.ends(ctx, 0, flags...)
}

// ends rolls out what is wanted, which must end with an exit code, and notes what is in
// force then.
func (l *life) ends(ctx context.Context, want int, flags ...string) (err error) {
	if l.file, err = l.write(l.want); err != nil {
		return err
	}
	out, code, err := l.limited(ctx, append([]string{"rollout", "-f", l.file}, flags...)...)
	l.rolled.out, l.rolled.code = out, code
	if err != nil {
		return err
	}
	if code != want {
		return fmt.Errorf("the rollout ended with exit code %d, and %d was due\n%s", code, want, out)
	}
	if want == 0 {
		l.inForce(l.want)
	}
	return nil
}

// inForce notes what was rolled out last.
func (l *life) inForce(s state) {
	l.before, l.applied = l.applied, s.copy()
	if l.before.members == nil {
		l.before = l.applied
	}
}

// says runs a command that must end with that exit code and that text.
func (l *life) says(ctx context.Context, code int, text string, args ...string) error {
	out, got, err := l.limited(ctx, args...)
	switch {
	case err != nil:
		return err
	case got != code:
		return fmt.Errorf("landbridge %s ended with exit code %d, and %d was due\n%s", strings.Join(args, " "), got, code, out)
	case !strings.Contains(out, text):
		return fmt.Errorf("landbridge %s does not say %q\n%s", strings.Join(args, " "), text, out)
	}
	return nil
}

// refused requires that a rollout of a file is refused with a text, and changes nothing.
func (l *life) refused(ctx context.Context, text string, edit ...string) error {
	before, err := l.snapshots(ctx)
	if err != nil {
		return err
	}
	file, err := l.write(l.want, edit...)
	if err != nil {
		return err
	}
	if err := l.says(ctx, 2, text, "rollout", "-f", file, "--prune"); err != nil {
		return err
	}
	after, err := l.snapshots(ctx)
	if err != nil {
		return err
	}
	if diff := differences(before, after); len(diff) > 0 {
		return errors.New("what was refused changed something:\n" + strings.Join(diff, "\n"))
	}
	return nil
}

// change draws another setting into what is wanted.
func (l *life) change() {
	switch l.random.IntN(4) {
	case 0:
		l.want.replicas = 3 - l.want.replicas
	case 1:
		l.want.apiPort = 16443 + 26443 - l.want.apiPort
	case 2:
		l.want.nodePorts = !l.want.nodePorts
	default:
		l.want.intermediates = map[string]string{"87600h": "8760h", "8760h": "87600h"}[l.want.intermediates]
	}
}

// member draws a member of what is applied.
func (l *life) member() string { return l.applied.members[l.random.IntN(len(l.applied.members))] }

// outside draws a cluster that is no member, or returns "".
func (l *life) outside() string {
	i := slices.IndexFunc(l.all, func(c string) bool { return !slices.Contains(l.applied.members, c) })
	if i < 0 {
		return ""
	}
	return l.all[i]
}
