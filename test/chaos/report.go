package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

func randomOf(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// done prints a line of the table when its case has ended.
func (r *chaosRun) done(x result, of int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, x)
	r.say("%3d/%d  %-10s %2d kills %2d faults  %4s  recovery %4s  %s", len(r.results), of, x.End, x.Kills, x.Faults,
		x.Took.Round(time.Second), x.SlowestRecovery.Round(100*time.Millisecond), x.Case)
	if !x.OK {
		fmt.Printf("%s\nto repeat it: %s\n\n", indent(x.Why), r.repeat(x))
	}
}

func indent(s string) string {
	return "        " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n        ")
}

// repeat returns the command that runs one case again.
func (r *chaosRun) repeat(x result) string {
	command := fmt.Sprintf("make chaos CHAOS=\"--seed %d --ways %d --server-kills %d --lanes 1 --only '%s'", r.seed, r.ways, r.kills, x.Case)
	if r.temporal != "" {
		command += " --temporal-bin " + r.temporal
	}
	return command + `"`
}

// totals sums up a family of cases, or all of them.
type totals struct {
	name                                               string
	cases, kills, faults, finished, typed, left, wrong int
	slowest                                            time.Duration
}

func (t *totals) add(x result) {
	t.cases++
	t.kills += x.Kills
	t.faults += x.Faults
	t.left += x.Leftovers
	t.slowest = max(t.slowest, x.SlowestRecovery)
	switch {
	case !x.OK:
		t.wrong++
	case x.End == "finished":
		t.finished++
	default:
		t.typed++
	}
}

func (r *chaosRun) families() (list []totals, all totals) {
	all.name = "all"
	for _, x := range r.results {
		i := slices.IndexFunc(list, func(t totals) bool { return t.name == x.Family })
		if i < 0 {
			i, list = len(list), append(list, totals{name: x.Family})
		}
		list[i].add(x)
		all.add(x)
	}
	slices.SortFunc(list, func(a, b totals) int { return strings.Compare(a.name, b.name) })
	return list, all
}

// conclude prints the totals and writes the report.
func (r *chaosRun) conclude() error {
	list, all := r.families()
	var b strings.Builder
	fmt.Fprintf(&b, "| what goes wrong | cases | kills | faults | finished | typed stops | left until the API server answered | wrong | slowest recovery |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, t := range append(list, all) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %s |\n", t.name, t.cases, t.kills, t.faults, t.finished, t.typed, t.left, t.wrong, t.slowest.Round(100*time.Millisecond))
	}
	fmt.Printf("\n%s\nseed %d, commit %s, %d of %d cases in %s\n%d passed, %d failed\n", b.String(), r.seed, commit(), all.cases, r.cases, time.Since(r.began).Round(time.Second), all.cases-all.wrong, all.wrong)
	if r.report != "" {
		if err := r.write(b.String()); err != nil {
			return err
		}
	}
	if all.wrong > 0 {
		return fmt.Errorf("%d of %d cases did not end as they must", all.wrong, all.cases)
	}
	return nil
}

// intro begins the report.
const intro = `<!-- made by make chaos CHAOS="--report docs/generated/reliability.md"; do not edit -->
# What Landbridge survives

"make chaos" rolls a fleet of two clusters out and cleans it up again, on real API servers and a real Temporal, once for
each line below, while what the line says goes wrong: workers that kill themselves (SIGKILL) before, during (after the first
write, before its answer) and after each activity that the code has; servers killed at moments drawn from the seed; proxies that
fail one verb on one kind; API servers that do not answer; clouds, Sail and etcd that fail; people who do two things at once.
Then every object of every kind is compared.

A case is *finished* when the rollout ended well and made exactly what an undisturbed one makes, and a *typed stop* when it
ended with an error that names the cluster, the step and the reason. Either way the cleanup must leave nothing, on the clusters
and in the root's directory; where a cluster did not answer or refused for good, the cleanup must name it, and a second one, when
the cluster answers, must leave nothing. Everything else is *WRONG*, and printed with the command that repeats it. Recovery is from the
kill until Landbridge's next request to an API server, the start of the new process included.

Seed %d, commit %s, %d of the %d cases of that seed, in %s on %d lanes of a machine with two cores, on %s.

%s
## Every case

| case | end | kills | faults | took | recovery |
|---|---|---|---|---|---|
`

// write writes the report, with every case.
func (r *chaosRun) write(table string) error {
	var b strings.Builder
	fmt.Fprintf(&b, intro, r.seed, commit(), len(r.results), r.cases, time.Since(r.began).Round(time.Second), r.options.lanes, time.Now().Format("2006-01-02"), table)
	slices.SortFunc(r.results, func(x, y result) int { return strings.Compare(x.Family+x.Case, y.Family+y.Case) })
	for _, x := range r.results {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %s | %s |\n", x.Case, x.End, x.Kills, x.Faults, x.Took.Round(time.Second), x.SlowestRecovery.Round(100*time.Millisecond))
	}
	return os.WriteFile(r.report, []byte(b.String()), 0o644)
}
