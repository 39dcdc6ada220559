package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// act is something that people do. It ends with what it wants rolled out, or with nothing
// changed.
type act struct {
	name string
	// may tells whether it makes sense now. Nil: always.
	may func(*life) bool
	do  func(context.Context, *life) error
}

func many(l *life) bool { return len(l.applied.members) > 2 }
func few(l *life) bool  { return len(l.applied.members) < 3 }

var ordinary = []act{
	{"a repeat", nil, func(ctx context.Context, l *life) error { return l.apply(ctx) }},
	{"a cluster more", few, func(ctx context.Context, l *life) error {
		l.want.members = append(l.want.members, l.outside())
		return l.apply(ctx)
	}},
	{"a cluster less", many, func(ctx context.Context, l *life) error {
		gone := l.member()
		l.want.members = slices.DeleteFunc(l.want.members, func(c string) bool { return c == gone })
		return l.apply(ctx, "--prune")
	}},
	{"a cluster that is missing in the file for a while", many, forgotten},
	{"another setting", nil, func(ctx context.Context, l *life) error {
		l.change()
		return l.apply(ctx)
	}},
	{"a cluster renamed", nil, func(ctx context.Context, l *life) error {
		name := l.member()
		return l.refused(ctx, "it is the fleet's member "+name, "name: "+name+",", "name: "+name+"-1,")
	}},
	{"two clusters swapped", nil, func(ctx context.Context, l *life) error {
		a, b := l.applied.members[0], l.applied.members[1]
		return l.refused(ctx, "it is the fleet's member ", "path: "+a+".", "path: "+b+".", "path: "+b+".", "path: "+a+".")
	}},
	{"an older checkout", nil, func(ctx context.Context, l *life) error {
		if len(l.before.members) != len(l.applied.members) {
			return nil // it would add or remove a cluster
		}
		l.want = l.before.copy()
		return l.apply(ctx)
	}},
	{"a second worker with a root directory of its own", nil, anotherRoot},
	{"a cluster rebuilt", func(l *life) bool { return !l.real() }, rebuilt},
	{"a root directory that is elsewhere for a while", nil, elsewhere},
	{"a schedule that repairs what was deleted", nil, scheduled},
	{"a pause", nil, paused},
	{"a cancellation", nil, canceledInTheMiddle},
	{"an object deleted by hand", nil, deleted},
	{"an object changed by hand", nil, changedByHand},
	{"a worker killed", nil, func(ctx context.Context, l *life) error {
		l.change()
		after := l.soon()
		go func() {
			time.Sleep(after)
			l.worker.kill()
		}()
		return l.apply(ctx)
	}},
	{"a worker asleep beside another", nil, asleep},
	{"a cluster that does not answer", nil, away},
	{"a link revoked", nil, func(ctx context.Context, l *life) error {
		link := l.applied.members[0] + "." + l.applied.members[1]
		if err := l.says(ctx, 0, "1 link shut", "revoke", "-f", l.file, "--link", link, "--reason", "life", "--yes"); err != nil {
			return err
		}
		return l.apply(ctx)
	}},
	{"a second request", nil, secondRequest},
	{"a new beginning", nil, func(ctx context.Context, l *life) error {
		if err := l.says(ctx, 0, "removed", "cleanup", "-f", l.file); err != nil {
			return err
		}
		l.applied, l.root = state{}, ""
		if err := l.nothingOfUs(ctx, l.all); err != nil {
			return err
		}
		return l.apply(ctx)
	}},
}

// soon draws a moment in a rollout.
func (l *life) soon() time.Duration { return time.Duration(l.random.IntN(6000)) * time.Millisecond }

// forgotten leaves a cluster out of the file without pruning it: it stays as it is.
func forgotten(ctx context.Context, l *life) error {
	all, gone := slices.Clone(l.want.members), l.member()
	l.want.members = slices.DeleteFunc(l.want.members, func(c string) bool { return c == gone })
	if err := l.apply(ctx); err != nil {
		return err
	}
	if err := l.says(ctx, 3, "left the fleet file", "drift", "-f", l.file); err != nil {
		return err
	}
	l.want.members = all
	return l.apply(ctx)
}

// anotherRoot starts a second worker that keeps roots elsewhere. A rollout works, or is
// refused since no second root is made.
func anotherRoot(ctx context.Context, l *life) error {
	second := l.secondWorker(filepath.Join(l.dir, "other-roots"))
	file, err := l.write(l.want)
	if err != nil {
		return err
	}
	out, code, err := l.limited(ctx, "rollout", "-f", file)
	second.stop()
	if err != nil {
		return err
	}
	if code != 0 && !strings.Contains(out, "no second root is made") {
		return fmt.Errorf("exit code %d, and not since there is another root\n%s", code, out)
	}
	return l.apply(ctx)
}

// rebuilt has a member installed again, as another cluster with nothing in it.
func rebuilt(ctx context.Context, l *life) (err error) {
	name := l.member()
	if err := l.lab.Rebuild(ctx, name); err != nil {
		return err
	}
	if l.scene.before[name], err = l.lab.AtRest(ctx, name); err != nil {
		return err
	}
	if err := l.putOthers(ctx); err != nil {
		return err
	}
	return l.apply(ctx)
}

// elsewhere moves the root away. Nothing is rolled out without it, and no second one made.
func elsewhere(ctx context.Context, l *life) error {
	roots := filepath.Join(l.lane.dir, "roots")
	if err := os.Rename(roots, roots+".moved"); err != nil {
		return err
	}
	file, err := l.write(l.want)
	if err == nil {
		err = l.says(ctx, 1, "no second root is made", "rollout", "-f", file)
	}
	// The worker may have made the directory, which is empty then.
	if e := os.Remove(roots); e != nil && !errors.Is(e, fs.ErrNotExist) {
		return errors.Join(err, e)
	}
	if err := errors.Join(err, os.Rename(roots+".moved", roots)); err != nil {
		return err
	}
	return l.apply(ctx)
}

func (l *life) secondWorker(roots string) *service {
	return startService("worker-2", l.dir, func() *exec.Cmd {
		return exec.Command(filepath.Join(l.bins, "victim"), "--address", l.address(), "--task-queue", queueWorkers, "--root-dir", roots,
			"--kubeconfig-dir", filepath.Join(l.lane.dir, "kubeconfigs"), "--done-dir", l.dir)
	})
}

// beginRollout starts a rollout of what is wanted, and does not wait for it.
func (l *life) beginRollout(ctx context.Context) (err error) {
	if l.file, err = l.write(l.want); err != nil {
		return err
	}
	return l.says(ctx, 0, "", "rollout", "-f", l.file, "--detach")
}

// paused pauses a rollout for a while, where it has not ended before.
func paused(ctx context.Context, l *life) error {
	l.change()
	if err := l.beginRollout(ctx); err != nil {
		return err
	}
	time.Sleep(l.soon())
	if _, code, err := l.limited(ctx, "pause", l.fleetName, "--reason", "life"); err != nil || code == 0 {
		time.Sleep(2 * time.Second)
		if _, _, err := l.limited(ctx, "resume", l.fleetName, "--reason", "life"); err != nil {
			return err
		}
	}
	return l.apply(ctx)
}

// canceledInTheMiddle cancels a rollout, with what is open undone or kept. The next one
// repairs that.
func canceledInTheMiddle(ctx context.Context, l *life) error {
	l.change()
	if err := l.beginRollout(ctx); err != nil {
		return err
	}
	time.Sleep(l.soon())
	args := []string{"cancel", l.fleetName, "--reason", "life"}
	if l.random.IntN(2) == 0 {
		args = append(args, "--keep")
	}
	if _, _, err := l.limited(ctx, args...); err != nil { // it may have ended
		return err
	}
	err := until(ctx, time.Minute, func() error {
		out, _, err := l.limited(ctx, "status", l.fleetName)
		if err == nil && strings.Contains(out, "rollout running") {
			err = fmt.Errorf("the rollout goes on\n%s", out)
		}
		return err
	})
	if err != nil {
		return err
	}
	return l.apply(ctx)
}

// asleep has two workers, and stops one for longer than a heartbeat: Temporal gives its step
// to the other, and both may be at it.
func asleep(ctx context.Context, l *life) error {
	second := l.secondWorker(filepath.Join(l.lane.dir, "roots"))
	defer second.stop()
	l.change()
	after := l.soon()
	go func() {
		time.Sleep(after)
		l.worker.signal(syscall.SIGSTOP)
		time.Sleep(12 * time.Second)
		l.worker.signal(syscall.SIGCONT)
	}()
	defer l.worker.signal(syscall.SIGCONT)
	return l.apply(ctx)
}

// away makes a cluster unreachable during a rollout: it fails alone, and the next one brings
// it back.
func away(ctx context.Context, l *life) error {
	l.change()
	proxy := l.proxies[l.member()]
	proxy.set(&rule{fault: faultUnreachable})
	err := l.ends(ctx, 3)
	proxy.set(nil)
	if err != nil {
		return err
	}
	return l.apply(ctx)
}

// secondRequest asks for another state while a rollout runs, and is refused or, where it
// has ended already, done.
func secondRequest(ctx context.Context, l *life) error {
	l.change()
	if err := l.beginRollout(ctx); err != nil {
		return err
	}
	l.change()
	file, err := l.write(l.want, "gateways: {", "gateways: { ")
	if err != nil {
		return err
	}
	out, code, err := l.limited(ctx, "rollout", "-f", file)
	if err != nil || code != 0 && !strings.Contains(out, "is being changed by a rollout") {
		return fmt.Errorf("the second request: %v, exit code %d\n%s", err, code, out)
	}
	if err := l.says(ctx, 0, "", "watch", l.fleetName); err != nil && code != 0 {
		return err
	}
	return l.apply(ctx)
}
